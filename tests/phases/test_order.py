"""The hot end of the temperature axis is known from names, or guessed and said."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from phasezoo.phases.order import order_of


def table(values: list[float], **coords: object) -> xr.Dataset:
    return xr.Dataset(coords={"temperature": np.array(values), **coords})


def test_large_batches_are_cold_and_large_learning_rates_hot() -> None:
    for name, wanted in (("batch_size", [1, 2, 0]), ("learning_rate", [0, 2, 1])):
        data = table([8, 128, 32])
        data["temperature"].attrs["hyperparameter"] = name
        assert order_of(data).cold_to_hot.tolist() == wanted
        assert order_of(table([8, 128, 32]).assign_attrs(temperature_name=name)).known_by == name
        beside = table([8, 128, 32], **{name: ("temperature", [8, 128, 32])})
        assert order_of(beside).cold_to_hot.tolist() == wanted


@pytest.mark.parametrize(
    ("values", "taken"), [([8, 16], "batch_size"), ([0.1, 1.0], "learning_rate")]
)
def test_without_a_name_the_values_decide_and_it_is_said(values: list[float], taken: str) -> None:
    found = order_of(table(values))
    assert found.known_by == f"nothing; the values are taken for a {taken}"
    assert found.cold_to_hot.tolist() == ([1, 0] if taken == "batch_size" else [0, 1])


def test_temperatures_are_numbers_however_they_are_written() -> None:
    text = xr.Dataset(coords={"temperature": ["8", "128", "32"]})
    assert order_of(text).cold_to_hot.tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="temperature: got 'bs8', 'bs16', allowed are numbers"):
        order_of(xr.Dataset(coords={"temperature": ["bs8", "bs16"]}))
