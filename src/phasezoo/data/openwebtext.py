"""OpenWebText: web pages in the tokens of GPT-2."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import numpy as np
import tiktoken

from phasezoo import rng
from phasezoo.data.corpus import Corpus, CorpusError, TokenStream
from phasezoo.data.download import download_folder, fetch
from phasezoo.data.text_archive import subsets
from phasezoo.data.text_tokens import gpt2_encoding
from phasezoo.spec.text import OpenWebText

_HOME = "https://skylion007.github.io/OpenWebTextCorpus"
_LICENCE = "CC0 1.0 (the collection; the texts are their authors')"
_TESTED = 10  # one document of so many is on the test side
_LOGGER = logging.getLogger("phasezoo")  # the job's own log


def openwebtext(spec: OpenWebText) -> Corpus:
    """The first documents of the archive, until the windows of either side are full.

    Raises:
        DownloadError: the archive or the vocabulary of GPT-2 cannot be had.
        CorpusError: the archive is of another form, or holds too little text.
    """
    encoding = gpt2_encoding(download_folder())  # first, because it is small
    train, test = _filled(spec, encoding)
    name = PurePosixPath(urlsplit(spec.url).path).name
    return Corpus(
        title="OpenWebText" if spec.published else f"Texts of {name}",
        references=f"Gokaslan and Cohen 2019, {_HOME}" if spec.published else spec.url,
        licence=_LICENCE if spec.published else "not stated",
        train=train,
        test=test,
        vocabulary=encoding.n_vocab,
        end=encoding.eot_token,
        byte=None,
        facts={"tokens": "byte-pair encoding of GPT-2 (Radford et al. 2019)"},
    )


def on_test_side(text: str, split_seed: int) -> bool:
    """Whether a document is tested on: one of ten by chance, equal texts always alike."""
    return rng.seed_of("openwebtext", "split", split_seed, text) % _TESTED == 0


def _filled(spec: OpenWebText, encoding: tiktoken.Encoding) -> tuple[TokenStream, TokenStream]:
    """Windows to train and to test on."""
    path = fetch(spec.url, spec.sha256, download_folder())
    train, test = (TokenStream(windows, spec.length) for windows in (spec.train, spec.test))
    first = said = 0
    for texts in subsets(path):
        sides = [test if on_test_side(text, spec.split_seed) else train for text in texts]
        _pour(texts, sides, first, encoding)
        if train.full and test.full:
            return train, test
        first += len(texts)
        if (tenths := 10 * train.windows // spec.train) > said:
            _LOGGER.info(f"{path.name}: {train.windows:,} of {spec.train:,} training windows")
            said = tenths
    name, side = ("test", test) if train.full else ("train", train)
    allowed = f"at most {side.windows}, the windows of {spec.length} tokens on this side of it"
    raise CorpusError(f"{spec.url}: {name}: got {getattr(spec, name)}; allowed: {allowed}")


def _pour(
    texts: list[str], sides: list[TokenStream], first: int, encoding: tiktoken.Encoding
) -> None:
    """Append each text to its side; `first` is the number of the first of them."""
    open_ = [i for i, side in enumerate(sides) if not side.full]
    encoded = encoding.encode_ordinary_batch([texts[i] for i in open_])
    for i, tokens in zip(open_, encoded, strict=True):
        sides[i].add(first + i, np.array([*tokens, encoding.eot_token], dtype=np.uint16))
