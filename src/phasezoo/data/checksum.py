"""Checksums as authors publish them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pooch

from phasezoo.spec.web import checksum


@dataclass(frozen=True)
class Checksum:
    """A digest in lower case, and how it is made."""

    kind: Literal["sha256", "md5"]
    digits: str

    def __str__(self) -> str:
        return f"{self.kind} {self.digits}"

    @property
    def tagged(self) -> str:
        """The text that `of_text` reads, as pooch writes it."""
        return f"{self.kind}:{self.digits}"

    def of(self, path: Path) -> Checksum:
        """That of a file, made in the same way."""
        return Checksum(self.kind, pooch.file_hash(path, alg=self.kind))


def of_text(text: str) -> Checksum:
    """The checksum that a text says: 64 digits of SHA-256, or either kind with its name before it.

    MD5 keeps out what was broken or mixed up on the way. It does not keep out a file that was
    forged for the purpose, so it is for sets whose authors publish nothing else.

    Raises:
        ValueError: what is allowed, when it is none.
    """
    if isinstance(text, str) and re.fullmatch(r"md5:[0-9a-fA-F]{32}", text):
        return Checksum("md5", text.removeprefix("md5:").lower())
    return Checksum("sha256", checksum(text.removeprefix("sha256:")))
