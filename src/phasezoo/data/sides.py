"""Which side of the split each sample of a data set lies on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phasezoo.vocabulary import Split

Sides = tuple[str, NDArray[np.int8], dict[str, object]]


def sides(train: int, test: int) -> Sides:
    """The variable `split` [sample] of a data set whose training samples come first."""
    values = np.repeat(np.array([Split.TRAIN, Split.TEST], dtype=np.int8), [train, test])
    flags: dict[str, object] = {
        "flag_values": [int(s) for s in Split],
        "flag_meanings": " ".join(s.name.lower() for s in Split),
    }
    return "sample", values, flags
