"""The byte-pair encoding of GPT-2 (Radford et al. 2019), from the files its authors published."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks
from tiktoken_ext.openai_public import r50k_pat_str

from phasezoo.data.download import fetch


@dataclass(frozen=True)
class WebFile:
    """A file on the web and its SHA-256 checksum."""

    url: str
    sha256: str


_FOLDER = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main"
MERGES = WebFile(
    f"{_FOLDER}/vocab.bpe", "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
)
SYMBOLS = WebFile(
    f"{_FOLDER}/encoder.json", "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"
)
END_OF_TEXT = "<|endoftext|>"


def gpt2_encoding(
    folder: Path, merges: WebFile = MERGES, symbols: WebFile = SYMBOLS
) -> tiktoken.Encoding:
    """The encoding: text to tokens and back; the last token is `END_OF_TEXT`.

    Args:
        folder: where the two files are kept; they are downloaded unless they are there.
        merges: pairs that are joined, in their order.
        symbols: the number of each token.

    Raises:
        DownloadError: a file cannot be had.
    """
    pairs, numbers = (str(fetch(file.url, file.sha256, folder)) for file in (merges, symbols))
    with _no_other_copy():
        ranks = data_gym_to_mergeable_bpe_ranks(pairs, numbers)
    return tiktoken.Encoding(
        "gpt2",
        pat_str=r50k_pat_str,
        mergeable_ranks=ranks,
        special_tokens={END_OF_TEXT: len(ranks)},
    )


@contextmanager
def _no_other_copy() -> Iterator[None]:
    """Files are kept once: tiktoken keeps no copies of its own."""
    name = "TIKTOKEN_CACHE_DIR"
    before = os.environ.get(name)
    os.environ[name] = ""
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before
