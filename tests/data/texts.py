"""Archives and vocabularies in the real form, small."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import regex
import xarray as xr

from data.server import Server, whole
from phasezoo.data import openwebtext
from phasezoo.data.text_tokens import WebFile, gpt2_encoding
from phasezoo.vocabulary import Split

PIECES = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"  # of GPT-2
MERGES = [(b"t", b"h"), (b"th", b"e"), (b" ", b"the"), (b"\xc3", b"\xa9"), (b"a", b"n"),
          (b"e", b"r"), (b"\n", b"\n"), (b" ", b"an"), (b"o", b"u")]  # fmt: skip
PRINTED = [b for b in range(256) if chr(b).isprintable() and chr(b) != " "]
ORDER = PRINTED + [b for b in range(256) if b not in PRINTED]  # the tokens of single bytes
SYMBOLS = [bytes([b]) for b in ORDER] + [first + second for first, second in MERGES]
END = len(SYMBOLS)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def packed(files: Mapping[str, bytes]) -> bytes:
    """A .tar.xz of files; names that end with a slash are folders."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def archive(*subsets: Sequence[str | bytes]) -> bytes:
    """An archive of texts as the authors of the corpus pack them."""
    files = {"openwebtext/": b""}
    for number, texts in enumerate(subsets):
        raw = [text.encode() if isinstance(text, str) else text for text in texts]
        inner = {f"{place:07}-{sha256(text)[:32]}.txt": text for place, text in enumerate(raw)}
        files[f"openwebtext/urlsf_subset{number:02}-1_data.xz"] = packed(inner)
    return packed(files)


def vocabulary() -> tuple[bytes, bytes]:
    """`vocab.bpe` and `encoder.json` of the small vocabulary."""
    shown = {b: chr(b) for b in PRINTED}
    shown |= {b: chr(256 + n) for n, b in enumerate(ORDER[len(PRINTED) :])}

    def show(symbol: bytes) -> str:
        return "".join(shown[b] for b in symbol)

    merges = "".join(f"{show(first)} {show(second)}\n" for first, second in MERGES)
    numbers = {show(symbol): number for number, symbol in enumerate(SYMBOLS)}
    return f"#version: 0.2\n{merges}".encode(), json.dumps(
        numbers | {"<|endoftext|>": END}
    ).encode()


def encoded(text: str) -> list[int]:
    """Byte-pair encoding as it is defined: in each piece, the earliest pair is joined first."""
    tokens = []
    for piece in regex.findall(PIECES, text):
        parts = [bytes([b]) for b in piece.encode()]
        while ranked := [MERGES.index(p) for p in pairwise(parts) if p in MERGES]:
            first, second = MERGES[min(ranked)]
            at = next(i for i in range(len(parts)) if tuple(parts[i : i + 2]) == (first, second))
            parts[at : at + 2] = [first + second]
        tokens += [SYMBOLS.index(part) for part in parts]
    return tokens


@contextmanager
def served(content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an archive; the small vocabulary is on the web too, in place of GPT-2's."""
    monkeypatch.setenv("PHASEZOO_CACHE", str(folder))
    with ExitStack() as stack:
        files = [*vocabulary(), content]
        urls = [stack.enter_context(Server(whole(file))).url for file in files]
        small = [WebFile(url, sha256(file)) for url, file in zip(urls[:2], files[:2], strict=True)]
        monkeypatch.setattr(openwebtext, "gpt2_encoding", lambda at: gpt2_encoding(at, *small))
        yield urls[2]


def side(data: xr.Dataset, split: Split) -> xr.Dataset:
    return data.isel(sample=data["split"].values == split)


def stream(data: xr.Dataset, split: Split) -> np.ndarray:
    """The tokens of all windows of a side, one after the other."""
    return side(data, split)["token"].values.ravel()
