"""Settings as published are complete, cannot be contradicted, and survive a job's line of JSON."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from phasezoo.spec.metrics import PUBLISHED_CURVE, Connectivity, Similarity

FREE = {
    "curve_epochs": 20,
    "batch_size": 64,
    "learning_rate": 0.05,
    "momentum": 0.8,
    "weight_decay": 0.0,
    "points": 21,
    "refinements": 2,
}


def test_as_published_needs_no_numbers() -> None:
    found = Connectivity.model_validate({"epochs": [3], "as_published": True})
    assert (found.curve_epochs, found.learning_rate, found.momentum) == (10, 0.1, 0.9)
    assert (found.batch_size, found.weight_decay, found.points) == (128, 5e-4, 5)
    assert (found.refinements, found.repeats) == (0, 1)


def test_a_published_number_may_be_repeated() -> None:
    given = {"epochs": [3], "as_published": True, **PUBLISHED_CURVE, "weight_decay": "5e-4"}
    assert Connectivity.model_validate(given) == Connectivity.model_validate(
        {"epochs": [3], "as_published": True}
    )


@pytest.mark.parametrize("name", FREE)
def test_another_number_contradicts(name: str) -> None:
    given = {"epochs": [3], "as_published": True, name: FREE[name]}
    with pytest.raises(ValidationError, match="because as_published is true"):
        Connectivity.model_validate(given)


@pytest.mark.parametrize("name", FREE)
def test_free_numbers_must_all_be_given(name: str) -> None:
    given = {"epochs": [3], **{key: value for key, value in FREE.items() if key != name}}
    with pytest.raises(ValidationError, match=f"{name}\\n  Field required"):
        Connectivity.model_validate(given)


@pytest.mark.parametrize("given", [{"as_published": True}, {**FREE, "repeats": 3}])
def test_options_survive_their_json(given: dict[str, object]) -> None:
    options = Connectivity.model_validate({"epochs": [3], **given})
    assert Connectivity.model_validate_json(options.model_dump_json()) == options
    assert ("as_published" in options.model_dump_json()) == options.as_published


def test_layers_are_none_unless_named() -> None:
    assert Similarity(epochs=(3,), samples=4).layers == ()
