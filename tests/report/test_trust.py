"""Thresholds, what is lacking and the sensitivity, in words, against counts made here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from phasezoo.report import trust
from phasezoo.report.counts import covered
from phasezoo.report.labelling import Labelling
from phasezoo.report.words import WORDS
from phasezoo.vocabulary import FIVE_PHASES, Phase
from report.mock import REGIMES, SMALL, labelling_of, mock, relabelled, remade

RESULTS = mock()
ORDER = ("train_loss", "mode_connectivity", "cka")


def labels_at(at: dict[str, float]) -> np.ndarray:
    """Labels of the mock [load, batch size] by the table of phases, cell by cell."""
    found = RESULTS.labels
    loss, connectivity, cka = (found[f"{n}_of_cell"].values for n in ORDER)
    labels = np.zeros(loss.shape, dtype=int)
    for cell in np.ndindex(loss.shape):
        low = loss[cell] < at["train_loss"]
        connected = connectivity[cell] >= -at["mode_connectivity"]
        labels[cell] = 4 if low and connected else 3 if low else 2 if connected else 1
    for load, of_load in enumerate(labels):
        four = np.flatnonzero(of_load == 4)
        for batch in four:  # the batch sizes grow, and hotter ones stand before
            peak = max(four, key=lambda b: cka[load, b])
            similar = cka[load, batch if batch >= peak else peak] >= at["cka"]
            labels[load, batch] = 5 if similar else 4
    return labels


@pytest.mark.parametrize("metric", ORDER)
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_sensitivity_is_that_of_the_table_of_phases(metric, factor):
    old = RESULTS.thresholds[metric]
    value = 1 - (1 - old) * factor if metric == "cka" else old * factor
    before, after = labels_at(RESULTS.thresholds), labels_at(RESULTS.thresholds | {metric: value})
    line = _line(metric, factor)
    assert line.words == WORDS[metric].value(value)
    assert line.changed == (before != after).sum()
    assert line.counts == [(after == phase).sum() for phase in FIVE_PHASES]


def test_some_thresholds_move_labels_and_some_do_not():
    moved = {row.changed > 0 for row in RESULTS.coverage.sensitivity}
    assert moved == {True, False}


def _line(metric: str, factor: float) -> trust.Change:
    """A line of the table as shown."""
    lines = trust.changes(RESULTS.coverage, RESULTS.labelling.scheme)
    (line,) = [c for c in lines if (c.title, c.factor) == (WORDS[metric].title, f"× {factor:g}")]
    return line


def test_the_first_line_of_the_sensitivity_is_the_labels_as_they_are():
    first, *others = trust.changes(RESULTS.coverage, RESULTS.labelling.scheme)
    phase = RESULTS.phase.values
    assert first.counts == [(phase == label).sum() for label in FIVE_PHASES]
    assert (first.title, first.changed) == ("as labelled", 0)
    assert len(others) == 3 * 2  # thresholds, factors
    assert all(sum(c.counts) == sum(first.counts) for c in others)


def test_counts_stand_in_the_order_of_the_scheme():
    results = mock(criteria=REGIMES)
    first = trust.changes(results.coverage, results.labelling.scheme)[0]
    phase = results.phase.values
    expected = (Phase.UNDER_TRAINED, Phase.OVER_TRAINED, Phase.WELL_TRAINED)
    assert first.counts == [(phase == label).sum() for label in expected]
    assert len(set(first.counts)) == 3


def test_the_threshold_on_which_most_hangs_is_named():
    rows = [replace(RESULTS.coverage.sensitivity[0], changed=0) for _ in range(2)]
    still = replace(RESULTS.coverage, sensitivity=rows)
    assert trust.most_moving(still) == "None of these moves changes a label."
    one = replace(rows[0], threshold="cka", factor=0.5, changed=7)
    moving = replace(RESULTS.coverage, sensitivity=[*rows, one])
    assert "CKA: × 0.5 changes 7 of 42 cells" in trust.most_moving(moving)


def test_what_is_lacking_says_how_much_and_what_to_add():
    sure = remade(relabelled(mock(**SMALL), Phase.IV_B), confidence=1.0)
    sentences = trust.lacking(sure.coverage, sure.labelling)
    assert [s.partition(" (")[0] for s in sentences] == [
        f"Too few certain cells of {p}" for p in ("I", "II", "III", "IV-A")
    ]
    (cold,) = [s for s in sentences if "IV-A" in s]
    assert cold.endswith("IV-A (0, where 2 are needed): add batch size 1024 (less temperature).")


def test_nothing_is_lacking_where_every_phase_has_certain_cells():
    full = {p.title: 3 for p in FIVE_PHASES}
    whole = replace(RESULTS.coverage, certain=full, lacking={})
    assert trust.lacking(whole, RESULTS.labelling) == []


def test_thresholds_have_their_units_and_say_how_they_were_come_by():
    found = trust.thresholds(RESULTS.labelling)
    assert tuple(found) == ORDER
    assert found["mode_connectivity"].words == "1.5 percentage points"
    assert found["mode_connectivity"].number == "0.015"
    assert {t.how for t in found.values()} == {"given"}
    criteria = REGIMES.model_copy(update={"train_loss": "calibrated"})
    other = trust.thresholds(mock(criteria=criteria).labelling)
    assert "calibrated" in other["train_loss"].how
    assert other["test_error"].words == "3.5 %"


def test_one_is_not_many():
    assert WORDS["mode_connectivity"].value(0.01) == "1 percentage point"


def test_likenesses_are_those_of_the_scheme():
    assert trust.likenesses(RESULTS.labelling.scheme) == ["CKA"]
    assert trust.likenesses(mock(criteria=REGIMES).labelling.scheme) == []


def test_certain_dissenting_and_near_are_counted_in_their_phase():
    results = remade(RESULTS, confidence=1.0, near_border=1, dissenting_models=2)
    rows = covered(results)
    assert [row.title for row in rows] == ["I", "II", "III", "IV-A", "IV-B", "missing"]
    assert sum(row.cells for row in rows) == results.phase.size
    for row in rows:
        assert row.near_border == row.cells
        assert row.dissenting == 2 * row.cells
        assert row.certain == (0 if row.title == "missing" else row.cells)
    unsure = covered(remade(RESULTS, confidence=0.5))
    assert [row.certain for row in unsure] == [0] * 6


def test_the_rows_say_what_the_step_counted():
    for row in covered(RESULTS)[:-1]:
        assert row.certain == RESULTS.coverage.certain[row.title]
        assert row.cells == RESULTS.coverage.per_phase[row.title]


def test_a_labelling_with_a_part_missing_is_refused():
    told = {"criteria": {"scheme": "phases"}, "thresholds": {}, "notes": []}
    with pytest.raises(ValidationError, match="epochs"):
        Labelling.of(told)


def test_criteria_are_read_as_those_of_their_scheme():
    results = mock(criteria=REGIMES)
    assert results.labelling.criteria == REGIMES
    assert labelling_of(results.phases, REGIMES) == results.labelling
