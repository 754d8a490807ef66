"""Coverage counts every cell once, says what is lacking, and the map shows each in its place."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.border import sensitivity
from phasezoo.phases.classify import classify_phases
from phasezoo.phases.coverage import coverage, text_map
from phasezoo.phases.suggest import suggestion
from phasezoo.spec.phases import PhaseCriteria, RegimeCriteria
from phasezoo.vocabulary import FIVE_PHASES, Phase

CRITERIA = PhaseCriteria(train_loss=0.1, mode_connectivity=0.02, cka=0.6, confident_cells=1)
CELLS = [[1, 2, -1], [3, 5, 5]]  # load x temperature


def labelled(cells: list[list[int]] = CELLS, sure: float = 1.0) -> xr.Dataset:
    codes = np.array(cells, dtype=np.int8)
    dims = ("load", "temperature")
    found = xr.Dataset(
        {"phase": (dims, codes), "confidence": (dims, np.where(codes > 0, sure, 0.0))},
        coords={
            "load": 4 * 4 ** np.arange(codes.shape[0]),
            "temperature": [8, 32, 512][: codes.shape[1]],
        },
    )
    found["near_border"] = (dims, (codes == 3).astype(np.int8))
    found["load"].attrs = {"hyperparameter": "width", "long_name": "width"}
    found["temperature"].attrs = {"hyperparameter": "batch_size", "long_name": "batch size"}
    return found


def test_coverage_counts_the_cells_of_every_phase() -> None:
    found = coverage(labelled(), CRITERIA)
    lacking = found.pop("lacking")
    assert found == {
        "cells": 6,
        "per_phase": {"I": 1, "II": 1, "III": 1, "IV-A": 0, "IV-B": 2},
        "certain": {"I": 1, "II": 1, "III": 1, "IV-A": 0, "IV-B": 2},
        "near_border": 1,
        "missing": 1,
        "absent": ["IV-A"],
    }
    assert lacking == {"IV-A": "add batch size 8192 (less temperature)"}


def test_a_phase_of_uncertain_cells_is_not_covered() -> None:
    found = coverage(labelled(sure=CRITERIA.confidence - 0.01), CRITERIA)
    assert found["per_phase"]["IV-B"] == 2
    assert set(found["certain"].values()) == {0}
    assert list(found["lacking"]) == [phase.title for phase in FIVE_PHASES]
    more = CRITERIA.model_copy(update={"confident_cells": 2})
    assert list(coverage(labelled(), more)["lacking"]) == ["I", "II", "III", "IV-A"]


def test_regimes_are_covered_or_not_as_phases_are() -> None:
    found = coverage(labelled([[11, 12], [13, 13]]), RegimeCriteria(confident_cells=2))
    assert found["per_phase"] == {"under-trained": 1, "over-trained": 1, "well-trained": 2}
    assert list(found["lacking"]) == ["under-trained", "over-trained"]


@pytest.mark.parametrize(
    ("wanted", "cells", "says"),
    [
        (Phase.I, [[4, 5], [5, 5]], "add width 1 (more load)"),
        (Phase.IV_B, [[1, 1], [1, 1]], "add width 64 (less load)"),
        (Phase.II, [[1, 1], [5, 5]], "add batch size 2 (more temperature)"),
        (Phase.IV_A, [[1, 1], [5, 5]], "add batch size 128 (less temperature)"),
        (Phase.III, [[1, 2], [5, 5]], "add width 8"),  # between I and IV
        (Phase.III, [[5, 5], [5, 5]], "add width 1 (more load)"),
    ],
)
def test_the_grid_is_to_grow_to_where_a_phase_lies(
    wanted: Phase, cells: list[list[int]], says: str
) -> None:
    assert suggestion(wanted, labelled(cells)["phase"]) == says


def test_the_map_has_a_row_for_every_temperature_and_marks_borders() -> None:
    lines = text_map(labelled()).splitlines()
    assert lines[0].split() == ["width", "->"]
    assert lines[1].split() == ["batch_size", "4", "16"]
    assert [line.split() for line in lines[2:]] == [
        ["8", "I", "III*"],
        ["32", "II", "IV-B"],
        ["512", "-", "IV-B"],
    ]


def test_sensitivity_counts_the_cells_that_change() -> None:
    rows = [(0.05, -0.3, 0.9), (0.15, -0.3, 0.9), (0.01, -0.03, 0.9), (0.01, 0.0, 0.5)]
    dims = ("load", "temperature")
    names = ("train_loss", "mode_connectivity", "cka")
    data = xr.Dataset(
        {n: (dims, [[row[i]] for row in rows]) for i, n in enumerate(names)},
        coords={"load": [1, 2, 3, 4], "temperature": [8]},
    )
    found = {
        (r["threshold"], r["factor"]): r
        for r in sensitivity(classify_phases(data, CRITERIA), (0.4, 2.0))
    }
    assert len(found) == 6
    assert found["train_loss", 2.0]["changed"] == 1  # 0.15 < 0.2
    assert found["train_loss", 0.4]["changed"] == 1  # 0.05 >= 0.04
    assert found["train_loss", 0.4]["value"] == pytest.approx(0.04)
    assert found["mode_connectivity", 2.0]["changed"] == 1
    assert found["mode_connectivity", 0.4]["changed"] == 0
    assert found["cka", 2.0]["changed"] == 1  # 1 - 0.4 * 2 = 0.2 <= 0.5
    assert found["cka", 2.0]["value"] == pytest.approx(0.2)
    assert found["cka", 2.0]["per_phase"] == {"I": 1, "II": 0, "III": 2, "IV-A": 0, "IV-B": 1}
