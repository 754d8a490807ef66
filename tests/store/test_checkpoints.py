"""Checkpoints by labels and tensors by name, from what a store says and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo.store.address import ZooError
from phasezoo.store.checkpoints import find

NAMES = {"load": "beta", "temperature": "learning_rate"}
AT = {"temperature": 0.1, "seed": 4, "epoch": 10}
DIMS = ("temperature", "seed", "epoch", "parameter")


def group() -> xr.Dataset:
    """Two temperatures, two seeds, one epoch; a matrix [2, 3] that lies behind a scalar."""
    return xr.Dataset(
        {
            "parameters": (DIMS, np.arange(28, dtype="f4").reshape(2, 2, 1, 7)),
            "tensor_offset": ("tensor", [1, 0]),
            "tensor_shape": (("tensor", "tensor_axis"), [[2, 3], [-1, -1]]),
        },
        coords={
            "temperature": [0.1, 0.2],
            "seed": [3, 4],
            "epoch": [10],
            "tensor": np.array(["matrix", "scale"], dtype=object),
        },
    )


def weights() -> xr.DataTree:
    other = group().assign(parameters=-group()["parameters"])
    return xr.DataTree.from_dict({"16": group(), "0.001": other, "2": group()})


def test_a_tensor_lies_where_the_table_says() -> None:
    tensors = find("a.zarr", weights(), NAMES, AT | {"load": 16}).tensors()
    assert list(tensors) == ["matrix", "scale"]
    assert torch.equal(tensors["matrix"], torch.tensor([[8.0, 9, 10], [11, 12, 13]]))
    assert torch.equal(tensors["scale"], torch.tensor(7.0))


def test_parameters_are_read_one_by_one() -> None:
    stored = find("a.zarr", weights(), NAMES, AT | {"load": 16})
    reading, whole = stored.reading(), stored.tensors()
    assert list(reading) == list(whole)
    assert len(reading) == 2
    for name, tensor in whole.items():
        assert torch.equal(reading[name], tensor)
        assert reading[name].dtype == torch.float32
    assert reading["matrix"] is not reading["matrix"]  # nothing is kept


def test_a_load_is_found_by_its_value() -> None:
    found = find("a.zarr", weights(), NAMES, AT | {"load": 1e-3})
    assert found.load == 0.001
    assert torch.equal(found.weights().parameters, -torch.arange(7.0, 14.0))
    assert isinstance(find("a.zarr", weights(), NAMES, AT | {"load": 16.0}).load, int)


def test_weights_without_buffers_have_none() -> None:
    assert find("a.zarr", weights(), NAMES, AT | {"load": 2}).weights().buffers.shape == (0,)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (AT, "a.zarr: beta is missing; allowed are 0.001, 2, 16"),
        (AT | {"load": 3}, "a.zarr: beta: got 3, allowed are 0.001, 2, 16"),
        (AT | {"load": 2, "temperature": 1}, "learning_rate: got 1, allowed are 0.1, 0.2"),
        (AT | {"load": 2, "epoch": 9}, "epoch: got 9, allowed are 10"),
        (AT | {"load": 2, "depth": 9}, r"no axis \['depth'\]; allowed are \['load', 'temp"),
    ],
)
def test_a_wrong_label_is_refused_with_those_of_the_store(labels: dict, said: str) -> None:
    with pytest.raises(ZooError, match=said):
        find("a.zarr", weights(), NAMES, labels)


def test_weights_that_are_not_finite_are_refused_with_their_labels() -> None:
    spoilt = group()
    spoilt["parameters"][0, 1, 0, 2] = np.nan
    tree = xr.DataTree.from_dict({"16": spoilt})
    with pytest.raises(
        ZooError, match=r"no finite weights at {'load': 16, .*'seed': 4.*see `status`"
    ):
        find("a.zarr", tree, NAMES, AT | {"load": 16}).weights()
    assert find("a.zarr", tree, NAMES, AT | {"load": 16, "seed": 3}).weights().finite
