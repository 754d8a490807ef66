"""Each measuring step writes, at the right labels, what the science says of the stored models."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.nn import functional

from phasezoo import rng
from phasezoo.data.task import Task
from phasezoo.landscape.connectivity import connect
from phasezoo.landscape.curvature import curvature
from phasezoo.landscape.gradient_noise import noise_scale
from phasezoo.landscape.learning_coefficient import learning_coefficient
from phasezoo.landscape.network import Network
from phasezoo.merging.merge import average_error, merge_pair, single_error
from phasezoo.merging.permutation import permutation_spec
from phasezoo.merging.weight_matching import weight_matching
from phasezoo.models.build import build
from phasezoo.models.flat import Weights, buffer_layout, load_weights, parameter_layout
from phasezoo.spec.jobs import MeasureJob, at_load
from phasezoo.spec.merging import Merging
from phasezoo.spec.metrics import Connectivity, Hessian, Similarity, Transfer
from phasezoo.steps import cells as steps_cells
from phasezoo.steps.cells import Row, measure
from phasezoo.steps.evaluate import evaluate
from phasezoo.store import measurements, schema
from phasezoo.store.dataset import read_task
from phasezoo.store.manifest import ManifestError, store_of, writing
from phasezoo.store.weights import Block, write_block
from phasezoo.training.checkpoint import Checkpoint
from phasezoo.transfer.fine_tune import transfer
from phasezoo.vocabulary import Status
from steps.tiny import MLP, RESNET, Tiny

CPU = torch.device("cpu")
HEATS = {MLP: ("batch_size", [13, 31]), RESNET: ("learning_rate", [0.1, 1e11])}
SHARES = {MLP: "13+31", RESNET: "0.1+100000000000"}
FAMILIES = ("evaluation", "hessian", "connectivity", "similarity", "merging", "transfer")
# finite cells: zoo, load, temperature
CELLS = [(MLP, 7, 13), (MLP, 7, 31), (RESNET, 3, 0.1)]


class Cell:
    """The models of a cell at an epoch, read without the steps."""

    def __init__(self, tiny: Tiny, zoo: str, load: int, heat: float, epoch: int = 3) -> None:
        self.tiny, self.zoo, self.load, self.heat, self.epoch = tiny, zoo, load, heat, epoch
        self.task: Task = read_task(tiny.root / "data/digits.json", CPU)
        self.architecture = at_load(tiny.zoo(zoo), load)
        self.network = Network(build(self.architecture, (1, 8, 8), 10), CPU)

    @property
    def models(self) -> list[Weights]:
        return self.at(self.epoch)

    def at(self, epoch: int) -> list[Weights]:
        label = self.tiny.zoo(self.zoo).temperature.meaning.label(self.heat)
        segment = "0+1" if epoch < 2 else "2+3"
        runs = self.tiny.root / f"runs/{self.zoo}/{self.load}/{label}/0+1"
        return [Block(runs / f"{segment}.zarr").weights(seed, epoch) for seed in (0, 1)]

    def modules(self) -> list[nn.Module]:
        return [load_weights(build(self.architecture, (1, 8, 8), 10), w) for w in self.models]

    def names(self, seed: int) -> tuple[str, ...]:
        name, _ = HEATS[self.zoo]
        label = self.tiny.zoo(self.zoo).temperature.meaning.label(self.heat)
        return (self.zoo, f"width={self.load}", f"{name}={label}", f"seed={seed}")

    def pair_names(self) -> tuple[str, ...]:
        return (*self.names(0), "second=1", f"epoch={self.epoch}")

    def options(self, family: str) -> object:
        return next(f for f in self.tiny.zoo(self.zoo).families if f.family == family)

    def measured(self, family: str) -> xr.Dataset:
        """What the step wrote of the cell, over seeds, pairs and blocks."""
        path = f"measured/{self.zoo}/{self.load}/{SHARES[self.zoo]}/0+1/{self.epoch}/{family}.nc"
        data = measurements.read(self.tiny.root / path)
        return data.sel(load=self.load, temperature=self.heat, epoch=self.epoch)


@pytest.fixture(params=CELLS, ids=lambda c: f"{c[0]} {c[1]} {c[2]}")
def cell(request: pytest.FixtureRequest, tiny: Tiny) -> Cell:
    return Cell(tiny, *request.param)


def single(value: float) -> float:
    """As it is stored: float32."""
    return float(np.float32(value))


@pytest.mark.parametrize("epoch", [0, 3])
def test_losses_and_errors_are_plain_torchs(cell: Cell, epoch: int) -> None:
    cell.epoch = epoch
    found = cell.measured("evaluation")
    for seed, module in enumerate(cell.modules()):
        for part in ("train", "test"):
            inputs, labels = (getattr(cell.task, f"{part}_{w}") for w in ("inputs", "labels"))
            with torch.no_grad():
                logits = module(inputs).double()
            at = found.sel(seed=seed)
            loss = functional.cross_entropy(logits, labels).item()
            # float32 logits in one batch
            assert at[f"{part}_loss"].item() == pytest.approx(loss, rel=1e-6)
            wrong = (logits.argmax(1) != labels).double().mean().item()
            assert at[f"{part}_error"].item() == single(wrong)
        assert found["status"].sel(seed=seed).item() == Status.TRAINED
        assert found["collapsed"].sel(seed=seed).item() == 0


def dense_hessian(cell: Cell, model: Weights, samples: int) -> np.ndarray:
    """All second derivatives of the loss on the sample of the step, in float64."""
    inputs, labels = cell.task.training_sample(samples, "hessian")
    module = build(cell.architecture, (1, 8, 8), 10).double()
    wide = Network(module, CPU)

    def loss(theta: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(
            wide.apply(theta, model.buffers.double(), inputs.double()), labels
        )

    return torch.func.hessian(loss)(model.parameters.double()).numpy()


def test_curvature_is_that_of_the_dense_hessian(tiny: Tiny) -> None:
    cell = Cell(tiny, MLP, 3, 13)
    found, options = cell.measured("hessian"), cell.options("hessian")
    assert isinstance(options, Hessian)
    for seed, model in enumerate(cell.models):
        at = found.sel(seed=seed)
        matrix = dense_hessian(cell, model, options.samples)
        values = np.linalg.eigvalsh(matrix)
        top, residual = (at[f"hessian_top_eigenvalue{end}"].item() for end in ("", "_residual"))
        # an eigenvalue lies within the residual; the rest is float32
        assert np.abs(values - top).min() <= residual + 1e-4 * values[-1]
        assert top == pytest.approx(values[-1], rel=options.tolerance)
        assert at["hessian_top_eigenvalue_converged"].item() == 1
        trace = at["hessian_trace"].item()  # exact: such a network is linear between kinks
        assert trace == pytest.approx(np.trace(matrix), rel=1e-4)
        assert at["hessian_trace_standard_error"].item() == 0
        assert at["hessian_trace_converged"].item() == 1
        assert at["hessian_trace_test_converged"].item() == -1  # no test set was asked for


def test_curvature_is_that_of_the_named_generator(cell: Cell) -> None:
    options = cell.options("hessian")
    assert isinstance(options, Hessian)
    inputs, labels = cell.task.training_sample(options.samples, "hessian")
    for seed, model in enumerate(cell.models):
        chance = [rng.generator(*cell.names(seed), "hessian", 3)]
        (expected,) = curvature(cell.network, [model], inputs, labels, options, chance)
        at = cell.measured("hessian").sel(seed=seed)
        found = (at["hessian_trace"].item(), at["hessian_trace_standard_error"].item())
        wanted = (expected.trace.value, expected.trace.standard_error)
        assert found == pytest.approx(wanted, rel=1e-3)
        np.testing.assert_allclose(at["hessian_eigenvalues"], expected.eigenvalues, rtol=1e-3)


def test_the_linear_barrier_is_that_of_plain_torch_on_the_line(tiny: Tiny) -> None:
    cell = Cell(tiny, MLP, 7, 31)
    first, second = (model.parameters for model in cell.models)
    losses, errors = [], []
    module = build(cell.architecture, (1, 8, 8), 10)
    for t in np.linspace(0, 1, 5):
        theta = (1 - t) * first + t * second
        load_weights(module, Weights(theta.float(), torch.empty(0)))
        with torch.no_grad():
            logits = module(cell.task.train_inputs)
        losses.append(functional.cross_entropy(logits, cell.task.train_labels).item())
        errors.append((logits.argmax(1) != cell.task.train_labels).double().mean().item())
    found = cell.measured("connectivity").sel(pair="0-1")
    expected = max(losses) - (losses[0] + losses[-1]) / 2
    assert found["linear_barrier"].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    expected = max(errors) - (errors[0] + errors[-1]) / 2
    assert found["linear_barrier_error"].item() == pytest.approx(expected, abs=1e-6)


def test_connectivity_is_that_of_the_curve_trained_from_its_generator(cell: Cell) -> None:
    options = cell.options("connectivity")
    assert isinstance(options, Connectivity)
    chance = [rng.generator(*cell.pair_names(), "curve")]
    (expected,) = connect(cell.network, cell.task, [tuple(cell.models)], options, chance)
    found = cell.measured("connectivity").sel(pair="0-1")
    for name, value in expected.row().items():
        # what it is computed together with changes the rounding
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=2e-3, err_msg=name)
    assert found["t"].values.tolist() == np.linspace(0, 1, options.points).tolist()


def test_similarity_is_cka_of_gram_matrices_and_the_distance_of_vectors(cell: Cell) -> None:
    options = cell.options("similarity")
    assert isinstance(options, Similarity)
    inputs, _ = cell.task.test_sample(options.samples, "similarity")
    with torch.no_grad():
        first, second = (module(inputs).double().numpy() for module in cell.modules())
    n = options.samples
    centring = np.eye(n) - 1 / n
    K, L = (centring @ x @ x.T @ centring for x in (first, second))
    expected = (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())
    found = cell.measured("similarity").sel(pair="0-1")
    assert found["cka"].item() == pytest.approx(expected, rel=1e-5)
    a, b = (model.parameters.numpy().astype(np.float64) for model in cell.models)
    assert found["l2_distance"].item() == pytest.approx(np.sqrt(((a - b) ** 2).sum()), rel=1e-6)


def test_spectra_are_those_of_the_matrices_and_start_at_epoch_0(cell: Cell) -> None:
    if cell.zoo != MLP:
        return
    found = cell.measured("spectra")
    for seed, model in enumerate(cell.models):
        at = found.sel(seed=seed)
        modules = cell.modules()[seed]
        for name, tensor in modules.named_parameters():
            if tensor.ndim >= 2:
                values = np.linalg.svd(tensor.detach().flatten(1).double().numpy())[1]
                here = at.sel(matrix=name)
                assert here["spectral_norm"].item() == pytest.approx(values[0], rel=1e-5)
                rank = (values**2).sum() / values[0] ** 2
                assert here["stable_rank"].item() == pytest.approx(rank, rel=1e-5)
        start = cell.at(0)[seed].parameters
        distance = torch.linalg.vector_norm(model.parameters.double() - start.double()).item()
        assert at["distance_from_start"].item() == pytest.approx(distance, rel=1e-5)


def test_noise_and_learning_coefficient_are_those_of_every_model(cell: Cell) -> None:
    if cell.zoo != MLP:
        return
    noise, walk = (cell.options(name) for name in ("noise", "learning_coefficient"))
    some = cell.task.training_sample(noise.samples, "noise")
    found = noise_scale(cell.network, cell.models, *some, len(cell.task.train_labels))
    sample = cell.task.training_sample(walk.samples, "learning coefficient")
    for seed, model in enumerate(cell.models):
        at = cell.measured("noise").sel(seed=seed)
        expected = found[seed].squared_gradient.value
        assert at["squared_gradient"].item() == pytest.approx(expected, rel=1e-5)
        chance = [rng.generator(*cell.names(seed), "learning coefficient", 3)]
        (own,) = learning_coefficient(cell.network, [model], *sample, walk, chance)
        at = cell.measured("learning_coefficient").sel(seed=seed)
        assert at["learning_coefficient"].item() == pytest.approx(own.estimate.value, rel=1e-3)
        assert at["learning_coefficient_converged"].item() == own.converged


def test_merging_is_what_is_merged_by_hand(cell: Cell) -> None:
    options, net, task = cell.options("merging"), cell.network, cell.task
    assert isinstance(options, Merging)
    one, other = cell.models
    chance = rng.generator(*cell.pair_names(), "matching")
    spec = permutation_spec(net.module)
    matching = weight_matching(net, spec, (one, other), chance, sweeps=options.sweeps)
    _, moved = matching.applied(net, spec, (one, other))
    naive = merge_pair(net, task, (one, other), options.points)
    aligned = merge_pair(net, task, (one, moved), options.points)
    found = cell.measured("merging")
    pair = found.sel(pair="0-1")
    for arm, expected in (("naive", naive), ("aligned", aligned)):
        assert pair[f"barrier_{arm}"].item() == single(expected.loss_barrier)
        assert pair[f"error_barrier_{arm}"].item() == single(expected.error_barrier)
        assert pair[f"midpoint_error_{arm}"].item() == single(expected.midpoint_error)
    assert pair["ends_error"].item() == single(naive.ends_error)
    assert pair["matching_gain"].item() == single(matching.gain)
    assert pair["matching_converged"].item() == matching.converged
    # two seeds: their average is the midpoint
    block = found.sel(block="0+1")
    assert block["seed_average_error_naive"].item() == pair["midpoint_error_naive"].item()
    assert block["seed_average_error_aligned"].item() == pair["midpoint_error_aligned"].item()


def test_checkpoint_averages_reach_over_segments(cell: Cell) -> None:
    found = cell.measured("merging")
    for seed in (0, 1):
        late = [cell.at(epoch)[seed] for epoch in (1, 2, 3)]
        expected = average_error(cell.network, cell.task, late)
        assert found["checkpoint_average_error"].sel(seed=seed).item() == single(expected)
        alone = single_error(cell.network, cell.task, late[-1])
        assert found["single_error"].sel(seed=seed).item() == single(alone)


def test_transfer_is_that_of_every_model(cell: Cell) -> None:
    second = read_task(cell.tiny.root / "data/turned.json", CPU)
    options = cell.options("transfer")
    assert isinstance(options, Transfer)
    for seed, model in enumerate(cell.models):
        names = cell.names(seed)
        (expected,) = transfer(cell.architecture, [(model, names)], 10, second, options, CPU)
        at = cell.measured("transfer").sel(seed=seed)
        # trained together, they differ by rounding: a test image at the most
        found = [at[name].item() for name in ("fine_tuned_error", "scratch_error", "transfer_gain")]
        wanted = [expected.fine_tuned_error, expected.scratch_error, expected.gain]
        assert found == pytest.approx(wanted, abs=1.01 / len(second.test_labels), nan_ok=True)


def measured_path(zoo: str, load: int, family: str) -> str:
    return f"measured/{zoo}/{load}/{SHARES[zoo]}/0+1/3/{family}.nc"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("zoo", [MLP, RESNET])
def test_the_same_inputs_give_the_same_bytes(
    tiny: Tiny, tmp_path: Path, zoo: str, family: str
) -> None:
    path = measured_path(zoo, 3, family)
    torch.manual_seed(7)  # nothing is drawn from the global stream
    again = tiny.measure(path, tmp_path / "again.nc")
    assert again.read_bytes() == (tiny.root / path).read_bytes()


def damaged(tiny: Tiny, root: Path, factor: float, status: Status) -> Tiny:
    """The study with the weights of the second seed of one cell multiplied."""
    shutil.copytree(tiny.root, root)
    manifest = root / f"runs/{MLP}/7/13/0+1/2+3.json"
    block = Block(store_of(manifest))
    seeds = [
        [
            Checkpoint(epoch, block.weights(seed, epoch), block.last(seed).state, Status.TRAINED)
            for epoch in (2, 3)
        ]
        for seed in (0, 1)
    ]
    seeds[1] = [
        replace(c, weights=Weights(c.weights.parameters * factor, c.weights.buffers), status=status)
        for c in seeds[1]
    ]
    module = build(at_load(tiny.zoo(MLP), 7), (1, 8, 8), 10)
    with writing(manifest, {}) as directory:
        write_block(directory, seeds, (parameter_layout(module), buffer_layout(module)))
    return Tiny(root)


@pytest.fixture(scope="module")
def lost(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The seed diverged."""
    return damaged(tiny, tmp_path_factory.mktemp("lost") / "study", torch.nan, Status.DIVERGED)


@pytest.fixture(scope="module")
def far(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The seed's weights are finite, but its outputs overflow."""
    return damaged(tiny, tmp_path_factory.mktemp("far") / "study", 1e25, Status.TRAINED)


def unhurt(found: xr.Dataset, tiny: Tiny, family: str) -> None:
    """The other cell, and the first seed of the damaged one, are as they were."""
    before = measurements.read(tiny.root / measured_path(MLP, 7, family))
    close = {"rtol": 1e-3, "atol": 1e-4}  # the stack is another one, and so is its rounding
    xr.testing.assert_allclose(found.sel(temperature=31), before.sel(temperature=31), **close)
    for name, values in found.data_vars.items():
        if "seed" in values.dims:
            xr.testing.assert_allclose(values.sel(seed=0), before[name].sel(seed=0), **close)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_diverged_seed_is_recorded_and_the_rest_is_measured(
    tiny: Tiny, lost: Tiny, tmp_path: Path, family: str
) -> None:
    found = measurements.read(lost.measure(measured_path(MLP, 7, family), tmp_path / "a.nc"))
    unhurt(found, tiny, family)
    for name, values in found.sel(temperature=13).data_vars.items():
        of_seed = values.sel(seed=1) if "seed" in values.dims else values
        if name == "status":
            assert (of_seed == Status.DIVERGED).all()
        elif values.dtype.kind == "f":
            assert of_seed.isnull().all(), name
        else:
            assert (of_seed == -1).all(), name  # neither yes nor no


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_whose_outputs_overflow_stops_no_job(
    tiny: Tiny, far: Tiny, tmp_path: Path, family: str
) -> None:
    found = measurements.read(far.measure(measured_path(MLP, 7, family), tmp_path / "a.nc"))
    unhurt(found, tiny, family)
    numbers = {
        "evaluation": ["train_loss", "test_loss"],
        "hessian": ["hessian_top_eigenvalue", "hessian_trace"],
        "connectivity": ["linear_barrier", "mode_connectivity_loss"],
        "similarity": ["cka"],
        "merging": ["barrier_naive", "barrier_aligned"],
        "transfer": ["fine_tuned_error", "transfer_gain"],
    }[family]
    for name in numbers:
        of_cell = found[name].sel(temperature=13)
        of_seed = of_cell.sel(seed=1) if "seed" in of_cell.dims else of_cell
        assert not np.isfinite(of_seed).any(), name


def test_a_job_of_another_family_is_refused(tiny: Tiny) -> None:
    job, _ = tiny.job(measured_path(MLP, 3, "evaluation"))
    with pytest.raises(TypeError, match="got family evaluation, allowed is Hessian"):
        job.options_as(Hessian)


def test_altered_data_are_not_measured_on(tiny: Tiny, tmp_path: Path) -> None:
    shutil.copytree(tiny.root / "data", tmp_path / "data")
    (tmp_path / "data/digits.zarr/zarr.json").write_text("{}")
    job, weights = tiny.job(measured_path(MLP, 3, "evaluation"))
    with pytest.raises(ManifestError, match=r"digits\.zarr: altered"):
        evaluate(job, tmp_path / "data/digits.json", weights, tmp_path / "a.nc", 0)
    assert not (tmp_path / "a.nc").exists()


def test_a_job_on_one_temperature_gives_what_the_share_gives(tiny: Tiny, tmp_path: Path) -> None:
    job, weights = tiny.job(measured_path(MLP, 7, "evaluation"))
    alone = MeasureJob(**{**job.__dict__, "temperatures": (31,)})
    evaluate(alone, tiny.root / "data/digits.json", weights[1:], tmp_path / "a.nc", 0)
    whole = measurements.read(tiny.root / measured_path(MLP, 7, "evaluation"))
    xr.testing.assert_equal(measurements.read(tmp_path / "a.nc"), whole.sel(temperature=[31]))


def test_loads_that_share_a_job_give_what_they_give_alone(tiny: Tiny, tmp_path: Path) -> None:
    together, weights = [], []
    for load in (3, 7):
        job, of_load = tiny.job(measured_path(MLP, load, "evaluation"))
        together.append(job)
        weights += of_load
    both = MeasureJob(**{**together[0].__dict__, "loads": (3, 7)})
    evaluate(both, tiny.root / "data/digits.json", weights, tmp_path / "a.nc", 0)
    found = measurements.read(tmp_path / "a.nc")
    for load in (3, 7):
        alone = measurements.read(tiny.root / measured_path(MLP, load, "evaluation"))
        xr.testing.assert_equal(found.sel(load=[load]), alone)


def test_what_a_failed_job_finished_is_not_measured_again(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, weights = tiny.job(measured_path(MLP, 3, "evaluation"))
    _, more = tiny.job(measured_path(MLP, 7, "evaluation"))
    job = MeasureJob(**{**first.__dict__, "loads": (3, 7)})
    task = read_task(tiny.root / "data/digits.json", torch.device("cpu"))
    asked: list[int] = []

    def rows(cells: Sequence[steps_cells.Cell], fail: bool) -> list[Row]:
        asked.append(int(cells[0].load))
        if fail and cells[0].load == 7:
            raise RuntimeError("killed")
        names = schema.family_variables("evaluation")
        return [dict.fromkeys(names, [1.0] * len(cell.seeds)) for cell in cells]

    with pytest.raises(RuntimeError, match="killed"):
        measure(job, task, [*weights, *more], tmp_path / "a.nc", lambda *at: rows(at[2], True))
    assert not (tmp_path / "a.nc").exists()
    measure(job, task, [*weights, *more], tmp_path / "a.nc", lambda *at: rows(at[2], False))
    assert asked == [3, 7, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nc", "a.nc.sha256"]

    # another job, or another code, does not take it over
    monkeypatch.setattr("phasezoo.steps.cells.code_digest", lambda step: "other")
    with pytest.raises(RuntimeError, match="killed"):
        measure(job, task, [*weights, *more], tmp_path / "a.nc", lambda *at: rows(at[2], True))
    assert asked == [3, 7, 7, 3, 7]


def test_statistics_are_those_of_every_tensor(cell: Cell) -> None:
    if cell.zoo != MLP:
        return
    found = cell.measured("statistics")["weight_statistics"]
    for seed, module in enumerate(cell.modules()):
        for name, tensor in module.named_parameters():
            at = found.sel(seed=seed, tensor=name)
            values = tensor.detach().double()
            assert at.sel(statistic="mean").item() == pytest.approx(values.mean().item(), rel=1e-5)
            assert at.sel(statistic="norm").item() == pytest.approx(values.norm().item(), rel=1e-5)
            top = at.sel(statistic="spectral_norm").item()
            if tensor.ndim == 1:
                assert np.isnan(top)
            else:
                expected = torch.linalg.matrix_norm(values, 2).item()
                assert top == pytest.approx(expected, rel=1e-5)
