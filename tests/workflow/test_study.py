"""The tiny study, made for real."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
import xarray as xr

from workflow.project import REPOSITORY, Project

pytestmark = [pytest.mark.workflow]


def test_every_artefact_is_as_its_manifest_says(finished: Project):
    done = finished.run("phasezoo", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    stores, files = (
        2 + 4 + 1,
        6 + 3 + 2 + 1 + 2,
    )  # data sets, cells, zoo; measured, joined, labels, explained, report
    counts = "0 missing, 0 altered, 0 leftover, 0 orphaned"
    assert done.stdout == f"{stores + files} artefacts checked: {counts}\n"


def test_an_altered_shard_is_found(finished: Project):
    shard = next((finished.root / "zoos/tiny.zarr/weights/7/parameters/c").rglob("0/0/0/0"))
    whole = shard.read_bytes()
    try:
        shard.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        done = finished.run("phasezoo", "verify")
    finally:
        shard.write_bytes(whole)
    assert done.returncode == 1
    assert "zoos/tiny.zarr: altered" in done.stdout
    assert "2 altered" in done.stdout  # a published shard is the training job's own file


def test_plain_xarray_reads_the_zoo_without_this_package(finished: Project):
    code = (
        "import sys; sys.modules['phasezoo'] = None\n"
        "import warnings; warnings.simplefilter('error')\n"
        "import xarray as xr\n"
        "zoo = xr.open_datatree('zoos/tiny.zarr', engine='zarr')\n"
        "print(zoo['weights/7/parameters'].sel(temperature=50, seed=1, epoch=2).size)\n"
        "print(sorted(zoo.children))"
    )
    done = finished.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    parameters, children = done.stdout.splitlines()
    assert int(parameters) == 64 * 7 + 7 + 7 * 10 + 10
    assert children == str(["explained", "merging", "metrics", "phases", "transfer", "weights"])


def test_shards_of_the_zoo_are_those_of_the_training_jobs(finished: Project):
    found = (finished.root / "zoos/tiny.zarr/weights").glob("*/parameters/c/**/0")
    shards = [path for path in found if path.is_file()]
    assert len(shards) == 2 * 2 * 1 * 3  # loads, temperatures, blocks, epochs
    assert all(path.stat().st_nlink == 2 for path in shards)


def test_every_metric_of_the_grid_is_there(finished: Project):
    with xr.open_dataset(finished.root / "results/tiny/metrics.nc") as metrics:
        for name in ("train_loss", "hessian_trace", "l2_distance", "mode_connectivity"):
            assert metrics[name].notnull().all(), name


def test_the_report_stands_alone(finished: Project):
    page = (finished.root / "results/report/index.html").read_text()
    assert "A zoo to test with" in page
    assert 'src="http' not in page
    assert (finished.root / "results/report/tiny.png").read_bytes().startswith(b"\x89PNG")


def test_every_job_has_a_log_and_a_benchmark(finished: Project):
    logs = {path.with_suffix("") for path in (finished.root / "logs").rglob("*.log")}
    times = {path.with_suffix("") for path in (finished.root / "logs").rglob("*.tsv")}
    alignments = {path for path in times if path.suffix == ".alignments"}
    assert len(alignments) == 1  # of the job that merges
    assert logs == times - alignments
    assert len(logs) == 2 + 4 + 6 + 3 + 1 + 1 + 1 + 1


def test_a_study_grown_by_a_segment_equals_one_made_at_once(
    finished: Project, params: dict, tmp_path: Path
):
    """Training on from stored state gives the same weights as never having stopped."""
    grown = deepcopy(params)
    grown["zoos"]["tiny"]["training"]["checkpoints"] = [[0, 1], [2]]
    other = Project.create(tmp_path / "grown", grown)
    cells = ("3/20", "7/50")
    other.make(*(f"runs/tiny/{cell}/0+1/2.json" for cell in cells))
    for cell in cells:
        whole = finished.root / f"runs/tiny/{cell}/0+1/0+1+2.zarr"
        last = other.root / f"runs/tiny/{cell}/0+1/2.zarr"
        shard = "parameters/c/0/0/{}/0"
        assert (last / shard.format(0)).read_bytes() == (whole / shard.format(2)).read_bytes()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"load": {"hyperparameter": "width", "values": [-3]}}, "load.values: got -3"),
        ({"dataset": "mnist"}, "dataset: got 'mnist'"),
        ({"colour": "red"}, "colour: got 'red'"),
    ],
)
def test_a_wrong_spec_ends_before_any_job(params: dict, tmp_path: Path, wrong: dict, said: str):
    spoilt = deepcopy(params)
    spoilt["zoos"]["tiny"] |= wrong
    project = Project.create(tmp_path / "wrong", spoilt)
    done = project.run("snakemake", "--cores", "2")
    assert done.returncode != 0
    assert f"params.yaml: zoos.tiny.{said}; allowed: " in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (project.root / "data").exists()


def test_a_job_that_fails_says_why_in_one_line(small: dict, tmp_path: Path):
    project = Project.create(tmp_path / "spoilt", small)
    project.make("--until", "data")
    (project.root / "data/digits.zarr/zarr.json").unlink()
    done = project.run("snakemake", "--cores", "2", "--until", "train")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "data/digits.zarr" in done.stdout + done.stderr


def test_a_key_given_twice_is_refused(params: dict, tmp_path: Path):
    project = Project.create(tmp_path / "twice", params)
    with (project.root / "params.yaml").open("a") as file:
        file.write("run: [tiny]\n")
    done = project.run("snakemake", "--dry-run")
    assert done.returncode != 0
    assert "params.yaml: the file: got the key 'run' twice" in done.stdout + done.stderr


def test_the_python_of_the_readme_runs(finished: Project):
    text = (REPOSITORY / "README.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    for stated, here in (
        ("digits-mlp", "tiny"),
        ("width=48", "width=7"),
        ("batch_size=32", "batch_size=50"),
        ("epoch=60", "epoch=2"),
    ):
        assert stated in code
        code = code.replace(stated, here)
    done = finished.run("python", "-W", "error", "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_summary_says_what_was_made_and_what_to_open(finished: Project):
    done = finished.run("phasezoo", "summary")
    assert done.returncode == 0, done.stderr
    assert "zoos/tiny.zarr (8 models" in done.stdout
    assert "cells per phase" in done.stdout
    assert "results/report/index.html" in done.stdout.splitlines()[-1]


def test_the_coverage_counts_every_cell(finished: Project):
    found = json.loads((finished.root / "results/tiny/phases.json").read_text())["epochs"]["2"]
    counted = sum(found["per_phase"].values()) + found["missing"]
    assert counted == found["cells"] == 4
