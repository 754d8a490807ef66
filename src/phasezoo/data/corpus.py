"""Text as tokens: documents poured one after the other into windows of one length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.vocabulary import PhasezooError

Tokens = NDArray[np.uint16]


class CorpusError(PhasezooError):
    """A text does not hold what a data set needs."""


class TokenStream:
    """Windows without overlap of documents that follow each other, as many as are asked for.

    The last window may end within a document, the rest of which is left out.
    """

    def __init__(self, windows: int, length: int) -> None:
        self._tokens = np.empty(windows * length, dtype=np.uint16)
        self._document = np.empty(windows, dtype=np.int32)
        self._length, self._held = length, 0

    @property
    def full(self) -> bool:
        """Whether all windows are there."""
        return self._held == len(self._tokens)

    @property
    def windows(self) -> int:
        """Windows that are there, whole."""
        return self._held // self._length

    def add(self, document: int, tokens: Tokens) -> None:
        """Append a document, or what there is room for."""
        end = min(self._held + len(tokens), len(self._tokens))
        self._tokens[self._held : end] = tokens[: end - self._held]
        # the windows that begin within it
        first, last = (-(-place // self._length) for place in (self._held, end))
        self._document[first:last] = document
        self._held = end

    @property
    def tokens(self) -> Tokens:
        """All windows [window, position]."""
        return self._tokens.reshape(-1, self._length)

    @property
    def document(self) -> NDArray[np.int32]:
        """Number of the document in which each window begins, [window]."""
        return self._document


@dataclass(frozen=True)
class Corpus:
    """A text in windows, and what its tokens mean.

    Attributes:
        train: full.
        test: full.
        vocabulary: how many tokens there are.
        end: the token after each document.
        byte: what each token stands for [vocabulary], where that is one byte.
        facts: more that is worth knowing, by name.
    """

    title: str
    references: str
    licence: str
    train: TokenStream
    test: TokenStream
    vocabulary: int
    end: int
    byte: NDArray[np.uint8] | None
    facts: Mapping[str, str]
