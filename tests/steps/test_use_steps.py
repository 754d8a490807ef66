"""Each step of a use writes, at the right labels, what the science says of the stored models."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

from phasezoo.landscape.network import Network
from phasezoo.models.build import build
from phasezoo.models.flat import Weights
from phasezoo.spec.jobs import at_load
from phasezoo.store import measurements
from phasezoo.store.dataset import read_task
from phasezoo.store.weights import Block
from phasezoo.transfer.ensembles import AVERAGES, ensembles
from phasezoo.transfer.fine_tune import transfer
from phasezoo.transfer.probe import probe
from phasezoo.transfer.pruning import pruning
from phasezoo.transfer.robustness import Inputs, robustness
from steps.tiny import MLP, STUDY, Tiny

CPU = torch.device("cpu")
USES = ("new_task", "robustness", "pruning", "ensembling")
HEATS = (0.03, 1e25)  # the second diverges
HOW = STUDY["zoos"][MLP]["transfer"]["optimisation"]
LETTERS = {
    "source": "letters", "recipe": 1, "letters": 3, "size": 8, "copies": 1, "tilt": 5,
    "shift": 0.1, "zoom": 0.1, "seed": 0, "train": 13, "split_seed": 0,
}  # fmt: skip


def study() -> dict:
    """A zoo of two cells, measured for nothing but its uses, in two blocks."""
    spec = json.loads(json.dumps(STUDY))
    zoo = spec["zoos"][MLP]
    spec |= {"run": [MLP], "zoos": {MLP: zoo}}
    spec["data"]["letters"] = LETTERS
    del zoo["learning"], zoo["merging"], zoo["transfer"]
    zoo |= {"seeds": [[0, 1], [2, 3]], "pairs": "all"}
    zoo["load"]["values"] = [3]
    zoo["temperature"] = {"hyperparameter": "learning_rate", "values": [list(HEATS)]}
    zoo["training"]["optimiser"]["learning_rate"] = None
    zoo["training"] |= {"batch_size": 13, "checkpoints": [[0, 1, 2, 3]]}
    at = {"epochs": [3]}
    zoo["new_task"] = at | {
        "dataset": "letters", "head": "fresh", "fine_tune_epochs": 2, "optimisation": HOW
    }  # fmt: skip
    zoo["robustness"] = at | {
        "corruptions": {"blur": [0.5, 1], "occlusion": [0.2, 0.5]},
        "shifted": "turned",
        "foreign": "letters",
    }
    zoo["pruning"] = at | {
        "scopes": ["layer", "global"], "sparsities": [0.5, 0.9, 0.95], "retrain_epochs": 1,
        "optimisation": HOW,
    }  # fmt: skip
    zoo["ensembling"] = at
    return spec


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    tiny = Tiny(tmp_path_factory.mktemp("used"), study())
    zoo = tiny.zoo(MLP)
    for name in tiny.plan.data_of_zoo(zoo):
        tiny.data(name)
    for manifest in tiny.plan.weights_of(MLP):
        tiny.train(manifest)
    for measured in tiny.plan.measurements("transfer")(at()):
        tiny.measure(measured)
    tiny.collect(MLP, "transfer")
    return tiny


def at() -> SimpleNamespace:
    return SimpleNamespace(zoo=MLP)


def models(tiny: Tiny) -> list[Weights]:
    """The four finite models."""
    runs = tiny.root / f"runs/{MLP}/3/0.03"
    blocks = [Block(runs / block / "0+1+2+3.zarr") for block in ("0+1", "2+3")]
    return [block.weights(seed, 3) for block in blocks for seed in (0, 1)]


def names(seed: int) -> tuple[str, ...]:
    return (MLP, "width=3", "learning_rate=0.03", f"seed={seed}")


def result(tiny: Tiny) -> xr.Dataset:
    data = measurements.read(tiny.root / f"results/{MLP}/transfer.nc")
    return data.sel(load=3, epoch=3)


def network(tiny: Tiny, classes: int = 10) -> Network:
    return Network(build(at_load(tiny.zoo(MLP), 3), (1, 8, 8), classes), CPU)


def single(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def test_new_tasks_are_fine_tuned_and_probed(used: Tiny) -> None:
    second, found = read_task(used.root / "data/letters.json", CPU), result(used)
    told = [(model, names(seed)) for seed, model in enumerate(models(used))]
    given = (at_load(used.zoo(MLP), 3), told, 10, second, used.zoo(MLP).new_task, CPU)
    tuned, probed = transfer(*given), probe(*given)
    for seed in range(4):
        here = found.sel(temperature=0.03, seed=seed)
        wanted = [tuned[seed].fine_tuned_error, tuned[seed].scratch_error, probed[seed]]
        got = [here[f"new_task_{n}"].item() for n in ("error", "scratch_error", "probe_error")]
        # trained with others together, they differ by rounding: a test image at the most
        assert got == pytest.approx(wanted, abs=1.01 / len(second.test_labels))
        gains = [here[n].item() for n in ("new_task_gain", "new_task_probe_gain")]
        assert gains == pytest.approx([got[1] - got[0], got[1] - got[2]], abs=1e-6)


def test_robustness_is_that_of_every_model(used: Tiny) -> None:
    own, shifted, foreign = (
        read_task(used.root / f"data/{name}.json", CPU) for name in ("digits", "turned", "letters")
    )
    severities = {"blur": (0.5, 1.0), "occlusion": (0.2, 0.5)}
    inputs = Inputs(own, severities, shifted, foreign)
    found = result(used)
    assert found["corruption"].values.tolist() == ["blur", "occlusion"]
    assert found["severity"].values.tolist() == [1, 2]
    for seed, expected in enumerate(robustness(network(used), models(used), inputs)):
        here = found.sel(temperature=0.03, seed=seed)
        assert here["clean_error"].item() == single(expected.clean)
        np.testing.assert_allclose(here["corruption_error"], expected.corrupted, atol=1.01 / 53)
        assert here["mean_corruption_error"].item() == pytest.approx(expected.mean_corrupted)
        assert here["robustness_gain"].item() == pytest.approx(expected.gain, abs=1e-6)
        assert here["shifted_error"].item() == single(expected.shifted)
        assert here["foreign_auroc"].item() == pytest.approx(expected.foreign, abs=1e-5)


def test_pruning_is_that_of_every_model(used: Tiny) -> None:
    own, found = read_task(used.root / "data/digits.json", CPU), result(used)
    told = [(model, names(seed)) for seed, model in enumerate(models(used))]
    options = used.zoo(MLP).pruning
    assert options is not None
    assert found["scope"].values.tolist() == ["layer", "global"]
    for seed, expected in enumerate(pruning(network(used), told, own, options)):
        here = found.sel(temperature=0.03, seed=seed)
        assert here["unpruned_error"].item() == single(expected.whole)
        np.testing.assert_array_equal(here["pruned_error"], single(expected.pruned))
        assert here["pruning_gain"].item() == pytest.approx(expected.gain, abs=1e-6)
        image = 1.01 / len(own.test_labels)
        np.testing.assert_allclose(here["retrained_error"], expected.retrained, atol=image)
        assert here["unpruned_retrained_error"].item() == pytest.approx(
            expected.retrained_whole, abs=image
        )


def test_ensembles_are_of_blocks_and_of_all_pairs(used: Tiny) -> None:
    own, found = read_task(used.root / "data/digits.json", CPU), result(used)
    assert found["average"].values.tolist() == list(AVERAGES)
    pairs = {"0-1": (0, 1), "2-3": (2, 3), "0-2": (0, 2), "1-2": (1, 2)}
    groups = [(0, 1), (2, 3), *pairs.values()]
    told = ensembles(network(used), models(used), own, groups)
    for block, expected in zip(("0+1", "2+3"), told, strict=False):
        here = found.sel(temperature=0.03, block=block)
        np.testing.assert_array_equal(here["ensemble_error"], single(expected.errors))
        np.testing.assert_allclose(here["ensemble_loss"], expected.losses, rtol=1e-5)
        assert here["ensembling_gain"].item() == pytest.approx(expected.gain, abs=1e-6)
        assert here["ensemble_best_error"].item() == single(expected.best_error)
    for pair, expected in zip(pairs, told[2:], strict=True):
        here = found.sel(temperature=0.03, pair=pair)
        np.testing.assert_array_equal(here["pair_ensemble_error"], single(expected.errors))
        assert here["pair_disagreement"].item() == single(expected.disagreement)


def test_models_that_diverged_have_no_numbers(used: Tiny) -> None:
    diverged = result(used).sel(temperature=HEATS[1])
    assert all(diverged[name].isnull().all() for name in diverged.data_vars)
    there = result(used).sel(temperature=HEATS[0])
    assert all(there[name].notnull().all() for name in there.data_vars)


def test_a_second_run_writes_the_same_bytes(used: Tiny, tmp_path: Path) -> None:
    for measured in used.plan.measurements("transfer")(at()):
        if "/0+1/" in measured:
            again = used.measure(measured, tmp_path / Path(measured).name)
            assert again.read_bytes() == (used.root / measured).read_bytes(), measured
