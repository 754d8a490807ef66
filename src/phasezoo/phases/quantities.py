"""What is asked of each cell: a number of each of its models, pairs or blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import xarray as xr

Groups = Mapping[str, xr.Dataset]


@dataclass(frozen=True)
class Quantity:
    """A number of the models, pairs or blocks of every cell.

    Attributes:
        name: as it is stored.
        title: for people.
        group: of results it is made from.
        needs: variables of the group.
        of: from a group at one epoch to values over load, temperature and replicates.
    """

    name: str
    title: str
    group: str
    needs: tuple[str, ...]
    of: Callable[[xr.Dataset], xr.DataArray]


def _is(name: str, title: str, group: str) -> Quantity:
    return Quantity(name, title, group, (name,), lambda data: data[name])


def _lead(name: str, title: str, group: str, worse: str, better: str) -> Quantity:
    """How much lower one number is than another."""
    return Quantity(name, title, group, (worse, better), lambda data: data[worse] - data[better])


def _seed_average(arm: str, how: str) -> Quantity:
    average = f"seed_average_error_{arm}"

    def gain(data: xr.Dataset) -> xr.DataArray:
        blocks = data["block"].values.tolist()
        members = [[int(seed) for seed in label.split("+")] for label in blocks]
        alone = [data["single_error"].sel(seed=seeds).mean("seed") for seeds in members]
        return xr.concat(alone, dim=data["block"]) - data[average]

    title = f"gain by averaging seeds, {how}"
    return Quantity(f"seed_average_gain_{arm}", title, "merging", ("single_error", average), gain)


def _pair_ensemble() -> Quantity:
    def gain(data: xr.Dataset) -> xr.DataArray:
        return data["pair_single_error"] - data["pair_ensemble_error"].sel(average="probabilities")

    needs = ("pair_single_error", "pair_ensemble_error")
    return Quantity("pair_ensembling_gain", "gain by ensembling pairs", "transfer", needs, gain)


QUANTITIES: tuple[Quantity, ...] = (
    _is("test_error", "test error", "metrics"),
    _lead("generalisation_gap", "generalisation gap", "metrics", "test_error", "train_error"),
    _is("barrier_naive", "barrier, as they are", "merging"),
    _is("barrier_aligned", "barrier, aligned", "merging"),
    _lead(
        "midpoint_gain",
        "aligned midpoint against its ends",
        "merging",
        "ends_error",
        "midpoint_error_aligned",
    ),
    _lead(
        "checkpoint_average_gain",
        "gain by averaging checkpoints",
        "merging",
        "single_error",
        "checkpoint_average_error",
    ),
    _seed_average("naive", "as they are"),
    _seed_average("aligned", "aligned"),
    _is("transfer_gain", "gain by fine-tuning", "transfer"),
    _is("new_task_gain", "gain on a new task", "transfer"),
    _is("new_task_probe_gain", "gain on a new task, body frozen", "transfer"),
    _is("robustness_gain", "accuracy kept on disturbed inputs", "transfer"),
    _is("foreign_auroc", "telling foreign inputs apart", "transfer"),
    _is("pruning_gain", "accuracy kept after pruning", "transfer"),
    _is("pruning_retrained_gain", "accuracy kept after pruning, retrained", "transfer"),
    _is("ensembling_gain", "gain by ensembling a block", "transfer"),
    _pair_ensemble(),
)


def present(groups: Groups) -> list[Quantity]:
    """The quantities that some results have all variables of."""
    return [q for q in QUANTITIES if q.group in groups and set(q.needs) <= set(groups[q.group])]
