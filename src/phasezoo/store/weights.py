"""Weights of one cell's block over a segment of epochs: one shard per (cell, block, epoch).

A store of several cells holds such a block for each, as its group LOAD/TEMPERATURE.
The arrays have the axes of the published store, so publishing links shards and copies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BloscShuffle

from phasezoo.models.flat import Layout, Weights
from phasezoo.paths import inside
from phasezoo.store.manifest import ManifestError, store_of
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.vocabulary import Status

ARRAYS = ("parameters", "buffers")
STATE = ("momentum", "second_moment")  # of the optimiser, as many as it carries along
VECTORS = "optimiser_vectors"  # all of them, where it carries along more
DIMS = {
    "parameters": ("temperature", "seed", "epoch", "parameter"),
    "buffers": ("temperature", "seed", "epoch", "buffer"),
    "momentum": ("seed", "parameter"),
    "second_moment": ("seed", "parameter"),
    VECTORS: ("seed", "vector", "parameter"),
}
MOST = (2**31 - 1) // 4  # numbers of a chunk: Blosc takes no more bytes at once


def create(
    group: zarr.Group, name: str, shape: tuple[int, ...], seeds: int
) -> zarr.Array[zarr.core.metadata.ArrayV3Metadata]:
    """A sharded float32 array [temperature, seed, epoch, P]; NaN where nothing was written.

    One chunk is one model, or a part of one that has more than `MOST` numbers; one shard is the
    `seeds` of a block at an epoch.
    """
    chunk, parts = _chunks(shape[-1])
    return group.create_array(
        name,
        shape=shape,
        dtype="float32",
        chunks=(1, 1, 1, chunk),
        shards=(1, seeds, 1, chunk * parts),
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.bitshuffle),
        fill_value=np.nan,
        dimension_names=DIMS[name],
    )


def _chunks(size: int, vectors: int = 1) -> tuple[int, int]:
    """Length and number of the fewest equal chunks of vectors that lie in them together."""
    parts = -(-size * vectors // MOST)
    return -(-size // parts), parts


def create_groups(directory: Path, loads: Iterable[str]) -> None:
    """Make a folder a store of several cells, with a group for each load."""
    for path in (directory, *(directory / load for load in dict.fromkeys(loads))):
        zarr.open_group(path, mode="a", zarr_format=3)


def write_block(
    directory: Path,
    checkpoints: Sequence[Sequence[Checkpoint]],
    layouts: tuple[Layout, Layout],
    resumable: bool = True,
) -> None:
    """Write the checkpoints of a block, indexed [seed][epoch], and the state to go on from.

    Models trained elsewhere come without such a state: they are not `resumable`.
    """
    seeds, epochs = len(checkpoints), len(checkpoints[0])
    group = zarr.open_group(directory, mode="w", zarr_format=3)
    for name, layout in zip(ARRAYS, layouts, strict=True):
        if layout.size:
            array = create(group, name, (1, seeds, epochs, layout.size), seeds)
            for epoch in range(epochs):
                block = [getattr(of_seed[epoch].weights, name).numpy() for of_seed in checkpoints]
                array[0, :, epoch] = np.stack(block)
    if resumable:
        states = np.stack([of_seed[-1].state.numpy() for of_seed in checkpoints])
        few = states.shape[1] <= len(STATE)
        named = zip(STATE, np.moveaxis(states, 1, 0), strict=False) if few else [(VECTORS, states)]
        for name, vectors in named:
            _write_state(group, name, vectors)
    group.attrs["epochs"] = [c.epoch for c in checkpoints[0]]
    group.attrs["status"] = [[int(c.status) for c in of_seed] for of_seed in checkpoints]


def _write_state(group: zarr.Group, name: str, vectors: NDArray[np.float32]) -> None:
    _, *together, size = vectors.shape
    state = group.create_array(
        name,
        shape=vectors.shape,
        dtype="float32",
        chunks=(1, *together, _chunks(size, *together)[0]),
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.bitshuffle),
        dimension_names=DIMS[name],
    )
    state[:] = vectors


class Block:
    """Reader of what `write_block` wrote."""

    def __init__(self, directory: Path) -> None:
        """Open a block.

        Raises:
            ManifestError: there is none.
        """
        try:
            self.group = zarr.open_group(directory, mode="r", zarr_format=3)
        except FileNotFoundError as problem:
            message = f"{directory}: no weights ({problem}); remove its manifest to train again"
            raise ManifestError(message) from None
        self.epochs: list[int] = list(self.group.attrs["epochs"])
        self.seeds = len(self.group.attrs["status"])

    @classmethod
    def of_cell(cls, manifest: Path, load: str, temperature: str) -> Self:
        """The block of one cell, given by its labels, in a store of one or of several.

        Raises:
            ManifestError: there is none.
        """
        return cls(inside(store_of(manifest), load, temperature))

    def status(self, seed: int, epoch: int) -> Status:
        """What became of a seed (its position in the block) at an epoch."""
        return Status(self.group.attrs["status"][seed][self.epochs.index(epoch)])

    def weights(self, seed: int, epoch: int) -> Weights:
        """The weights of a seed (its position in the block) at an epoch."""
        position = self.epochs.index(epoch)
        found = [
            torch.from_numpy(np.asarray(self.group[name][0, seed, position]))
            if name in self.group
            else torch.empty(0)
            for name in ARRAYS
        ]
        return Weights(*found)

    def last(self, seed: int) -> Checkpoint:
        """The last checkpoint of a seed, with the optimiser's state.

        Raises:
            ManifestError: the block was imported, and has none.
        """
        epoch = self.epochs[-1]
        names = [name for name in (*STATE, VECTORS) if name in self.group]
        if not names:
            raise ManifestError(
                f"{self.group.store}: no optimiser state to go on from, it was trained elsewhere"
            )
        parts = [np.atleast_2d(np.asarray(self.group[name][seed])) for name in names]
        weights, status = self.weights(seed, epoch), self.status(seed, epoch)
        return Checkpoint(epoch, weights, torch.from_numpy(np.concatenate(parts)), status)
