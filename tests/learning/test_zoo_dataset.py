"""Zoos as a data set: items, sides, forms, permutations, and what is read for them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from zarr.storage import LocalStore

from phasezoo import ZooDataset, load_model, open_zoo
from phasezoo.landscape.weight_statistics import weight_statistics
from phasezoo.learning.sides import SIDES, LearningError
from phasezoo.merging.permutation import AlignmentError
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.store.zoo import Zoo
from steps.tiny import MLP, RESNET, Tiny

HALVES = (0.5, 0.25, 0.25)
BOTH = ("small-mlp", "small-resnet")


def path_of(tiny: Tiny, name: str = MLP) -> Path:
    return tiny.root / f"zoos/{name}.zarr"


def rows(dataset: ZooDataset) -> set[tuple]:
    axes = ("zoo", "load", "temperature", "seed", "epoch")
    return set(zip(*(dataset.table[axis].values.tolist() for axis in axes), strict=True))


@pytest.fixture(scope="module")
def whole(tiny: Tiny) -> ZooDataset:
    zoos = [path_of(tiny, name) for name in BOTH]
    return ZooDataset(zoos, "test_error", epochs="all", form="tokens")


@pytest.mark.parametrize("by", ["model", "cell", "seed"])
def test_sides_share_no_unit_and_miss_no_checkpoint(tiny: Tiny, whole: ZooDataset, by: str) -> None:
    zoos = [path_of(tiny, name) for name in BOTH]
    found, seen = {}, Counter()
    for side in SIDES:
        with suppress(LearningError):  # no seed is on this side
            part = ZooDataset(
                zoos, "test_error", "tokens", epochs="all", split=side, by=by, shares=HALVES
            )
            found[side] = rows(part)
            seen += part.left_out
    width = {"model": 4, "cell": 3, "seed": None}[by]
    units = [
        {row[:width] if width else (row[0], row[3]) for row in side} for side in found.values()
    ]
    assert len(units) > 1
    assert set.union(*units)
    assert sum(map(len, units)) == len(set.union(*units))
    assert set.union(*found.values()) == rows(whole)
    assert sum(map(len, found.values())) == len(whole)
    assert seen == whole.left_out


def test_models_that_diverged_are_counted_and_are_no_items(tiny: Tiny) -> None:
    dataset = ZooDataset(path_of(tiny, RESNET), "test_error")
    assert dataset.left_out == {"diverged": 4}  # two loads, two seeds
    assert (len(dataset), set(dataset.table["temperature"].values)) == (4, {0.1})
    assert all(features.isfinite().all() for features, _ in dataset)


def test_epochs_are_those_at_which_the_target_is_known(tiny: Tiny) -> None:
    of = path_of(tiny)
    for epochs, expected in (("last", {3}), ("all", {0, 3}), ([0], {0})):
        dataset = ZooDataset(of, "test_error", epochs=epochs)
        assert set(dataset.table["epoch"].values) == expected
    assert set(ZooDataset(of, "phase", epochs="all").table["epoch"].values) == {3}
    with pytest.raises(
        LearningError, match=r"got \[2\]; test_error is known at \[0, 3\], allowed are"
    ):
        ZooDataset(of, "test_error", epochs=[2])


def test_targets_are_what_was_measured(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny))
    for name in ("test_error", "generalisation_gap", "fine_tuned_error", "cka", "phase"):
        dataset = ZooDataset(zoo, name)
        for index, (_, told) in enumerate(dataset):
            row = dataset.table.isel(item=index)
            at = {axis: row[axis].item() for axis in ("load", "temperature", "epoch")}
            metrics = zoo.metrics.sel(at)
            match name:
                case "generalisation_gap":
                    of = metrics.sel(seed=row["seed"])
                    expected = of["test_error"] - of["train_error"]
                case "cka":  # one pair of two seeds
                    expected = metrics["cka"].isel(pair=0)
                case "phase":
                    assert dataset.classes[int(told)] == zoo.phases["phase"].sel(at)
                    continue
                case "fine_tuned_error":
                    expected = zoo.transfer[name].sel({**at, "seed": row["seed"].item()})
                case _:
                    expected = metrics[name].sel(seed=row["seed"])
            assert told.item() == pytest.approx(expected.item(), abs=1e-7)


def test_a_zoo_can_be_cut_down_before(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny))
    assert len(ZooDataset(zoo.sel(width=7), "test_error", "vector")) == 4
    assert len(ZooDataset(zoo.sel(width=[3], seed=1), "generalisation_gap", "vector")) == 2


def test_a_vector_is_the_parameters_of_the_model(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny)).sel(width=7)
    dataset = ZooDataset(zoo, "test_error", "vector")
    features, _ = dataset[-1]
    expected = zoo.weights(seed=1, epoch=3, load=7, temperature=31).parameters
    assert torch.equal(features, expected)


def test_a_vector_of_several_widths_is_refused(tiny: Tiny) -> None:
    with pytest.raises(
        LearningError, match=r"got vector for models of 2 shapes .* allowed are tokens"
    ):
        ZooDataset(path_of(tiny), "test_error", "vector")


def test_tokens_hold_every_weight_once_in_its_place(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny, RESNET))
    dataset = ZooDataset(zoo, "test_error", "tokens", chunk=13, buffers=True)
    lengths = set()
    for index, (tokens, _) in enumerate(dataset):
        row = dataset.table.isel(item=index)
        at = {axis: row[axis].item() for axis in ("load", "temperature", "seed", "epoch")}
        tensors = {n: t for n, t in zoo.stored(**at).tensors().items() if t.dim()}
        assert list(tensors) == list(dataset.form.names)
        for layer, tensor in enumerate(tensors.values(), 1):
            here = tokens.layer == layer
            assert torch.equal(tokens.values[here][tokens.mask[here]], tensor.flatten())
            assert tokens.position[here].tolist() == list(range(-(-tensor.numel() // 13)))
        assert tokens.mask.sum() == sum(t.numel() for t in tensors.values())
        assert not tokens.values[~tokens.mask].any()
        assert torch.equal(tokens.layer > 0, tokens.mask.any(1))
        lengths.add(int((tokens.layer > 0).sum()))
        assert tokens.values.shape == dataset[0][0].values.shape
    assert len(lengths) == 2  # of two widths
    assert max(lengths) == len(dataset[0][0].layer)


def test_statistics_are_of_one_length_and_those_that_were_measured(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny))
    dataset = ZooDataset(zoo, "test_error", epochs="all")
    stored = zoo.metrics["weight_statistics"]
    names = [f"{t} {s}" for t in stored["tensor"].values for s in stored["statistic"].values]
    keep = [names.index(name) for name in dataset.form.names]
    for index, (features, _) in enumerate(dataset):
        row = dataset.table.isel(item=index)
        at = {axis: row[axis].item() for axis in ("load", "temperature", "seed", "epoch")}
        expected = stored.sel(at).values.ravel()[keep]
        np.testing.assert_allclose(features, expected, rtol=1e-6)


def function(zoo: Zoo, at: dict, tensors: Weights, inputs: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return load_weights(load_model(zoo, **at), tensors)(inputs)


@pytest.mark.parametrize("name", BOTH)
def test_permuted_models_have_other_weights_and_the_same_function(tiny: Tiny, name: str) -> None:
    zoo = open_zoo(path_of(tiny, name))
    zoo = zoo.sel(width=[int(zoo.metrics["load"].values[-1])])
    dataset = ZooDataset(zoo, "test_error", "vector", augment="permutation", buffers=True)
    plain = ZooDataset(zoo, "test_error", "vector", buffers=True)
    inputs = torch.rand(5, 1, 8, 8)
    for index in range(len(dataset)):
        at = {
            a: dataset.table[a].values[index].item()
            for a in ("load", "temperature", "seed", "epoch")
        }
        (moved, _), (still, _) = dataset[index], plain[index]
        assert not torch.equal(moved, still)
        assert torch.equal(moved.sort().values, still.sort().values)
        own = weights_of(load_model(zoo, **at))
        size = own.parameters.numel()
        buffers = own.buffers.clone()
        counters = torch.cat(
            [torch.full((b.numel(),), b.dim() == 0) for b in load_model(zoo, **at).buffers()]
            or [torch.empty(0, dtype=torch.bool)]
        )
        buffers[~counters] = moved[size:]
        found = function(zoo, at, Weights(moved[:size], buffers), inputs)
        torch.testing.assert_close(found, function(zoo, at, own, inputs), rtol=1e-4, atol=1e-5)


def test_permutations_are_of_the_item_and_the_pass_alone(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny)).sel(width=7)
    one, two = (ZooDataset(zoo, "test_error", "vector", augment="permutation") for _ in range(2))
    first = [one[i][0] for i in range(4)]
    one.set_pass(1)
    assert not any(torch.equal(one[i][0], first[i]) for i in range(4))
    assert all(torch.equal(two[i][0], first[i]) for i in reversed(range(4)))
    one.set_pass(0)
    assert all(torch.equal(one[i][0], first[i]) for i in range(4))
    other = ZooDataset(zoo, "test_error", "vector", augment="permutation", seed=1)
    assert not torch.equal(other[0][0], first[0])


def test_statistics_of_permuted_weights_are_the_same(tiny: Tiny) -> None:
    zoo = open_zoo(path_of(tiny)).sel(width=7)
    dataset = ZooDataset(zoo, "test_error", "vector", augment="permutation")
    layout = zoo.stored(seed=0, epoch=3, load=7, temperature=13).layouts[0]
    moved, own = dataset[0][0], zoo.weights(seed=0, epoch=3, load=7, temperature=13).parameters
    found, expected = (weight_statistics(layout.unflatten(v).values()) for v in (moved, own))
    assert not torch.equal(moved, own)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_what_one_process_gives_and_see_the_pass(tiny: Tiny, context: str) -> None:
    zoo = open_zoo(path_of(tiny)).sel(width=7)
    dataset = ZooDataset(zoo, "test_error", "vector", augment="permutation")
    loader = DataLoader(
        dataset, 3, num_workers=1, multiprocessing_context=context, persistent_workers=True
    )
    for number in (0, 1):
        dataset.set_pass(number)
        found = torch.cat([features for features, _ in loader])
        assert torch.equal(found, dataset.as_batch()[0])
    del loader


def test_it_survives_pickling(tiny: Tiny) -> None:
    dataset = ZooDataset(path_of(tiny), "phase", "tokens", augment="permutation")
    again = pickle.loads(pickle.dumps(dataset))
    assert all(torch.equal(a, b) for a, b in zip(again[2][0], dataset[2][0], strict=True))


def test_an_item_reads_one_chunk_of_one_shard(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    get = LocalStore.get

    async def counted(self: LocalStore, key: str, *given: object, **named: object) -> object:
        if "/parameters/c/" in key:
            read.append(key)
        return await get(self, key, *given, **named)

    monkeypatch.setattr(LocalStore, "get", counted)
    dataset = ZooDataset(path_of(tiny), "test_error", epochs="all", augment=None)
    assert read == []  # nothing but labels, metrics and tables
    _ = dataset[3]
    assert len(read) == 2  # the index of the shard, and the chunk
    assert len(set(read)) == 1
    for _ in dataset:
        pass
    assert len(read) == 2 + 2 * len(dataset)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"target": "test_eror"}, "target: got 'test_eror', allowed are .*test_error"),
        ({"target": "cka_layers"}, "target: got 'cka_layers'"),
        ({"form": "graph"}, "form: got 'graph', allowed are vector, tokens, statistics"),
        ({"form": "tokens", "chunk": 0}, "chunk: got 0"),
        ({"augment": "permutation"}, "because statistics do not change under it"),
        ({"augment": "noise"}, "augment: got 'noise', allowed are 'permutation' or None"),
        ({"epochs": "first"}, "epochs: got 'first'"),
        ({"split": "test", "shares": (1, 0, 0)}, "got test by model, where no checkpoint is left"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(tiny: Tiny, given: dict, said: str) -> None:
    with pytest.raises(LearningError, match=said) as caught:
        ZooDataset(path_of(tiny), **given)
    assert "\n" not in str(caught.value)


def test_items_end(tiny: Tiny) -> None:
    dataset = ZooDataset(path_of(tiny))
    assert len(list(dataset)) == len(dataset) == 8
    with pytest.raises(IndexError, match="item: got 8, there are 8"):
        _ = dataset[8]
    assert torch.equal(dataset[-1][0], dataset[7][0])


def test_zoos_of_two_architectures_have_tokens_and_no_common_statistics(tiny: Tiny) -> None:
    zoos = [path_of(tiny, name) for name in BOTH]
    dataset = ZooDataset(zoos, "test_error", "tokens")
    assert set(dataset.table["zoo"].values) == set(BOTH)
    with pytest.raises(LearningError, match="got statistics for models with other tensors"):
        ZooDataset(zoos, "test_error")


def test_the_package_is_imported_without_it() -> None:
    code = "import phasezoo, sys; assert not {'torch', 'xarray', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_module_that_cannot_be_traced_is_refused(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Zoo, "blank", lambda *_: torch.nn.Linear(2, 3))
    with pytest.raises(AlignmentError, match="Linear: cannot be traced"):
        ZooDataset(path_of(tiny), "test_error", "tokens", augment="permutation")
