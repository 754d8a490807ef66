"""The section on merging says what the results hold, and nothing where they do not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import xarray as xr
from scipy.stats import ttest_1samp, ttest_rel

from phasezoo.report.arms import ALIGNED, BESIDE, CORRECTED
from phasezoo.report.canvas import svg
from phasezoo.report.colours import BESIDE as LEVELS
from phasezoo.report.colours import WAYS
from phasezoo.report.markdown import markdown
from phasezoo.report.merging import across, beside, calibration, over_epochs, paths, widths
from phasezoo.report.merging.entries import labels_of
from phasezoo.report.merging.measures import MIDDLE, TRAIN, barriers, epochs_of, measured
from phasezoo.report.merging.section import across_parts, merging_parts
from phasezoo.report.page import page
from phasezoo.spec.merging import Correction, Way
from report import merged
from report.mock import SMALL, emptied, mock

AT = {"alignment": "weights", "correction": "repair"}


@pytest.fixture(scope="module")
def results():
    return merged.widths()


@pytest.fixture(scope="module")
def judged():
    return merged.judged(merged.SEEN)


@pytest.fixture(scope="module")
def parts(judged):
    return {part.slug: part for part in merging_parts(judged)}


def test_every_way_and_correction_has_a_name_a_colour_and_a_marker():
    assert set(get_args(Way)) <= set(ALIGNED)
    assert set(get_args(Way)) <= set(WAYS)
    assert set(get_args(Correction)) == set(CORRECTED)
    assert set(BESIDE) == set(LEVELS)
    for looks in (WAYS, LEVELS):
        for part in zip(*looks.values(), strict=True):
            assert len(set(map(str, part))) == len(looks)  # told apart by either alone


def test_barriers_are_those_of_a_parabola_between_its_ends(results):
    found = barriers(results.merging)
    height = merged.heights(results.merging)
    # on five points the top lies at 1/2, or beside it where the line beneath rises faster
    t = np.linspace(0, 1, 5)
    slope = np.expand_dims(height.values, -1) * 4 * t * (1 - t) + 0.02 * (t - 0.5)
    assert found[TRAIN].transpose(*height.dims).values == pytest.approx(slope.max(-1), abs=1e-6)
    excess = found[MIDDLE].transpose(*height.dims).values
    assert excess == pytest.approx(100 * 0.1 * height.values, abs=1e-4)


def test_a_zoo_without_arms_has_two_of_them():
    merging = mock(**SMALL).merging
    found = barriers(merging)
    assert found["alignment"].values.tolist() == ["none", "weights"]
    aligned = found[TRAIN].sel(alignment="weights", correction="reset")
    assert np.array_equal(aligned.values, merging["barrier_aligned"].values)
    assert list(measured(found, "nats")) == [TRAIN, MIDDLE]
    slugs = [part.slug for part in merging_parts(mock(**SMALL))]
    assert slugs == ["loads", "epochs"]


def test_the_table_against_the_load_has_the_interval_of_independent_pairs(results):
    found = barriers(results.at_epoch("merging"))
    panels = measured(found, "nats")
    table = widths.load_tables(widths.against_load(found, list(panels)), panels)[0]
    values = found[TRAIN].sel(load=16, **AT).values.ravel()
    low, high = ttest_1samp(values, 0).confidence_interval(0.95)
    entry = dict(table.lines)["weight matching, REPAIR"][1]
    assert float(entry.mean) == pytest.approx(values.mean(), rel=5e-3)
    ends = [float(end) for end in re.findall(r"[\d.]+", entry.interval)]
    assert ends == pytest.approx([max(low, 0), high], rel=5e-3)
    assert [head[0] for head in table.columns] == ["width 4", "width 16"]
    assert {head[2] for head in table.columns} == {"3 pairs of 6 models"}


def test_wide_grids_are_cut_into_tables_that_fit():
    found = barriers(merged.widths(widths=(1, 2, 3, 4, 5, 6, 7, 8, 9)).at_epoch("merging"))
    panels = {TRAIN: measured(found, "nats")[TRAIN]}
    tables = widths.load_tables(widths.against_load(found, [TRAIN]), panels)
    assert [len(table.columns) for table in tables] == [8, 1]


def test_the_figure_against_the_load_has_a_line_per_way_in_every_panel(results):
    found = barriers(results.at_epoch("merging"))
    panels = measured(found, "nats")
    means = widths.against_load(found, list(panels))
    figure = widths.load_figure(means, panels)
    assert len(figure.axes) == len(panels) * len(merged.CORRECTIONS)
    for axes in figure.axes:
        assert len(axes.containers) == len(merged.WAYS)  # lines with error bars
        assert axes.get_xlabel() == "width"
        assert axes.get_ylabel()
    drawn = figure.axes[0].containers[0].lines[0].get_ydata()
    assert drawn == pytest.approx(means[TRAIN]["mean"].sel(alignment="none", correction="kept"))


def test_epochs_without_any_value_are_left_out(results):
    found = barriers(results.merging)
    nothing = found.isel(epoch=[0]).assign_coords(epoch=[30]) * np.nan
    holes = xr.concat([found, nothing], "epoch")
    assert list(epochs_of(holes)) == [0, 60]
    means = over_epochs.against_epoch(holes)
    assert means["epoch"].values.tolist() == [0, 60]
    table = over_epochs.epoch_table(means, measured(found, "nats")[TRAIN])
    assert len(table.lines) == 2 * len(merged.WAYS) * len(merged.CORRECTIONS)


def test_a_zoo_merged_at_one_epoch_has_no_such_figure(results):
    late = replace(results, merging=results.merging.sel(epoch=[60]))
    assert "epochs" not in {part.slug for part in merging_parts(late)}


def test_every_part_stands_where_the_results_hold_it(parts):
    assert list(parts) == ["loads", "epochs", "beside", "soups", "arms"]
    assert len(parts["beside"].figures) == len(merged.CORRECTIONS)
    assert len(parts["soups"].figures) == len(merged.CORRECTIONS)
    assert "80 % of the samples of the later half" in parts["beside"].says
    assert "no model is in two of the pairs" in parts["beside"].says
    assert "the two models of a block that saw parts" in parts["soups"].says


def test_results_without_values_have_no_part():
    assert merging_parts(replace(mock(**SMALL), merging=None)) == []
    names = ("barrier_naive", "barrier_aligned", "midpoint_error_naive", "midpoint_error_aligned")
    assert merging_parts(emptied(mock(**SMALL), "merging", *names)) == []


def test_merges_are_set_against_the_baseline_to_beat_pair_by_pair(judged, parts):
    data = judged.at_epoch("merging").sel(load=16, outputs="test").isel(temperature=0)
    merge = 100 * data["judged_midpoint_error"].sel(AT).values.astype(float)
    told = 100 * data["judged_pair_baseline_error"].sel(baseline="with_prior").values.astype(float)
    table = parts["beside"].tables[1]
    title, *_ = table.columns[-1]
    assert title == "Test error minus that of models alone, told how often classes come"
    entry = dict(table.lines)["weight matching, REPAIR"][-1]
    low, high = ttest_rel(merge, told).confidence_interval(0.95)
    written = [float(v.replace("−", "-")) for v in re.findall(r"[\d.−+]+", entry.interval)]
    assert written == pytest.approx([max(low, -100), high], abs=6e-3)  # errors differ by no more
    assert dict(table.lines)["models alone, told how often classes come"][-1].mean == "+0.00"
    assert [name for name, _ in table.lines[:5]] == list(BESIDE.values())


def test_where_all_saw_the_same_merges_are_set_against_models_alone():
    data = merged.judged().at_epoch("merging")
    same = data.sel(baseline=["single", "ensemble"])
    assert beside.reference(same) == "single"


def test_top_5_errors_of_few_classes_have_no_column(judged):
    data = judged.at_epoch("merging")
    few = data.assign(judged_midpoint_top5_error=data["judged_midpoint_top5_error"] * np.nan)
    for found, there in ((data, True), (few, False)):
        heads = [head[0] for head in beside.beside_tables(found, beside.PAIRS, "nats")[0].columns]
        assert ("Top-5 error" in heads) is there


def test_levels_of_the_paths_are_the_baselines(judged):
    (_, figure), *others = paths.path_figures(judged.at_epoch("merging"), "nats")
    assert len(others) == len(merged.CORRECTIONS) - 1
    levels = [line for line in figure.axes[0].lines if len(set(line.get_ydata())) == 1]
    data = judged.at_epoch("merging").sortby("load").isel(load=0)
    means = 100 * data["judged_pair_baseline_error"].sel(outputs="test").mean(
        [d for d in data["judged_pair_baseline_error"].dims if d not in ("baseline", "outputs")]
    )
    expected = [float(means.sel(baseline=name)) for name in BESIDE]
    assert [line.get_ydata()[0] for line in levels] == pytest.approx(expected, rel=1e-5)
    assert len(figure.legends[0].get_texts()) == len(merged.WAYS) + len(BESIDE)


def test_bins_of_several_blocks_are_joined_sample_by_sample():
    count = np.array([[10.0, 0.0], [30.0, 5.0]])
    data = xr.Dataset(
        {
            "soup_bin_count": (("block", "bin"), count),
            "soup_bin_confidence": (("block", "bin"), [[0.2, np.nan], [0.4, 0.9]]),
            "soup_bin_accuracy": (("block", "bin"), [[0.1, np.nan], [0.5, 0.8]]),
        }
    )
    total, confidence, accuracy = calibration.curve(data, "soup")
    assert total.tolist() == [40, 5]
    assert confidence == pytest.approx([(10 * 0.2 + 30 * 0.4) / 40, 0.9])
    assert accuracy == pytest.approx([(10 * 0.1 + 30 * 0.5) / 40, 0.8])


def test_without_curves_there_is_no_diagram(judged):
    data = judged.at_epoch("merging")
    assert calibration.has_curves(data)
    without = judged.merging.drop_dims("bin")
    assert not calibration.has_curves(replace(judged, merging=without).at_epoch("merging"))


def test_legends_of_the_diagram_have_the_calibration_errors(judged):
    data = judged.at_epoch("merging")
    (_, figure), *_ = calibration.reliability_figures(data)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    stored = data["judged_baseline_calibration_error"].sel(
        baseline="ensemble", outputs="test", load=4
    )
    assert texts[-1] == f"ensemble of outputs: {100 * float(stored.mean()):.1f} %"
    assert len(texts) == len(merged.WAYS) + 2


def test_tables_per_phase_count_pairs_and_models(judged, parts):
    table = parts["arms"].tables[0]
    first = judged.phase.values[judged.phase.values > 0].min()
    cells = int((judged.phase == first).sum())
    counted = f"{3 * cells} pairs of {6 * cells} models, {cells} cell{'s' * (cells != 1)}"
    assert table.columns[0][2] == counted
    assert [t.caption.split(" (")[0] for t in parts["arms"].folded] == [
        "Midpoint, test loss after temperature scaling",
        "Gain of the uniform soup of seeds",
        "Gain of the greedy soup of seeds",
        "Gain of averaging late checkpoints",
    ]
    (soups,) = (t for t in parts["arms"].folded if "uniform" in t.caption)
    assert soups.columns[0][2].startswith(f"{3 * cells} blocks, ")


def test_zoos_are_compared_at_the_loads_and_temperatures_that_they_share(results):
    other = merged.widths("digits-mlp-adam", widths=(16, 64, 256), batch_sizes=(32, 64))
    third = merged.widths("digits-mlp-lone", widths=(512,))
    (of,) = across.kin([results, other, third])
    assert [zoo.name for zoo in of.zoos] == ["digits-mlp-widths", "digits-mlp-adam"]
    assert labels_of(of.loads) == ["16"]
    found = across.barriers_across(of)["digits-mlp-adam"]
    expected = other.at_epoch("merging")["barrier_naive"].sel(load=16, temperature=64).mean()
    assert float(found["mean"].sel(side="barrier_naive", load=16)) == pytest.approx(float(expected))


def test_zoos_whose_models_saw_different_parts_are_not_compared(results):
    assert across_parts([results, merged.judged(merged.SEEN)]) == []
    assert across_parts([results]) == []


@pytest.mark.usefixtures("undrawn")
def test_the_page_has_every_part_once_and_compares_zoos(results):
    lean = [replace(zoo, transfer=None) for zoo in (results, merged.widths("digits-mlp-adam"))]
    text = page(lean)
    ids = re.findall(r'id="([^"]+)"', re.sub(r'svg\+xml,[^"]*', "", text))
    assert len(ids) == len(set(ids))
    for slug in ("loads", "epochs", "arms"):
        assert f"{results.name}-merging-{slug}" in ids
    assert f"{results.name}-merging-beside" not in ids  # nothing was judged
    assert 'href="#merging-across-zoos"' in text
    assert "How they were trained" in text


def test_the_same_results_give_the_same_pictures(judged):
    data = judged.at_epoch("merging")
    one, other = (
        [svg(figure, "same") for _, figure in paths.path_figures(data, "nats")] for _ in range(2)
    )
    assert one == other


def test_tables_can_be_had_as_markdown(parts):
    table = parts["loads"].tables[0]
    head, rule, *lines = markdown(table).splitlines()
    assert head == "| aligned, corrected | width 4 | width 16 |"
    assert rule == "|---|---|---|"
    assert len(lines) == len(table.lines)
    name, entries = table.lines[0]
    assert lines[0].startswith(f"| {name} | {entries[0].mean} {entries[0].interval} |")
