"""What the page says of every use, and only of those that a zoo asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from phasezoo.report.page import page
from phasezoo.report.results import ZooResults
from phasezoo.report.uses import shown_of, told_of, uses_of
from phasezoo.store import schema
from phasezoo.store.variables import VARIABLES
from phasezoo.vocabulary import Phase
from report.mock import SMALL, mock

AXES: dict[str, list] = {
    "corruption": ["blur", "gaussian_noise"],
    "severity": [1, 2],
    "scope": ["global", "layer"],
    "sparsity": [0.5, 0.9],
    "average": ["probabilities", "logits"],
}
SPEC = {
    "new_task": {"dataset": "letters", "head": "fresh"},
    "robustness": {"shifted": "digits-rotated", "foreign": None},
    "pruning": {"retrain_epochs": 5},
    "ensembling": {"epochs": [60]},
}


def with_uses(*names: str) -> ZooResults:
    """Results of a small zoo, of which some uses are known."""
    results = mock(**SMALL)
    assert results.transfer is not None
    data, rng = results.transfer.assign_coords(AXES), np.random.default_rng(3)
    for name in names:
        for variable in schema.family_variables(name).values():
            shape = [data.sizes[dim] for dim in variable.dims]
            values = (variable.dims, rng.uniform(0.1, 0.6, shape).astype("float32"))
            data = data.assign({variable.name: values})
    unknown = [v for v in data if VARIABLES[str(v)].family not in ("transfer", *names)]
    spec = results.spec | {name: SPEC[name] for name in names}
    manifest = results.manifest | {"spec": results.manifest["spec"] | {"zoo": spec}}
    return replace(results, transfer=data.drop_vars(unknown), manifest=manifest)


@pytest.fixture(scope="module")
def results() -> ZooResults:
    return with_uses(*SPEC)


def number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def test_uses_that_nobody_asked_for_are_not_shown() -> None:
    assert told_of(mock(**SMALL)) == []
    some = with_uses("pruning")
    assert [use.key for use in uses_of(some)] == ["pruning"]
    assert [panel.title for panel in shown_of(some)] == ["Pruned and retrained: gain"]


@pytest.fixture(scope="module")
def text(results: ZooResults) -> str:
    """The page of a zoo that has uses, and no transfer."""
    spec = results.manifest["spec"] | {"zoo": results.spec | {"transfer": None}}
    return page([replace(results, manifest=results.manifest | {"spec": spec})])


def test_a_zoo_may_have_uses_and_no_transfer(text: str) -> None:
    assert "is fine-tuned on" not in text
    assert text.count("<h3>") == 4


def test_every_use_has_its_table_per_phase_with_numbers_of_what_it_rests_on(
    results: ZooResults, text: str
) -> None:
    told = told_of(results)
    assert [use.title for use in told] == ["New task", "Disturbed images", "Pruning", "Ensembles"]
    for use in told:
        assert f"<h3>{use.title}</h3>" in text
        assert use.tables[0].caption == f"{use.title} per phase"
        cells = sum(int(line[1][0].basis.split(", ")[1].split()[0]) for line in use.tables[0].lines)
        assert cells == 6
        assert all(
            entry.interval for group, entries in use.tables[0].lines[:0] for entry in entries
        )
    counted = {title: what for title, _, what in told[3].tables[0].columns}
    assert counted["Mean probability"] == "blocks"
    assert counted["Disagreement of two seeds"] == "pairs"


def test_columns_are_means_of_what_is_stored(results: ZooResults) -> None:
    data = results.at_epoch("transfer")
    (_, *columns), phase = told_of(results), results.phase
    robust, pruned, together = columns
    first = robust.tables[0].lines[0][0]
    names = [title for title, *_ in robust.tables[0].columns]
    here = phase == next(p for p in np.unique(phase) if _title(p) == first)
    kept = (1 - data["mean_corruption_error"]).mean("seed") / (1 - data["clean_error"]).mean("seed")
    got = robust.tables[0].lines[0][1][names.index("Accuracy kept")].mean
    assert number(got) == pytest.approx(100 * kept.where(here).mean().item(), abs=0.006)
    best = data["ensemble_best_error"] - data["ensemble_error"].sel(average="probabilities")
    names = [title for title, *_ in together.tables[0].columns]
    got = together.tables[0].lines[0][1][names.index("Ensemble vs best of its models")].mean
    assert number(got) == pytest.approx(100 * best.where(here).mean().item(), abs=0.006)
    assert len(pruned.tables) == 2


def _title(code: int) -> str:
    return Phase(int(code)).title


def test_every_corruption_and_every_way_of_pruning_has_its_line(results: ZooResults) -> None:
    _, robust, pruned, _ = told_of(results)
    data = results.at_epoch("transfer")
    lost = data["clean_error"] - data["corruption_error"]
    assert [line[0] for line in robust.tables[1].lines] == ["blur", "gaussian noise"]
    for name, entries in robust.tables[1].lines:
        for place, entry in zip((1, 2), entries, strict=True):
            mean = lost.sel(corruption=name.replace(" ", "_"), severity=place).mean().item()
            assert number(entry.mean) == pytest.approx(100 * mean, abs=0.006)
            assert entry.interval
    lines = [line[0] for line in pruned.tables[1].lines]
    assert lines == [f"{s}, {x}" for s in ("all of the model", "each layer") for x in (0.5, 0.9)]
    mean = data["retrained_error"].sel(scope="layer", sparsity=0.9).mean().item()
    assert number(pruned.tables[1].lines[3][1][2].mean) == pytest.approx(100 * mean, abs=0.006)


def test_every_number_over_the_grid_is_counted(results: ZooResults, text: str) -> None:
    for panel in shown_of(results):
        assert f'<th scope="row">{panel.title}</th>' in text


def test_missing_values_are_no_numbers(results: ZooResults) -> None:
    assert results.transfer is not None
    empty = xr.full_like(results.transfer["new_task_gain"], np.nan)
    told = told_of(replace(results, transfer=results.transfer.assign(new_task_gain=empty)))
    names = [title for title, *_ in told[0].tables[0].columns]
    column = names.index("New task: gain")
    assert {line[1][column].mean for line in told[0].tables[0].lines} == {"–"}
