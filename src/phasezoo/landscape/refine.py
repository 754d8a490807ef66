"""Values along many paths: an equally spaced grid, and more points around what deviates most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phasezoo.landscape.curve import most_deviating

Floats = NDArray[np.float64]
# From paths [K] and places t [K] on them to values [K, V].
Values = Callable[[NDArray[np.intp], Floats], Floats]


@dataclass(frozen=True)
class Samples:
    """Values [points, V] at places t [points] of one path, in their order; the ends included."""

    t: Floats
    values: Floats

    def at(self, places: Floats) -> Floats:
        """The values at some of the places."""
        return self.values[np.searchsorted(self.t, places)]

    @property
    def extremes(self) -> list[int]:
        """Positions that deviate most from the mean of the ends, for each of the V values."""
        return sorted({most_deviating(column) for column in self.values.T})

    def halves(self) -> Floats:
        """Midpoints of the intervals on both sides of the extremes; none without finite values."""
        if not np.isfinite(self.values).all():
            return np.empty(0)
        left = {i - 1 for i in self.extremes if i > 0}
        left |= {i for i in self.extremes if i < len(self.t) - 1}
        return np.array([(self.t[i] + self.t[i + 1]) / 2 for i in sorted(left)])

    def with_more(self, t: Floats, values: Floats) -> Samples:
        """These and others, ordered by place."""
        places = np.concatenate([self.t, t])
        order = places.argsort()
        return Samples(places[order], np.concatenate([self.values, values])[order])


def sampled(values: Values, paths: int, points: int, rounds: int) -> list[Samples]:
    """Values of every path on a grid of `points`, then refined.

    Each round adds the midpoints of the intervals beside the points that deviate most from the
    mean of the ends, one point for each of the V values, so it resolves t there twice as well:
    1 / ((points - 1) 2^rounds) in the end. Nothing is fitted, every value is that of a point.
    All paths are asked for their points of a round at once.
    """
    grid = np.linspace(0, 1, points)
    found = [Samples(np.empty(0), np.empty((0, 1)))] * paths
    asked: Sequence[Floats] = [grid] * paths
    for _ in range(rounds + 1):
        owners = np.repeat(np.arange(paths), [len(t) for t in asked])
        if not len(owners):
            break
        fresh = values(owners, np.concatenate(asked))
        parts = [fresh[owners == path] for path in range(paths)]
        found = [
            have.with_more(t, part) if len(have.t) else Samples(t, part)
            for have, t, part in zip(found, asked, parts, strict=True)
        ]
        asked = [have.halves() for have in found]
    return found
