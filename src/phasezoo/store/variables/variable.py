"""What a stored variable is: where it lives, what it is measured in, what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from phasezoo.vocabulary import EPOCH, LOAD, PAIR, SEED, TEMPERATURE

CELL = (LOAD, TEMPERATURE)
OF_MODEL = (*CELL, SEED, EPOCH)
OF_PAIR = (*CELL, PAIR, EPOCH)
OF_BLOCK = (*CELL, "block", EPOCH)
OF_CELL = (*CELL, EPOCH)
TRUTH: Mapping[int, str] = {0: "no", 1: "yes"}


@dataclass(frozen=True)
class Variable:
    """One variable.

    The first dims are those of a model, pair, block or cell; what a family adds of its own, such
    as the point of a curve, comes after them.
    """

    name: str
    group: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    family: str
    dtype: str = "float32"
    flags: Mapping[int, str] = field(default_factory=dict)
    sample: str = ""  # the set of which it is measured on a sample
    missing: int | None = None  # stands where a whole number was not measured

    @property
    def attributes(self) -> dict[str, object]:
        """CF attributes."""
        attributes: dict[str, object] = {"long_name": self.long_name}
        if self.flags:
            attributes["flag_values"] = np.array(list(self.flags), dtype=self.dtype)
            attributes["flag_meanings"] = " ".join(self.flags.values())
        else:
            attributes["units"] = self.units
        if self.missing is not None:
            attributes["comment"] = f"{self.missing} where there is nothing"
        return attributes


@dataclass(frozen=True)
class Family:
    """How the variables of one family of a group are declared, with what they share left out."""

    name: str
    group: str = "metrics"
    sample: str = ""

    def number(self, dims: tuple[str, ...], name: str, meaning: str, units: str = "1") -> Variable:
        """A float32 variable."""
        return Variable(name, self.group, dims, units, meaning, self.name, sample=self.sample)

    def truth(self, dims: tuple[str, ...], name: str, meaning: str) -> Variable:
        """A flag: no, yes, or missing."""
        kind = self.name, "int8", TRUTH, self.sample
        return Variable(name, self.group, dims, "", meaning, *kind)
