"""Coverage counts every cell once, and the map in text shows each in its place."""

from __future__ import annotations

import numpy as np
import xarray as xr

from phasezoo.phases.coverage import coverage, text_map
from phasezoo.vocabulary import Phase

CELLS = [[1, 2, -1], [3, 5, 5]]  # load x temperature


def phases(cells: list[list[int]] = CELLS, **attributes: str) -> xr.DataArray:
    return xr.DataArray(
        np.array(cells, dtype=np.int8),
        coords={
            "load": ("load", [4, 16], {"hyperparameter": "width"} if attributes else {}),
            "temperature": ("temperature", [8, 32, 512], attributes),
        },
        dims=("load", "temperature"),
    )


def test_coverage_counts_the_cells_of_every_phase() -> None:
    assert coverage(phases()) == {
        "cells": 6,
        "per_phase": {"I": 1, "II": 1, "III": 1, "IV-A": 0, "IV-B": 2},
        "missing": 1,
        "unclassified": 0,
        "absent": ["IV-A"],
    }


def test_cells_without_a_phase_are_counted_as_such() -> None:
    found = coverage(phases([[0, 0, -1], [0, -1, 4]]))
    assert (found["missing"], found["unclassified"]) == (2, 3)
    assert found["absent"] == ["I", "II", "III", "IV-B"]


def test_the_counts_add_up_to_the_cells() -> None:
    found = coverage(phases())
    per_phase = found["per_phase"]
    assert isinstance(per_phase, dict)
    assert sum(per_phase.values()) + found["missing"] + found["unclassified"] == found["cells"]


def test_coverage_is_plain_json() -> None:
    found = coverage(phases())
    assert {type(found[key]) for key in ("cells", "missing", "unclassified")} == {int}


def test_the_map_has_loads_across_and_temperatures_down() -> None:
    lines = [line.split() for line in text_map(phases()).splitlines()]
    assert lines == [
        ["load", "->"],
        ["temperature", "4", "16"],
        ["8", "I", "III"],
        ["32", "II", "IV-B"],
        ["512", "-", "IV-B"],
    ]


def test_the_map_names_the_hyperparameters() -> None:
    lines = [line.split() for line in text_map(phases(hyperparameter="batch_size")).splitlines()]
    assert lines[:2] == [["width", "->"], ["batch_size", "4", "16"]]


def test_the_columns_of_the_map_are_aligned() -> None:
    rows = text_map(phases([[0, 4, -1], [1, 5, 3]])).splitlines()[1:]
    assert len({len(row) for row in rows}) == 1
    assert rows[1].split()[1] == "?"


def test_the_map_does_not_depend_on_the_order_of_the_dims() -> None:
    assert text_map(phases().transpose("temperature", "load")) == text_map(phases())


def test_titles_are_those_of_the_papers() -> None:
    titles = [phase.title for phase in Phase]
    assert titles == ["missing", "unclassified", "I", "II", "III", "IV-A", "IV-B"]
