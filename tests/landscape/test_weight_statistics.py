"""Statistics of weights: against scipy and the singular values, and what they do not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from phasezoo import rng
from phasezoo.landscape.weight_statistics import OF_VALUES, STATISTICS, has, weight_statistics


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=rng.generator("statistics", shape), dtype=torch.float64)


def of(tensor: torch.Tensor) -> dict[str, float]:
    return dict(zip(STATISTICS, weight_statistics([tensor])[0], strict=True))


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (3, 2, 3, 3)])
def test_they_are_those_of_scipy_and_of_the_singular_values(shape: tuple[int, ...]) -> None:
    tensor = drawn(*shape)
    found, values = of(tensor), tensor.numpy().ravel()
    singular = np.linalg.svd(tensor.numpy().reshape(shape[0], -1), compute_uv=False)
    expected = {
        "mean": values.mean(),
        "standard_deviation": stats.tstd(values, ddof=0),
        "skewness": stats.skew(values),
        "kurtosis": stats.kurtosis(values),
        **dict(
            zip(
                OF_VALUES[4:9],
                stats.mstats.mquantiles(values, (0, 0.25, 0.5, 0.75, 1), 1, 1),
                strict=True,
            )
        ),
        "norm": np.sqrt((singular**2).sum()),
        "spectral_norm": singular[0],
        "stable_rank": (singular**2).sum() / singular[0] ** 2,
    }
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_vector_has_no_statistics_of_matrices() -> None:
    found = of(drawn(11))
    assert {name for name, value in found.items() if np.isnan(value)} == {
        "spectral_norm",
        "stable_rank",
    }
    assert [has((11,), name) for name in STATISTICS] == np.isfinite(list(found.values())).tolist()


def test_constants_and_zeros_have_finite_statistics() -> None:
    ones, zeros = of(torch.ones(3, 5)), of(torch.zeros(3, 5))
    assert (ones["skewness"], ones["kurtosis"], ones["standard_deviation"]) == (0, 0, 0)
    assert ones["stable_rank"] == pytest.approx(1)
    assert all(value == 0 for value in zeros.values())


def test_the_order_of_rows_columns_and_kernels_is_not_seen() -> None:
    tensor = drawn(7, 5, 3, 3)
    moved = tensor[torch.randperm(7, generator=rng.generator("rows"))]
    moved = moved[:, torch.randperm(5, generator=rng.generator("columns"))]
    assert not torch.equal(moved, tensor)
    assert of(moved) == pytest.approx(of(tensor), rel=1e-12)


def test_scaling_a_unit_is_seen() -> None:
    tensor = drawn(7, 5)
    scaled = tensor.clone()
    scaled[2] *= 2
    assert of(scaled)["spectral_norm"] != pytest.approx(of(tensor)["spectral_norm"], rel=1e-3)


def test_a_tensor_that_is_not_finite_has_none() -> None:
    broken = drawn(3, 5)
    broken[1, 1] = torch.inf
    found = weight_statistics([broken, drawn(3, 5)])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
