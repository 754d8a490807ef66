"""Paths carry labels that can be read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasezoo import paths
from phasezoo.vocabulary import HYPERPARAMETERS, Number


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [
        ("width", 16, "16"),
        ("batch_size", 512, "512"),
        ("learning_rate", 0.001, "0.001"),
        ("learning_rate", 1e-05, "1e-05"),
        ("learning_rate", 1, "1"),
        ("weight_decay", 5e-4, "0.0005"),
    ],
)
def test_a_label_reads_back_as_its_value(name: str, value: Number, label: str) -> None:
    meaning = HYPERPARAMETERS[name]
    assert meaning.label(value) == label
    assert meaning.parse(label) == value


def test_a_share_joins_its_labels_in_the_order_given() -> None:
    assert paths.share_label(HYPERPARAMETERS["batch_size"], (8, 512, 16)) == "8+512+16"
    assert paths.share_label(HYPERPARAMETERS["learning_rate"], (0.1, 1e-3)) == "0.1+0.001"


@pytest.mark.parametrize("numbers", [(0,), (0, 1, 2), (52, 54, 60)])
def test_numbers_read_back(numbers: tuple[int, ...]) -> None:
    assert paths.parse_numbers(paths.numbers_label(numbers)) == numbers


def test_a_family_fills_only_its_own_wildcard() -> None:
    expected = "measured/{zoo}/{loads}/{temperatures}/{blocks}/{epoch}/hessian.nc"
    assert paths.measured("hessian") == expected


def test_logs_and_benchmarks_of_a_job_differ_in_their_ending_only() -> None:
    assert paths.log("train", "zoo", "load") == "logs/train/{zoo}/{load}.log"
    assert paths.benchmark("train", "zoo", "load") == "logs/train/{zoo}/{load}.tsv"
    assert paths.log("report") == "logs/report.log"


def test_weights_lie_beside_their_manifest() -> None:
    assert paths.WEIGHTS.removesuffix(".zarr") == paths.WEIGHTS_MANIFEST.removesuffix(".json")
    assert paths.DATA.removesuffix(".zarr") == paths.DATA_MANIFEST.removesuffix(".json")
    assert paths.ZOO.removesuffix(".zarr") == paths.ZOO_MANIFEST.removesuffix(".json")


def test_no_label_holds_the_separator_of_labels() -> None:
    rate = HYPERPARAMETERS["learning_rate"]
    for value in (1e-12, 1e-5, 0.3, 7.0, 1e12, 3.5e17):
        assert "+" not in rate.label(value)
        assert rate.parse(rate.label(value)) == value


@pytest.mark.parametrize(
    ("manifest", "cells"),
    [
        ("runs/z/4/0.001/0+1/0.json", [("4", "0.001")]),
        ("runs/z/4+8/0.001/0+1/0.json", [("4", "0.001"), ("8", "0.001")]),
        ("at/runs/z/4/8+16/0+1/0.json", [("4", "8"), ("4", "16")]),
    ],
)
def test_weights_hold_the_cells_that_their_path_names(
    manifest: str, cells: list[tuple[str, str]]
) -> None:
    asked = [(load, heat) for load in ("4", "8", "48") for heat in ("0.001", "0.01", "8", "16")]
    assert [cell for cell in asked if paths.holds_cell(Path(manifest), *cell)] == cells


def test_a_cell_is_all_of_its_store_or_a_group_of_it() -> None:
    alone, shared = Path("runs/z/4/8/0+1/0.zarr"), Path("runs/z/4/8+16/0+1/0.zarr")
    assert paths.inside(alone, "4", "8") == alone
    assert paths.inside(shared, "4", "8") == shared / "4/8"
