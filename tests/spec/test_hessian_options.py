"""Options of the Hessian are checked when they are read."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phasezoo.spec.metrics import Density, Hessian

GIVEN: dict[str, Any] = {
    "epochs": [60],
    "sets": ["train", "test"],
    "samples": 640,
    "eigenvalues": 3,
    "iterations": 60,
    "tolerance": "1e-3",
    "trace_error": 0.02,
    "probes": 200,
}


def test_what_is_given_is_read() -> None:
    options = Hessian(**GIVEN)
    assert (options.sets, options.tolerance) == (("train", "test"), 1e-3)
    assert (options.density, options.memory) == (None, 2.0)
    with_density = Hessian(**GIVEN, density={"nodes": 30, "probes": 3}, memory=0.5)
    assert with_density.density == Density(nodes=30, probes=3)
    assert with_density.memory == 0.5


@pytest.mark.parametrize("key", GIVEN)
def test_every_number_that_changes_a_result_must_be_given(key: str) -> None:
    with pytest.raises(ValidationError, match=key):
        Hessian(**{k: v for k, v in GIVEN.items() if k != key})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sets", []),
        ("sets", ["validation"]),
        ("sets", ["train", "train"]),
        ("samples", 0),
        ("eigenvalues", 0),
        ("eigenvalues", 1.5),
        ("eigenvalues", 61),
        ("iterations", 2),
        ("tolerance", 0),
        ("trace_error", 0),
        ("trace_error", 1),
        ("trace_error", float("nan")),
        ("probes", 1),
        ("density", {"nodes": 1, "probes": 1}),
        ("density", {"nodes": 5}),
        ("density", {"nodes": 5, "probes": 0}),
        ("density", {"nodes": 5, "probes": 1, "steps": 2}),
        ("memory", 0),
        ("memory", True),
        ("seed", 1),
    ],
)
def test_what_cannot_be_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Hessian(**{**GIVEN, key: value})


def test_more_eigenvalues_than_iterations_name_the_rule() -> None:
    with pytest.raises(ValidationError, match="at least 3, the eigenvalues asked for"):
        Hessian(**{**GIVEN, "iterations": 2})
