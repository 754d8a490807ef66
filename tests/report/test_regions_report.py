"""The section of a region study says what its results say, and only where there are some."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
import xarray as xr

from phasezoo.report import region_inside as inside
from phasezoo.report import regions as report
from phasezoo.report.page import page
from phasezoo.report.region_figures import gain_figure, line_figure, similarity_figure
from phasezoo.report.region_gains import family_lines
from phasezoo.report.region_inside import BY
from phasezoo.report.regions import RegionResults
from phasezoo.store.schema import check, described
from phasezoo.store.variables.regions import REGIONS
from phasezoo.vocabulary import Status
from report.mock import SMALL, mock

MINUS = "\N{MINUS SIGN}"
AXES = {
    "start": ["start", "other_start"],
    "dataset": ["odd-0", "odd-90", "big-0"],
    "seed": np.arange(2, dtype=np.int32),
    "grouping": ["dataset", "start"],
    "clustering": ["spectral", "norm"],
    "label": ["odd-0", "odd-90", "big-0", "start", "other_start"],
    "level": ["dataset", "general"],
    "group": ["in", "in'", "ex"],
    "member": np.arange(5, dtype=np.int32),
    "comparison": ["in' before ex", "in before ex"],
    "line": np.arange(2, dtype=np.int32),
    "alpha": np.array([-31.0, 0, 0.5, 1, 32]),
    "arm": ["pre-trained", "centroid", "other"],
    "trained": ["biases", "head"],
    "samples": ["all", "100"],
    "draw": np.arange(3, dtype=np.int32),
    "families": ["odd", "big"],
}  # fmt: skip


def results() -> RegionResults:
    """Every number a half, but for what tests look at."""
    out = xr.Dataset(coords=AXES)
    for other in ("start", "dataset", "seed"):
        out = out.assign_coords({f"other_{other}": out[other].values})
    out = out.assign_coords(family=("dataset", np.array(["odd", "odd", "big"], dtype=object)))
    for variable in REGIONS:
        shape = tuple(out.sizes[dim] for dim in variable.dims)
        out[variable.name] = (variable.dims, np.full(shape, 0.5, dtype=variable.dtype))
    out["tuned_status"][:] = Status.TRAINED
    out["tuned_status"][0, 0, 1] = Status.DIVERGED
    out["label_f1"].loc[{"grouping": "start", "label": AXES["dataset"]}] = np.nan
    out["clusters_found"][:] = 3
    out["efficient_gain"].loc[{"arm": "centroid"}] = -0.015
    out["efficient_gain"].loc[{"arm": "pre-trained"}] = np.nan
    out["efficient_gain_p"].loc[{"arm": "centroid"}] = 1e-5
    out = described(out, "width", "batch_size")
    out.attrs = {
        "title": "Perceptrons asked questions", "references": "arXiv:2302.04863",
        "license": "CC BY 4.0", "architecture": "mlp", "started_from": "digits-mlp width=7",
        "first_block": "0+1", "baseline": "pre-trained",
    }  # fmt: skip
    return RegionResults("asked", out)


def test_the_mock_is_what_the_schema_declares() -> None:
    check(results().data, {v.name: v for v in REGIONS})


@pytest.mark.usefixtures("undrawn")
def test_the_article_stands_on_the_page_beside_zoos_and_alone() -> None:
    found = results()
    for text in (page([], [found]), page([mock(**SMALL)], [found])):
        assert text.count("<section") == text.count("</section>")
        assert text.count("<article") == text.count("</article>")
        assert '<a href="#asked">asked</a>' in text
        for part in ("similarity", "clusters", "inside", "centroid"):
            assert f'id="asked-{part}"' in text
        assert "Perceptrons asked questions" in text
    assert "<title>asked: regions</title>" in page([], [found])


def test_a_report_of_zoos_alone_is_as_it_was(plain: str) -> None:
    assert "Regions" not in plain  # and the same to the byte: tests/report/test_page.py


def test_models_are_counted_by_what_became_of_them() -> None:
    view = report.region_view(results())
    assert view["models"] == {"never_trained": 0, "trained": 11, "diverged": 1}
    assert view["families"] == {"odd": ["odd-0", "odd-90"], "big": ["big-0"]}


def test_mean_cosines_are_of_pairs_of_other_models() -> None:
    """Blocks of known cosines: 0.9 in a data set, 0.4 in a family, -0.2 beyond, 1 with itself."""
    data = results().data
    family = data["family"].values
    for a, one in enumerate(data["dataset"].values):
        for b, other in enumerate(data["dataset"].values):
            same = 0.9 if a == b else 0.4 if family[a] == family[b] else -0.2
            block = np.full((2, 2), same)
            if a == b:
                np.fill_diagonal(block, 1)
            at = {"start": "start", "other_start": "start", "dataset": one, "other_dataset": other}
            data["task_vector_cosine"].loc[at] = block
    found = report.mean_cosines(data)
    assert list(found.values()) == pytest.approx([0.9, 0.4, -0.2])
    assert f"another family: {MINUS}0.20" in report.says_similar(data)


def test_every_score_of_clusters_stands_in_its_table() -> None:
    lines = report.clustering_lines(results().data)
    assert len(lines) == 2 * 2
    assert [line["labels"] for line in lines] == [5, 5, 2, 2]
    assert lines[0]["scores"][0] == report.Score("50.0", "[50.0, 50.0]", "chance: up to 50.0")
    assert lines[0]["scores"][2].value == "0.50"


def test_a_grouping_without_clusters_has_no_line() -> None:
    data = results().data
    data["clusters_found"].loc[{"grouping": "start"}] = np.nan
    assert {line["grouping"] for line in report.clustering_lines(data)} == {"dataset"}


def test_gains_are_percentage_points_with_their_sign_and_tests() -> None:
    data = results().data
    lines = report.gain_lines(data)
    assert len(lines) == 3 * 2 * 2 * 2
    (line,) = [
        ln for ln in lines
        if (ln["dataset"], ln["samples"], ln["trained"], ln["arm"])
        == ("big-0", "100", "head alone", "centroid")
    ]  # fmt: skip
    assert line["gain"].value == f"{MINUS}1.50"
    assert (line["p"], line["p_holm"]) == ("< 0.001", "0.500")
    assert (line["before"], line["after"]) == ("50.0", "50.0")
    assert {ln["arm"] for ln in lines} == {"centroid", "other"}


def test_inside_and_outside_have_a_cell_for_each_comparison() -> None:
    data = results().data
    at = {"level": "general", "comparison": "in before ex"}
    data["mean_better_probability"].loc[at] = np.nan
    data["mean_better_probability_error"].loc[at] = 0.25
    lines = dict(inside.inside_lines(data))
    assert inside.comparison_titles(data) == list(product(AXES["comparison"], BY.values()))
    assert [score.value for score in lines["general"]] == ["0.50", "0.50", "–", "0.25"]
    assert [score.value for score in lines["dataset"]] == ["0.50"] * 4
    data["better_probability_error"].loc[at | {"dataset": "big-0"}] = 0.75
    found = {line[:2]: line[2] for line in inside.inside_per_dataset(data)}
    assert len(found) == 3 * 2
    assert [score.value for score in found["big-0", "general"]] == ["0.50"] * 3 + ["0.75"]


def test_the_start_stands_beside_knowing_nothing() -> None:
    data = results().data
    data["uniform_loss"].loc[{"dataset": "big-0"}] = np.log(5)
    data["start_probe_error"].loc[{"dataset": "big-0"}] = 0.125
    lines = dict(inside.start_lines(data))
    assert lines["big-0"] == ["0.500", "1.609", "12.5", "80.0"]
    assert inside.level_of_nothing(data) is None


def test_one_level_of_knowing_nothing_is_a_dotted_line_and_several_are_none() -> None:
    data = results().data
    data["uniform_loss"][:] = 0.7
    assert inside.level_of_nothing(data) == pytest.approx(1.4)
    assert dotted(data) == [pytest.approx([1.4, 1.4])] * 2
    assert "Dotted: knowing nothing" in page([], [RegionResults("asked", data)])
    data["uniform_loss"][0] = 0.9
    assert dotted(data) == []
    data["uniform_loss"][:] = np.nan
    assert inside.level_of_nothing(data) is None


def dotted(data: xr.Dataset) -> list[list[float]]:
    lines = [line for axes in line_figure(data).axes for line in axes.lines]
    return [line.get_ydata() for line in lines if line.get_linestyle() == ":"]


def test_gains_stand_by_family() -> None:
    data = results().data
    data["uniform_loss"][0] = 0.9
    at = {"families": "big", "arm": "centroid", "trained": "head", "samples": "100"}
    data["family_gain"].loc[at] = -0.02
    (line,) = [
        ln for ln in family_lines(data)
        if (ln["samples"], ln["trained"], ln["arm"]) == ("100", "head alone", "centroid")
    ]  # fmt: skip
    assert line["gains"] == ["+50.00", f"{MINUS}2.00"]
    text = page([], [RegionResults("asked", data)])
    assert f"<td>{MINUS}2.00</td>" in text
    assert "Dotted" not in text


def test_the_figure_of_gains_marks_each_data_set_and_all() -> None:
    data = results().data
    figure = gain_figure(data, report.arms_of(data))
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert len(panels) == 2 * 2
    for axes in panels:
        marked = [line for line in axes.lines if len(line.get_xdata()) == 3 + 1]
        assert [line.get_label() for line in marked] == ["centroid", "other"]
        assert marked[0].get_xdata()[:3] == pytest.approx([-1.5] * 3)
        assert axes.get_yticklabels()[-1].get_text() == "all"


def test_the_matrix_has_a_row_for_every_model_of_every_start() -> None:
    axes = similarity_figure(results().data).axes[0]
    assert axes.collections[0].get_array().size == (2 * 3 * 2) ** 2
    assert len(axes.get_xticklabels()) == 2 * 3


def test_lines_are_drawn_between_and_beyond() -> None:
    inner, outer = line_figure(results().data).axes[:2]
    longest = [max(len(line.get_xdata()) for line in axes.lines) for axes in (inner, outer)]
    assert longest == [3, 5]


def test_the_same_results_give_the_same_page() -> None:
    assert page([], [results()]) == page([], [results()])


def test_the_schema_has_no_score_of_clusters_that_the_page_leaves_out() -> None:
    stored = {v.name for v in REGIONS if v.dims == ("grouping", "clustering")}
    plain = {n for n in stored if not re.search("_(low|high|chance|chance_high|p)$", n)}
    assert plain - {"clusters_found"} == set(report.SCORES)


def test_an_arm_that_nobody_could_tune_is_left_out() -> None:
    data = results().data
    data["efficient_gain"].loc[{"arm": "other"}] = np.nan
    assert report.arms_of(data) == ["centroid"]
