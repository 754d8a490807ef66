"""Spec of a grid axis."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from phasezoo.spec.base import Spec, Text, refused, require_unique, yaml_float
from phasezoo.vocabulary import HYPERPARAMETERS, Hyperparameter, Number


def _shares(values: Any) -> Any:
    """A flat list means that every value is a share of its own."""
    if isinstance(values, list | tuple):
        return [v if isinstance(v, list | tuple) else [v] for v in values]
    return values


def _number(value: Any) -> Any:
    """A number as the file has it; ``1e-3``, which YAML 1.1 hands over as text, becomes one."""
    if isinstance(value, str):
        value = yaml_float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    return value


AxisValue = Annotated[int | float, BeforeValidator(_number)]


class Axis(Spec):
    """One grid axis: the hyperparameter that realises it and its values, in shares.

    The cells of one share are measured by one job. A grid grows by adding a share, which leaves
    the jobs of the others as they were.
    """

    hyperparameter: Text
    values: Annotated[tuple[tuple[AxisValue, ...], ...], BeforeValidator(_shares)]

    @model_validator(mode="after")
    def _values_fit(self) -> Axis:
        if self.hyperparameter not in HYPERPARAMETERS:
            known = ", ".join(HYPERPARAMETERS)
            raise refused("hyperparameter", self.hyperparameter, f"one of {known}")
        if not self.values or not all(self.values):
            raise refused("values", self.values, "at least one number in every share")
        for value in self.all_values:
            if value <= 0 or (self.meaning.whole and not isinstance(value, int)):
                kind = "whole numbers" if self.meaning.whole else "numbers"
                raise refused("values", value, f"{kind} greater than 0")
            if self.meaning.parse(self.meaning.label(value)) != value:  # paths carry the label
                raise refused("values", value, "numbers of at most 12 digits")
        require_unique("values", self.all_values, self.hyperparameter)
        return self

    @property
    def meaning(self) -> Hyperparameter:
        """What the values of the axis are."""
        return HYPERPARAMETERS[self.hyperparameter]

    @property
    def all_values(self) -> tuple[Number, ...]:
        """All values, ascending."""
        return tuple(sorted(value for share in self.values for value in share))
