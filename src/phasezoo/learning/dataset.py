"""Zoos as a torch data set: weights, and what is to be told from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from phasezoo import rng
from phasezoo.learning.augmentation import Shuffling
from phasezoo.learning.forms import Form, FormName, Tokens, form_of
from phasezoo.learning.items import Division, Epochs, items
from phasezoo.learning.reading import Reader
from phasezoo.learning.sides import By, LearningError, Side, check
from phasezoo.learning.targets import PHASE
from phasezoo.models.flat import Weights
from phasezoo.store.variables import OF_MODEL
from phasezoo.store.zoo import Zoo, open_zoo
from phasezoo.vocabulary import EPOCH, FIVE_PHASES, THREE_REGIMES, Phase

Source = Zoo | str | Path


class ZooDataset(Dataset[tuple[Tensor | Tokens, Tensor]]):
    """Checkpoints of one or more zoos, each with a number or the phase that is to be told.

    A model is read when its item is asked for, from its chunk of the store alone. Which side of the
    split it is on follows from a hash of its own names, so the epochs of a model are never on two
    sides, and a zoo that grows moves no model. `by` says what else stays together: a split by
    ``model`` leaves the other seeds of a cell, which share its phase, on either side; by ``cell``
    is the harder question, about places of the grid that were never seen; by ``seed`` keeps a seed
    of all cells together. Shares are met on average, and not exactly.

    Checkpoints that diverged, were never trained or lack the target are no items; `left_out` counts
    them, for this side.

    Attributes:
        table: the items in their order: zoo, load, temperature, seed, epoch, `target`, and `model`,
            which is the same for all epochs of one; `table.to_dataframe()` is a data frame.
        left_out: how many checkpoints of this side are no items, by the reason.
        classes: what the target of ``phase`` counts; empty for numbers.
        form: what the weights are made into; its `names` are those of the features of
            ``statistics``, else of the tensors in their order.
    """

    def __init__(
        self,
        zoos: Source | Sequence[Source],
        target: str = "test_error",
        form: FormName = "statistics",
        *,
        epochs: Epochs = "last",
        split: Side | None = None,
        by: By = "model",
        shares: tuple[float, float, float] = (0.7, 0.15, 0.15),
        seed: int = 0,
        augment: Literal["permutation"] | None = None,
        buffers: bool = False,
        chunk: int = 64,
    ) -> None:
        """Open the zoos and find their items; no weights are read.

        Args:
            zoos: opened, or their paths or addresses.
            target: any metric of a checkpoint, cell or pair, ``generalisation_gap`` or ``phase``
                (`phasezoo.learning.targets`).
            form: ``vector``: all weights [P], for models of one shape. ``tokens``: `Tokens`, of
                equal length for all models. ``statistics``: [F], for one architecture whatever the
                width.
            epochs: those of the target to take, the ``last`` at which it is known, or ``all``.
            split: the side; all of them if None.
            by: what stays on one side.
            shares: of train, validation and test.
            seed: another one makes another split, and other permutations.
            augment: ``permutation`` reorders the hidden units at random, anew in each pass (see
                `set_pass`); the function stays. Statistics do not change under it.
            buffers: whether statistics of normalisation are weights too; without them, networks
                that have some cannot be told apart from others of the same parameters.
            chunk: values of a token.

        Raises:
            LearningError: an argument is not allowed, the models do not have the form, or no
                checkpoint is left.
            ZooError: a zoo cannot be opened.
            AlignmentError: the permutations of an architecture are not known.
        """
        check(split, by, shares)
        _check_augmentation(augment, form)
        given = [zoos] if isinstance(zoos, Zoo | str | Path) else list(zoos)
        opened = [zoo if isinstance(zoo, Zoo) else open_zoo(zoo) for zoo in given]
        division = Division(split, by, shares, seed)
        found = [items(zoo, _name(zoo), target, epochs, division) for zoo in opened]
        self.left_out = sum((left_out for _, left_out in found), Counter[str]())
        self.table = xr.concat([kept for kept, _ in found], "item")
        if not len(self):
            raise LearningError(_nothing_left(division, self.left_out))
        self.classes, self._targets = _told(self.table["target"].values, target == PHASE)
        places = [(i, labels) for i, (kept, _) in enumerate(found) for labels in _labels(kept)]
        self._reader = Reader(opened, places, buffers)
        self.form: Form = form_of(form, self._reader.shapes, chunk)
        self._seed = seed
        kinds = self._reader.layouts if augment else ()
        self._shufflings = {kind: Shuffling(opened[kind.zoo], kind.load) for kind in kinds}
        self._pass = torch.zeros((), dtype=torch.int64).share_memory_()  # workers see it change

    def __len__(self) -> int:
        """Number of items."""
        return int(self.table.sizes["item"])

    def __getitem__(self, index: int) -> tuple[Tensor | Tokens, Tensor]:
        """The weights of one checkpoint in the form asked for, and its target.

        Raises:
            IndexError: there is no such item.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"item: got {index}, there are {len(self)}")
        index %= len(self)
        changed = partial(self._shuffled, index) if self._shufflings else None
        return self.form(self._reader.tensors(index, changed)), self._targets[index]

    def set_pass(self, number: int) -> None:
        """Say which pass over the items begins, before it does: each has its own permutations.

        Workers of a `DataLoader` see it too, those that live on from pass to pass as well.
        """
        self._pass.fill_(number)

    def as_batch(self) -> tuple[Any, Tensor]:
        """All items as one batch, for learners that take everything at once."""
        features, targets = default_collate([self[i] for i in range(len(self))])
        return features, targets

    def _shuffled(self, index: int, weights: Weights) -> Weights:
        names = (self.table[name].values[index] for name in ("model", EPOCH))
        chance = rng.generator(*names, "permutation", self._seed, int(self._pass))
        return self._shufflings[self._reader.kind(index)](weights, chance)


def _name(zoo: Zoo) -> str:
    """The name of a zoo, from which those of its models are made."""
    return str(zoo.nodes.attrs.get("name", Path(zoo.path).stem))


def _labels(items: xr.Dataset) -> list[dict[str, Any]]:
    """Labels by axis of every item."""
    columns = [items[axis].values.tolist() for axis in OF_MODEL]
    return [dict(zip(OF_MODEL, row, strict=True)) for row in zip(*columns, strict=True)]


def _told(values: NDArray[np.float64], phase: bool) -> tuple[tuple[Phase, ...], Tensor]:
    """The classes, and a target for every item: its class, or its number."""
    if not phase:
        return (), torch.from_numpy(values.astype(np.float32))
    labels = [Phase(int(value)) for value in values]
    for classes in (FIVE_PHASES, THREE_REGIMES):
        if set(labels) <= set(classes):
            return classes, torch.tensor([classes.index(label) for label in labels])
    raise LearningError("target: got phases and regimes, allowed are zoos labelled by one scheme")


def _check_augmentation(augment: str | None, form: str) -> None:
    if augment not in (None, "permutation"):
        raise LearningError(f"augment: got {augment!r}, allowed are 'permutation' or None")
    if augment and form == "statistics":
        raise LearningError(
            f"augment: got {augment!r}, allowed is None, because statistics do not change under it"
        )


def _nothing_left(division: Division, left_out: Mapping[str, int]) -> str:
    out = ", ".join(f"{count} {why}" for why, count in left_out.items()) or "none there"
    return (
        f"split: got {division.split} by {division.by}, where no checkpoint is left ({out}); "
        f"allowed is a side that has some: by another unit, with other shares or another seed"
    )
