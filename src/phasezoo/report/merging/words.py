"""What is said of merging in words: how intervals were come by, what models saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from phasezoo.report.merging.entries import labels_of, name_of
from phasezoo.vocabulary import TEMPERATURE

OVER = {  # what is left out in turn, in words
    "pairs": "no model is in two of the pairs, so a pair is left out in turn",
    "seeds": "pairs that share a model are not independent, so a seed is left out in turn, with "
    "all its pairs",
    "blocks": "a block of seeds is left out in turn",
    "cells": "a cell has one pair, so a cell is left out in turn",
}


JUDGED = (
    "The calibration error is the mean distance of accuracy from confidence over bins of equal "
    "width; a temperature, and the best model, are chosen on one half of the test set "
    "and judged on the other, both ways."
)


def conditions(found: xr.Dataset) -> str:
    """What a mean goes over beside the pairs."""
    axis = found[TEMPERATURE]
    if axis.size == 1:
        return f"At {name_of(axis)} {labels_of(axis)[0]}."
    return f"Means over {axis.size} values of {name_of(axis)}, which were chosen and are no chance."


def chance(means: Sequence[xr.Dataset]) -> str:
    """How intervals were come by."""
    units = dict.fromkeys(unit for of in means for unit in of.attrs["unit"].split(" or ") if unit)
    if not units:
        return "One pair tells nothing of chance, so there are no intervals."
    over = "; ".join(OVER[unit] for unit in units)
    return f"Intervals of 95 % are Student's with the variance of the jackknife: {over}."


def seen_by(seen: Mapping[str, Any] | None) -> str:
    """What the models of a pair saw of the training set."""
    match seen and seen["by"]:
        case "labels":
            share = 100 * seen["majority"]  # type: ignore[index]
            return (
                f"The first model of a pair saw {share:g} % of the samples of the later half of "
                f"the classes and {100 - share:g} % of the earlier half, the second all others. "
                "All pairs share that split, so intervals are those of other seeds. Losses and "
                "errors of training are those of the whole training set."
            )
        case "chance":
            share = 100 * seen["share"]  # type: ignore[index]
            return f"Every model saw {share:g} % of the training set, drawn by chance."
        case _:
            return "All models saw the whole training set."


def merged_of(merging: xr.Dataset, spec: Mapping[str, Any]) -> str:
    """Of how many models soups are: those of a block, or the two that saw parts by labels."""
    seen = spec["training"].get("seen")
    if seen and seen["by"] == "labels":
        return "the two models of a block that saw parts"
    sizes = dict.fromkeys(len(str(label).split("+")) for label in merging["block"].values)
    return f"all {' or '.join(map(str, sizes))} models of a block"
