"""Weights come back bit for bit, and every epoch of a block is one file."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from numcodecs import Blosc
from torch import Tensor

import phasezoo.store.weights as weights_module
from phasezoo.models.flat import Layout, Slot, Weights
from phasezoo.store.manifest import ManifestError, tree_of
from phasezoo.store.weights import Block, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.vocabulary import Status

EPOCHS = (0, 3, 11)
LAYOUTS = (
    Layout((Slot("w", 0, (5, 7)), Slot("b", 35, (2,)))),
    Layout((Slot("mean", 0, (3,)), Slot("count", 3, ()))),
)
PLAIN = (LAYOUTS[0], Layout(()))  # an architecture without buffers


def numbers(size: int, *names: int) -> Tensor:
    """Random float32 with values that a careless round trip loses."""
    random = np.random.default_rng(names)
    values = random.standard_normal(size).astype(np.float32)
    if size > 4:
        # negative zero, a denormal, the largest, the smallest normal number
        values[:4] = [-0.0, 1e-45, np.finfo(np.float32).max, np.finfo(np.float32).tiny]
    return torch.from_numpy(values)


def checkpoints(layouts: tuple[Layout, Layout] = LAYOUTS) -> list[list[Checkpoint]]:
    """Three seeds at three epochs; the second diverged after its first checkpoint."""
    found = []
    for seed in range(3):
        of_seed = []
        for epoch in EPOCHS:
            lost = seed == 1 and epoch > 0
            parts = [numbers(layout.size, seed, epoch, i) for i, layout in enumerate(layouts)]
            if lost:
                parts = [torch.full_like(part, torch.nan) for part in parts]
            status = Status.DIVERGED if lost else Status.TRAINED
            momentum = numbers(37, seed, epoch, 2)
            of_seed.append(Checkpoint(epoch, Weights(*parts), momentum[None], status))
        found.append(of_seed)
    return found


def bits(tensor: Tensor) -> bytes:
    return tensor.numpy().tobytes()


@pytest.mark.parametrize("layouts", [LAYOUTS, PLAIN], ids=["with buffers", "without buffers"])
def test_weights_come_back_bit_for_bit(tmp_path: Path, layouts: tuple[Layout, Layout]) -> None:
    given = checkpoints(layouts)
    write_block(tmp_path / "a.zarr", given, layouts)
    block = Block(tmp_path / "a.zarr")
    assert block.epochs == list(EPOCHS)
    for seed, of_seed in enumerate(given):
        for checkpoint in of_seed:
            found = block.weights(seed, checkpoint.epoch)
            assert bits(found.parameters) == bits(checkpoint.weights.parameters)
            assert bits(found.buffers) == bits(checkpoint.weights.buffers)
            assert found.parameters.dtype == torch.float32
            assert block.status(seed, checkpoint.epoch) is checkpoint.status


def test_the_last_checkpoint_has_its_momentum(tmp_path: Path) -> None:
    given = checkpoints()
    write_block(tmp_path / "a.zarr", given, LAYOUTS)
    for seed, of_seed in enumerate(given):
        found = Block(tmp_path / "a.zarr").last(seed)
        assert (found.epoch, found.status) == (11, of_seed[-1].status)
        assert bits(found.momentum) == bits(of_seed[-1].momentum)
        assert bits(found.weights.parameters) == bits(of_seed[-1].weights.parameters)


def test_a_vector_that_the_codec_does_not_take_whole_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blosc takes 2^31 - 1 bytes, and the largest GPT-2 has 3.5 GB."""
    assert 4 * weights_module.MOST <= Blosc.max_buffer_size < 4 * (weights_module.MOST + 1)
    monkeypatch.setattr(weights_module, "MOST", 11)
    given = checkpoints()
    write_block(tmp_path / "a.zarr", given, LAYOUTS)
    block = Block(tmp_path / "a.zarr")
    assert block.group["parameters"].chunks == (1, 1, 1, 10)  # 37 numbers in 4 parts
    assert block.group["momentum"].chunks == (1, 10)
    assert len(shards(tmp_path / "a.zarr", "parameters")) == 3  # an epoch is still one file
    for seed, of_seed in enumerate(given):
        assert bits(block.last(seed).momentum) == bits(of_seed[-1].momentum)
        for checkpoint in of_seed:
            found = block.weights(seed, checkpoint.epoch)
            assert bits(found.parameters) == bits(checkpoint.weights.parameters)


def test_an_optimiser_of_many_vectors_keeps_them_in_one_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """13 vectors of L-BFGS, cut where the codec does not take them at once."""
    monkeypatch.setattr(weights_module, "MOST", 200)
    states = [torch.stack([numbers(37, seed, i) for i in range(13)]) for seed in range(3)]
    given = [
        [*of_seed[:-1], replace(of_seed[-1], state=state)]
        for of_seed, state in zip(checkpoints(), states, strict=True)
    ]
    write_block(tmp_path / "a.zarr", given, LAYOUTS)
    block = Block(tmp_path / "a.zarr")
    array = block.group["optimiser_vectors"]
    assert array.metadata.dimension_names == ("seed", "vector", "parameter")
    assert array.chunks == (1, 13, 13)  # 481 numbers in 3 parts
    for seed, state in enumerate(states):
        assert bits(block.last(seed).state) == bits(state)
        assert block.last(seed).state.shape == (13, 37)


def shards(directory: Path, array: str) -> list[Path]:
    return sorted(p for p in (directory / array / "c").rglob("*") if p.is_file())


def test_every_epoch_of_a_block_is_one_file_per_array(tmp_path: Path) -> None:
    write_block(tmp_path / "a.zarr", checkpoints(), LAYOUTS)
    for array in ("parameters", "buffers"):
        found = [
            p.relative_to(tmp_path / "a.zarr" / array) for p in shards(tmp_path, f"a.zarr/{array}")
        ]
        # temperature, block of seeds, epoch, the whole vector
        assert [p.as_posix() for p in found] == ["c/0/0/0/0", "c/0/0/1/0", "c/0/0/2/0"]


def test_another_epoch_leaves_the_other_files_as_they_are(tmp_path: Path) -> None:
    given = checkpoints()
    write_block(tmp_path / "long.zarr", given, LAYOUTS)
    write_block(tmp_path / "short.zarr", [of_seed[:2] for of_seed in given], LAYOUTS)
    for array in ("parameters", "buffers"):
        long, short = (shards(tmp_path / f"{n}.zarr", array) for n in ("long", "short"))
        assert [p.read_bytes() for p in long[:2]] == [p.read_bytes() for p in short]


def test_an_epoch_at_which_all_diverged_needs_no_file(tmp_path: Path) -> None:
    given = [[c for c in checkpoints()[1] if c.status is Status.DIVERGED]]
    write_block(tmp_path / "a.zarr", given, LAYOUTS)
    assert shards(tmp_path / "a.zarr", "parameters") == []
    block = Block(tmp_path / "a.zarr")
    assert block.weights(0, 11).parameters.isnan().all()
    assert block.status(0, 11) is Status.DIVERGED


def test_two_writes_are_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_block(tmp_path / name, checkpoints(), LAYOUTS)
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "two")


def test_one_other_bit_is_another_store(tmp_path: Path) -> None:
    write_block(tmp_path / "one", checkpoints(), LAYOUTS)
    changed = checkpoints()
    changed[2][1].weights.parameters[-1] *= -1
    write_block(tmp_path / "two", changed, LAYOUTS)
    assert tree_of(tmp_path / "one").sha256 != tree_of(tmp_path / "two").sha256


def test_one_changed_model_touches_the_shard_of_its_epoch_alone(tmp_path: Path) -> None:
    write_block(tmp_path / "one", checkpoints(), LAYOUTS)
    changed = checkpoints()
    changed[2][1].weights.parameters[-1] *= -1
    write_block(tmp_path / "two", changed, LAYOUTS)
    one, two = (
        [hashlib.sha256(p.read_bytes()).digest() for p in shards(tmp_path / n, "parameters")]
        for n in ("one", "two")
    )
    assert [a == b for a, b in zip(one, two, strict=True)] == [True, False, True]


def test_plain_xarray_reads_a_block_by_its_axes(tmp_path: Path) -> None:
    given = checkpoints()
    write_block(tmp_path / "a.zarr", given, LAYOUTS)
    with xr.open_zarr(tmp_path / "a.zarr", consolidated=False) as found:
        assert found["parameters"].dims == ("temperature", "seed", "epoch", "parameter")
        assert found["buffers"].dims == ("temperature", "seed", "epoch", "buffer")
        assert found["momentum"].dims == ("seed", "parameter")
        expected = given[2][1].weights.parameters.numpy()
        np.testing.assert_array_equal(found["parameters"][0, 2, 1], expected)


def test_a_missing_block_is_refused_by_path(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.zarr: no weights .* to train again"):
        Block(tmp_path / "none.zarr")


def test_an_epoch_that_was_not_saved_has_no_weights(tmp_path: Path) -> None:
    write_block(tmp_path / "a.zarr", checkpoints(), LAYOUTS)
    with pytest.raises(ValueError, match="4 is not in list"):
        Block(tmp_path / "a.zarr").weights(0, 4)
