"""The documentation that travels with Python, as a language corpus of bytes."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pydoc_data import topics as documentation

import numpy as np
import torch
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.data.corpus import Corpus, CorpusError, Tokens, TokenStream
from phasezoo.spec.text import Pydoc, Windows

TEST_SHARE = 0.2  # of the bytes, at most
END = 0  # the byte after each document, and its token
UNKNOWN = 0x1A  # what a byte that training never sees is read back as: ASCII's SUBSTITUTE


def pydoc(spec: Pydoc) -> Corpus:
    """The topics of `help()` in windows of bytes.

    The tokens are the bytes that occur in the training documents, in their order, and one for all
    others. They depend on the split alone, so data sets that differ in the number or the length of
    windows share them.

    Raises:
        CorpusError: this Python has another documentation than `sha256` says, or too little.
    """
    digest = corpus_sha256(documentation.topics)
    if spec.sha256 not in {None, digest}:
        got = f"{digest}, the documentation of Python {platform.python_version()}"
        allowed = f"{spec.sha256}, that of another; run that one, or bring the data set as it is"
        raise CorpusError(f"pydoc: sha256: got {got}; allowed: {allowed}")
    manual = divided(spec.split_seed)
    tokens = [manual.token[_bytes(text)] for text in manual.texts.values()]
    return Corpus(
        title="Documentation of Python",
        references="https://docs.python.org/3/",
        licence="PSF-2.0",
        train=_windows(tokens, manual.train, "train", spec.train, spec),
        test=_windows(tokens, manual.test, "test", spec.test, spec),
        vocabulary=len(manual.byte),
        end=END,
        byte=manual.byte,
        facts={
            "documents": " ".join(manual.texts),
            "python": ".".join(platform.python_version_tuple()[:2]),
            "corpus_sha256": digest,
        },
    )


@dataclass(frozen=True)
class Manual:
    """The topics of `help()` on their sides, and the tokens of bytes.

    Attributes:
        texts: of each topic without repetitions, by name, in the order of names.
        train: numbers of the topics to train on, in the order in which they are read.
        test: numbers of the others.
        byte: what each token stands for, [vocabulary].
        token: of each byte, [256].
    """

    texts: Mapping[str, str]
    train: list[int]
    test: list[int]
    byte: NDArray[np.uint8]
    token: Tokens


def divided(split_seed: int) -> Manual:
    """The documentation of the Python that runs, divided by `split_seed`."""
    texts = dict(sorted(without_repetitions(documentation.topics).items()))
    documents = [_bytes(text) for text in texts.values()]
    train, test = sides([len(d) for d in documents], split_seed)
    return Manual(texts, train, test, *_vocabulary([documents[number] for number in train]))


def corpus_sha256(topics: Mapping[str, str]) -> str:
    """SHA-256 of the topics and their text as JSON with sorted keys, as 64 digits."""
    return hashlib.sha256(json.dumps(dict(topics), sort_keys=True).encode()).hexdigest()


def without_repetitions(topics: Mapping[str, str], of: Iterable[str] = ()) -> dict[str, str]:
    """Topics without the paragraphs that a longer topic has too, whatever their white space.

    Some topics are sections of others, word for word. Left as they are, a third of the test text
    would be training text.

    Args:
        topics: text by name.
        of: more texts, whose paragraphs are repetitions wherever they are found.
    """
    seen = {words for text in of for words, _ in _paragraphs(text)}
    kept: dict[str, str] = {}
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        paragraphs = _paragraphs(topics[name])
        own = [paragraph for words, paragraph in paragraphs if words not in seen]
        seen.update(words for words, _ in paragraphs)
        if own:
            kept[name] = "\n\n".join(own)
    return kept


def _paragraphs(text: str) -> list[tuple[str, str]]:
    """The words of each paragraph, and the paragraph."""
    return [(" ".join(p.split()), p) for p in text.split("\n\n")]


def sides(
    sizes: Sequence[int], split_seed: int, of: Sequence[str] = ("pydoc",)
) -> tuple[list[int], list[int]]:
    """Documents to train and to test on, in the order in which they are read.

    In an order drawn by chance, each goes to the test side if it fits into what is left of
    `TEST_SHARE` there. So that side has nearly its share, however unequal the documents are.

    Args:
        sizes: of the documents.
        split_seed: draws the order.
        of: names the corpus.
    """
    order = torch.randperm(len(sizes), generator=rng.generator(*of, "split", split_seed))
    room = int(TEST_SHARE * sum(sizes))
    train: list[int] = []
    test: list[int] = []
    for number in order.tolist():
        fits = sizes[number] <= room
        (test if fits else train).append(number)
        room -= sizes[number] if fits else 0
    return train, test


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode() + bytes([END]), dtype=np.uint8)


def _vocabulary(training: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], Tokens]:
    """The byte of each token, and the token of each byte."""
    known = np.unique(np.concatenate(training))
    token = np.full(256, len(known), dtype=np.uint16)
    token[known] = np.arange(len(known))
    return np.append(known, np.uint8(UNKNOWN)), token


def _windows(
    tokens: Sequence[Tokens], side: Sequence[int], name: str, wanted: int, spec: Windows
) -> TokenStream:
    most = sum(len(tokens[number]) for number in side) // spec.length
    if wanted > most:
        allowed = f"at most {most}, the windows of {spec.length} bytes on this side of the split"
        raise CorpusError(f"pydoc: {name}: got {wanted}; allowed: {allowed}")
    stream = TokenStream(wanted, spec.length)
    for number in side:
        stream.add(number, tokens[number])
    return stream
