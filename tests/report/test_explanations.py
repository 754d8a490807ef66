"""What phases explain stands on the page, and only where it was told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phasezoo.phases.beyond import beyond
from phasezoo.report.canvas import svg
from phasezoo.report.explanations import (
    COLUMNS,
    TITLES,
    explained_figure,
    holm,
    least_chance,
    lines,
)
from phasezoo.report.page import page
from phasezoo.report.results import ZooResults
from report.mock import CRITERIA, mock


@pytest.fixture(scope="module")
def results() -> ZooResults:
    found = mock(widths=(4, 8, 16), batch_sizes=(8, 16, 32, 64), epochs=(0, 9))
    groups = {name: getattr(found, name) for name in ("metrics", "merging", "transfer")}
    return replace(found, explained=beyond(groups, found.phases["phase"], CRITERIA))


@pytest.mark.usefixtures("undrawn")
def test_the_section_stands_on_the_page(results: ZooResults) -> None:
    text = page([results])
    assert f'id="{results.name}-explained"' in text
    assert text.count("<section") == text.count("</section>")
    for words in (*(title for title, _ in COLUMNS), TITLES["transfer_gain"]):
        assert words in text


def test_a_zoo_without_has_no_section(plain: str) -> None:
    assert "-explained" not in plain


@pytest.mark.usefixtures("undrawn")
def test_where_the_position_explains_all_there_is_no_section(results: ZooResults) -> None:
    assert results.explained is not None
    nothing = results.explained.assign(
        phase_beyond=results.explained["phase_beyond"] * float("nan")
    )
    assert "-explained" not in page([replace(results, explained=nothing)])


def test_each_quantity_has_a_line_for_either_idea_of_the_position(results: ZooResults) -> None:
    explained = results.explained
    assert explained is not None
    found = lines(explained)
    assert len(found) == 2 * explained.sizes["quantity"]
    first = float(explained["position_r2"][0, 0])
    assert found[0].numbers[2][0] == f"{first:.2f}"
    assert "cells" in found[0].basis


def test_a_line_says_whose_labels_judge(results: ZooResults) -> None:
    assert results.explained is not None
    found = {line.title: line.basis for line in lines(results.explained)}
    assert found[TITLES["test_error"]].endswith("labels by other seeds")
    assert found[TITLES["barrier_naive"]].endswith("labels by the same seeds")


def test_shares_are_corrected_as_if_all_were_asked_in_turn() -> None:
    """Four are known: 0.01 x 4, 0.02 x 3, then 0.025 x 2 < 0.06, and 0.9."""
    shares = np.array([0.025, np.nan, 0.01, 0.9, 0.02])
    assert holm(shares) == pytest.approx([0.06, np.nan, 0.04, 0.9, 0.06], nan_ok=True)
    assert holm(np.full(3, 0.5)) == pytest.approx(1.0)


def test_it_is_said_how_small_a_share_can_be(results: ZooResults) -> None:
    assert results.explained is not None
    told = results.explained.assign(
        phase_maps=results.explained["phase_maps"] * 0 + 11,
        phase_chance=results.explained["phase_chance"] * 0 + 0.5,
    )
    assert "smallest share is 0.091" in least_chance(told)
    assert "it cannot be 0.05" in least_chance(told)
    assert "cannot" not in least_chance(told.assign(phase_maps=told["phase_maps"] * 2))


def test_the_same_numbers_give_the_same_picture(results: ZooResults) -> None:
    assert results.explained is not None
    drawn = {svg(explained_figure(results.explained), "a") for _ in range(2)}
    assert len(drawn) == 1
