"""A stored variable says on which samples it was measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import xarray as xr

import oracles
import phasezoo
from phasezoo.data.sample import Sample, SampleError, sample_indices


def stored(sample: Sample) -> xr.DataArray:
    return xr.DataArray([0.0], name="trace", attrs={"sample": sample.text})


def test_it_is_part_of_the_package() -> None:
    assert phasezoo.sample_indices is sample_indices


@pytest.mark.parametrize("of", ["train", "test"])
def test_the_indices_of_a_variable_are_those_of_the_task(of: str) -> None:
    task = oracles.blobs(train=53, test=31)
    sample = task.sample(of, 17, "hessian")  # type: ignore[arg-type]
    inputs, labels = task.take(sample)
    found = sample_indices(stored(sample))
    assert torch.equal(inputs, getattr(task, f"{of}_inputs")[found])
    assert torch.equal(labels, getattr(task, f"{of}_labels")[found])
    by_purpose = task.training_sample if of == "train" else task.test_sample
    assert torch.equal(by_purpose(17, "hessian")[0], inputs)


def test_the_attribute_is_enough_without_this_package() -> None:
    told = json.loads(stored(oracles.blobs().sample("train", 17, "hessian")).attrs["sample"])
    names = {"torch": torch, "sorted": sorted, **told}
    rule, comma, _ = told["rule"].partition(", positions")
    assert comma
    found = sample_indices(stored(oracles.blobs().sample("train", 17, "hessian")))
    assert [int(i) for i in eval(rule, names)] == found.tolist()
    assert (told["set"], told["count"], told["available"]) == ("train", 17, 53)


def test_a_sample_of_more_than_there_is_counts_what_there_is() -> None:
    sample = oracles.blobs().sample("test", 10_007, "similarity")
    assert sample.count == sample.available == 31
    np.testing.assert_array_equal(sample_indices(stored(sample)), np.arange(31))


@pytest.mark.parametrize("attributes", [{}, {"sample": "some"}, {"sample": "{}"}])
def test_a_variable_that_does_not_say_is_refused(attributes: dict[str, str]) -> None:
    variable = xr.DataArray([0.0], name="test_loss", attrs=attributes)
    with pytest.raises(
        SampleError, match=r"^test_loss: got .* for the attribute 'sample', allowed"
    ):
        sample_indices(variable)
