"""What is asked about windows of text: which of them can be asked about, and how they change.

A window is a row of bytes. All that is told apart is made from windows as they were written; no
window is in two samples.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phasezoo.spec.labelled_text import Family

Window = NDArray[np.uint8]  # [T]
FEWEST_EXCHANGES = 3  # words that `spelling` needs
FEWEST_WORDS = 4  # whole words that `order` needs between the first and the last of a window

_WORD = re.compile(rb"\S+")
_LETTERS = re.compile(rb"[A-Za-z]{4,}")


class Change(ABC):
    """A change that a network is to notice: label 0 is a window as it is, label 1 a changed one."""

    @abstractmethod
    def can(self, window: bytes) -> bool:
        """Whether a window has what is changed; others are not asked about, changed or not."""

    @abstractmethod
    def changed(self, window: bytes, others: Sequence[bytes], chance: np.random.Generator) -> bytes:
        """A changed window of the same length, never equal to the window.

        Args:
            window: one that can be changed.
            others: the windows of other documents on the same side.
            chance: where the change is drawn from.
        """


class Order(Change):
    """Words, anything between white space, in another order; the first and last stay, being cut.

    White space stays in its order too, so that a changed window has the same bytes as before.
    """

    def can(self, window: bytes) -> bool:
        """Whether enough words lie between the first and the last, not all of them equal."""
        inner = _WORD.findall(window)[1:-1]
        return len(inner) >= FEWEST_WORDS and len(set(inner)) > 1

    def changed(self, window: bytes, others: Sequence[bytes], chance: np.random.Generator) -> bytes:
        """The window with its inner words shuffled."""
        first, *inner, last = _WORD.findall(window)
        between = _WORD.split(window)
        while True:
            shuffled = [inner[i] for i in chance.permutation(len(inner))]
            if shuffled != inner:
                break
        words = [first, *shuffled, last, b""]
        return b"".join(space + word for space, word in zip(between, words, strict=True))


class Spelling(Change):
    """In every longer word two neighbouring letters change places, neither the first nor the last.

    A word without two such letters that differ stays as it is.
    """

    def can(self, window: bytes) -> bool:
        """Whether there are enough words of four letters or more with two that differ."""
        return len(_exchanges(window)) >= FEWEST_EXCHANGES

    def changed(self, window: bytes, others: Sequence[bytes], chance: np.random.Generator) -> bytes:
        """The window with letters exchanged."""
        out = bytearray(window)
        for places in _exchanges(window):
            at = int(chance.choice(places))
            out[at : at + 2] = out[at + 1], out[at]
        return bytes(out)


def _exchanges(window: bytes) -> list[list[int]]:
    """By word, the places of letters within that differ from the next one, which is within too."""
    words = (range(m.start() + 1, m.end() - 2) for m in _LETTERS.finditer(window))
    found = [[at for at in word if window[at] != window[at + 1]] for word in words]
    return [places for places in found if places]


class Follows(Change):
    """The second half is that of a window of another document."""

    def can(self, window: bytes) -> bool:
        """Any window."""
        return True

    def changed(self, window: bytes, others: Sequence[bytes], chance: np.random.Generator) -> bytes:
        """The first half, and another second half."""
        half = len(window) // 2
        while True:
            other = others[int(chance.integers(len(others)))]
            if other[half:] != window[half:]:
                return window[:half] + other[half:]


CHANGES: dict[Family, Change] = {"order": Order(), "spelling": Spelling(), "follows": Follows()}
