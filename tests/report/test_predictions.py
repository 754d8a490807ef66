"""What is told from weights stands on the page, and only where a zoo has it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from phasezoo.learning.targets import target
from phasezoo.report.canvas import svg
from phasezoo.report.page import page
from phasezoo.report.predictions import INPUTS, SCORES, prediction_figure, score_lines, told
from phasezoo.report.results import ZooResults
from phasezoo.store.variables.learning import HOW, LEARNING
from phasezoo.store.variables.learning import SCORES as STORED
from phasezoo.vocabulary import EPOCH, Phase
from report.mock import EQUATION, SMALL, mock

AXES = {"left_out": ["model", "cell"], "inputs": list(INPUTS), "learner": ["ridge", "boosting"]}
OF_MODEL = ("load", "temperature", "seed", "epoch")


def learned(results: ZooResults) -> ZooResults:
    """With predictions that are right, and scores that say so; nothing is told of one model."""
    groups = {"metrics": results.metrics, "phases": results.phases}
    at = {EPOCH: [results.epoch]}
    out = xr.Dataset(coords={a: results.metrics.sel(at)[a] for a in OF_MODEL} | AXES)
    for variable in LEARNING:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        values = np.full(shape, 0.5, dtype=variable.dtype)
        if variable.name.startswith("predicted_"):
            true = target(variable.name.removeprefix("predicted_"), groups).reindex(at).fillna(-1)
            values[:] = true.values.reshape(*true.shape, 1, 1, 1)
        out[variable.name] = (variable.dims, values)
    out["predicted_test_error"][0, 0, 0] = np.nan
    spec = {**results.spec, "learning": {"epochs": [results.epoch], "folds": 5}}
    manifest = {**results.manifest, "spec": {**results.manifest["spec"], "zoo": spec}}
    return replace(results, learning=out, manifest=manifest)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("kind", [SMALL, {**EQUATION, "widths": (1, 5), "epochs": (0, 9)}])
def test_the_section_stands_on_the_page(kind: dict) -> None:
    results = learned(mock(**kind))
    text = page([results])
    assert f'id="{results.name}-predictions"' in text
    assert f'href="#{results.name}-predictions"' in text
    assert text.count("<section") == text.count("</section>")
    for words in (*SCORES.values(), *INPUTS.values()):
        assert words in text


def test_a_zoo_without_predictions_has_no_section(plain: str) -> None:
    assert "-predictions" not in plain


def test_the_same_predictions_give_the_same_picture() -> None:
    results = learned(mock(**SMALL))
    one, other = (svg(prediction_figure(results, results.learning), "same") for _ in range(2))
    assert one == other


def test_every_score_stands_in_the_table_with_its_interval() -> None:
    learning = learned(mock(**SMALL)).learning
    learning["test_error_r2"].loc[
        {"left_out": "cell", "inputs": "both", "learner": "ridge"}
    ] = -1.25
    learning["phase_accuracy"].loc[{"left_out": "cell", "inputs": "both"}] = np.nan
    lines = score_lines(learning)
    assert len(lines) == 2 * 4 * 2
    assert [line.left_out for line in lines] == ["model"] * 8 + ["cell"] * 8
    last = lines[-2]
    assert last.scores[0] == ("\N{MINUS SIGN}1.25", "[0.50, 0.50]")
    assert last.scores[2][0] == "–"


def test_checkpoints_that_were_told_are_counted() -> None:
    results = learned(mock(**SMALL))
    assert (
        told(results.learning)
        == results.learning["predicted_test_error"].isel(dict.fromkeys(HOW, 0)).notnull().sum()
    )


def test_right_predictions_lie_on_the_line_and_on_the_diagonal() -> None:
    results = learned(mock(**SMALL))
    error, gap, confusion = prediction_figure(results, results.learning).axes
    for axes in (error, gap):
        points = np.concatenate(
            [
                line.get_xydata()
                for line in axes.lines
                if len(line.get_xydata()) and line.get_marker() == "o"
            ]
        )
        assert np.allclose(points[:, 0], points[:, 1], atol=1e-4)
    counts = confusion.collections[0].get_array().reshape(5, 5)
    assert counts.sum() == np.trace(counts)
    phases = target("phase", {"metrics": results.metrics, "phases": results.phases})
    assert counts.sum() == int((phases.sel(epoch=results.epoch) >= Phase.I).sum())


def test_the_schema_has_no_score_that_the_page_leaves_out() -> None:
    assert {v.name for v in STORED if not re.search("_(low|high)$", v.name)} == set(SCORES)
