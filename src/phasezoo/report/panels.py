"""What is shown over the grid: which number, in which unit, on which scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import xarray as xr

from phasezoo.vocabulary import SEED

Scale = Literal["linear", "log", "signed log", "signed"]

ERROR = "%"
POINTS = "percentage points"
LOSS = "nats"  # where the task of a zoo has no other unit


@dataclass(frozen=True)
class Panel:
    """One number over the grid.

    Attributes:
        title: what it is.
        unit: of what `of` returns.
        of: from a group at one epoch to values over load, temperature and replicates.
        scale: of the colours; "signed" is linear and centred on 0, and for a gain, where positive
            is better, is the sign that the number is written with.
        family: panels of one family share one scale, so that they can be compared.
        needs: the family of metrics it is made from, where a zoo may lack it.
        instead: what is shown in its place where it has no value, and that one has.
    """

    title: str
    unit: str
    of: Callable[[xr.Dataset], xr.DataArray]
    scale: Scale = "linear"
    family: str = ""
    needs: str = ""
    instead: Panel | None = None

    def shown(self, data: xr.Dataset) -> Panel:
        """This one, or the one in its place."""
        if self.instead is None or self.of(data).notnull().any():
            return self
        return self.instead if self.instead.of(data).notnull().any() else self


def _value(name: str, factor: float = 1) -> Callable[[xr.Dataset], xr.DataArray]:
    return lambda data: data[name] * factor


def _lead(worse: str, better: str, factor: float = 1) -> Callable[[xr.Dataset], xr.DataArray]:
    return lambda data: (data[worse] - data[better]) * factor


def _seed_average_gain(arm: str) -> Callable[[xr.Dataset], xr.DataArray]:
    """Mean test error of the seeds of a block minus that of their average."""

    def gain(data: xr.Dataset) -> xr.DataArray:
        average = data[f"seed_average_error_{arm}"]
        if not average.sizes.get("block"):
            return average * 100
        single = data["single_error"]
        blocks = [[int(seed) for seed in label.split("+")] for label in average["block"].values]
        alone = [single.sel({SEED: seeds}).mean(SEED) for seeds in blocks]
        return (xr.concat(alone, dim=average["block"]) - average) * 100

    return gain


def _hessian(of: str) -> Panel:
    """Of the training loss, or of the test loss where only that was measured."""
    title, name = f"Hessian: {of}", f"hessian_{of.replace(' ', '_')}"
    test = Panel(f"{title}, test", "", _value(f"{name}_test"), "signed log", needs="hessian")
    return replace(test, title=title, of=_value(name), instead=test)


TEST_ERROR = Panel("Test error", ERROR, _value("test_error", 100), "log")

METRICS = (
    Panel("Training loss", LOSS, _value("train_loss"), "log"),
    Panel("Training error", ERROR, _value("train_error", 100), "log"),
    TEST_ERROR,
    _hessian("top eigenvalue"),
    _hessian("trace"),
    Panel("Mode connectivity", POINTS, _value("mode_connectivity", 100), "signed"),
    Panel("CKA of the outputs", "", _value("cka")),
    Panel("L2 distance", "", _value("l2_distance")),
    Panel("Linear barrier, loss", LOSS, _value("linear_barrier")),
)

MERGING = (
    Panel("Barrier, naive", LOSS, _value("barrier_naive"), family="barrier"),
    Panel("Barrier, aligned", LOSS, _value("barrier_aligned"), family="barrier"),
    Panel("Barrier removed by aligning", LOSS, _lead("barrier_naive", "barrier_aligned"), "signed"),
    Panel(
        "Midpoint: gain by aligning",
        POINTS,
        _lead("midpoint_error_naive", "midpoint_error_aligned", 100),
        "signed",
        "midpoint",
    ),
    Panel(
        "Aligned midpoint vs its ends",
        POINTS,
        _lead("ends_error", "midpoint_error_aligned", 100),
        "signed",
        "midpoint",
    ),
    Panel(
        "Average of checkpoints vs last",
        POINTS,
        _lead("single_error", "checkpoint_average_error", 100),
        "signed",
    ),
    Panel("Average of seeds vs one, naive", POINTS, _seed_average_gain("naive"), "signed", "seeds"),
    Panel(
        "Average of seeds vs one, aligned", POINTS, _seed_average_gain("aligned"), "signed", "seeds"
    ),
)

TRANSFER = (
    Panel("Fine-tuned", ERROR, _value("fine_tuned_error", 100), "log", family="error"),
    Panel("From scratch", ERROR, _value("scratch_error", 100), "log", family="error"),
    Panel("Gain by transfer", POINTS, _value("transfer_gain", 100), "signed"),
)
