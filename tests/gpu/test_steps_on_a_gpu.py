"""Every step of the workflow gives on a GPU what it gives on the CPU, up to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr
import yaml

from phasezoo import paths
from phasezoo.store import measurements
from phasezoo.store.tuned import read_tuned
from phasezoo.store.weights import Block
from steps import test_region_steps, test_use_steps, tiny
from steps.test_region_steps import NAME
from steps.tiny import Tiny

STEPS = Path(tiny.__file__).parent
STUDIES = {
    "classes": tiny.STUDY,
    "others": yaml.safe_load((STEPS / "other.yaml").read_text(encoding="utf-8")),
    "uses": test_use_steps.study(),
}
CLOSE = 1e-3  # of the largest value of a variable; steps that train go through a few epochs
LOOSE = {
    "hessian_top_eigenvalue_residual": 2.0,  # what an iteration leaves is rounding in part
    "learning_coefficient": 0.1,  # a small difference of two losses on a random walk
}
pytestmark = pytest.mark.usefixtures("gpu")


@pytest.fixture(scope="module", params=STUDIES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A study made on the CPU."""
    study = Tiny(tmp_path_factory.mktemp(request.param), STUDIES[request.param])
    for name in study.study.zoos:
        study.make(name)
    return study


def jobs_of(study: Tiny) -> Iterator[str]:
    """Every file that a measuring job writes."""
    for name, zoo in study.study.zoos.items():
        for group in study.plan.groups(zoo):
            yield from study.plan.measurements(group)(SimpleNamespace(zoo=name))


def far(found: xr.Dataset, expected: xr.Dataset) -> list[str]:
    """Variables that differ by more than they may, with how far they are apart."""
    apart = {str(name): _apart(found[name], expected[name]) for name in expected.data_vars}
    return [f"{name} {much:.1e}" for name, much in apart.items() if much > LOOSE.get(name, CLOSE)]


def _apart(found: xr.DataArray, expected: xr.DataArray) -> float:
    """The largest difference, relative to the largest value; counts: the share that differs."""
    assert found.dims == expected.dims
    assert found.dtype == expected.dtype
    a, b = found.values, expected.values
    if b.dtype.kind != "f":
        return float(np.mean(a != b)) / 100 if b.size else 0.0  # a tenth of them may
    np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b))
    there = np.isfinite(b)
    scale = np.abs(b).max(initial=0.0, where=there)
    return float(np.abs(a - b).max(initial=0.0, where=there) / (scale or 1.0))


def test_every_family_measures_the_same(made: Tiny, tmp_path: Path) -> None:
    """Of the same weights."""
    problems, gpus = [], Tiny(made.root, made.given, gpus=1)
    for measured in jobs_of(made):
        output = gpus.measure(measured, tmp_path / "found.nc")
        found, expected = (measurements.read(p) for p in (output, made.root / measured))
        problems += [f"{measured}: {what}" for what in far(found, expected)]
        output.unlink()
    assert not problems, "\n".join(problems)


def test_training_ends_at_the_same_weights(made: Tiny, tmp_path: Path) -> None:
    """After a few epochs, so that rounding has not grown; what diverged has diverged."""
    gpus = Tiny(tmp_path, made.given, gpus=1)
    for name, zoo in made.study.zoos.items():
        for dataset in made.plan.data_of_zoo(zoo):
            gpus.data(dataset)
        for manifest in made.plan.all_weights(SimpleNamespace(zoo=name)):
            a, b = (Block(at.with_suffix(".zarr")) for at in _both(gpus, made, manifest))
            _same(a, b)


def _both(gpus: Tiny, made: Tiny, manifest: str) -> tuple[Path, Path]:
    return gpus.train(manifest), made.root / manifest


def _same(found: Block, expected: Block) -> None:
    for seed in range(expected.seeds):
        for epoch in expected.epochs:
            assert found.status(seed, epoch) == expected.status(seed, epoch)
            a, b = (block.weights(seed, epoch).parameters for block in (found, expected))
            scale = b.abs().nan_to_num().max().item()
            torch.testing.assert_close(a, b, rtol=0, atol=CLOSE * scale, equal_nan=True)


def test_region_studies(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tuned, measured and joined."""
    here, there = (
        test_region_steps.Made(tmp_path_factory.mktemp(f"gpus={gpus}"), gpus) for gpus in (1, 0)
    )
    here.make()
    there.make()
    for manifest in there.plan.tuned_of(NAME):
        for a, b in zip(*(read_tuned(of.path(manifest)) for of in (here, there)), strict=True):
            torch.testing.assert_close(
                a.weights.parameters, b.weights.parameters, rtol=0, atol=CLOSE
            )
    a, b = (measurements.read(of.path(paths.REGIONS.format(regions=NAME))) for of in (here, there))
    measured = [name for name in b.data_vars if "loss" in name and "gain" not in name]
    assert measured
    assert far(a[measured], b[measured]) == []
