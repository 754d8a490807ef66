"""What a zoo is said to cost is what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest
import zarr

from phasezoo.cost import Cost, Size, cost_of, together
from phasezoo.data.inputs import inputs_of
from phasezoo.models.size import sizes_of
from phasezoo.plan import Plan
from phasezoo.spec import study_from
from steps.tiny import MLP, RESNET, STUDY, Tiny


def cost(plan: Plan, name: str) -> Cost:
    zoo = plan.zoos[name]
    inputs = inputs_of(plan.study.data[zoo.dataset])
    assert inputs is not None
    return cost_of(plan, name, sizes_of(zoo, inputs, zoo.load.all_values))


def files(root: Path, name: str) -> list[Path]:
    folders = (root / kind / name for kind in ("runs", "measured", "results"))
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_models_and_checkpoints_are_those_of_the_grid(tiny: Tiny, name: str) -> None:
    found = cost(tiny.plan, name)
    assert (found.models, found.checkpoints) == (2 * 2 * 2, 2 * 2 * 2 * 4)


def test_every_file_of_a_finished_zoo_was_counted(tiny: Tiny) -> None:
    """Of the MLP, all of whose models live; it has no buffers."""
    assert cost(tiny.plan, MLP).files == len(files(tiny.root, MLP))


def test_files_of_models_that_diverged_are_counted_although_their_shards_are_empty(
    tiny: Tiny,
) -> None:
    """A shard that holds nothing but NaN is not written: of half the cells, epochs 1 to 3."""
    lost = 2 * 3 * 2  # loads, epochs, parameters and buffers
    assert cost(tiny.plan, RESNET).files == len(files(tiny.root, RESNET)) + lost


@pytest.mark.parametrize("name", [MLP, RESNET])
def test_bytes_are_those_of_the_stored_arrays_before_compression(tiny: Tiny, name: str) -> None:
    stores = (tiny.root / "runs" / name).rglob("*.zarr")
    arrays = [array for store in stores for _, array in zarr.open_group(store, mode="r").arrays()]
    assert {array.dtype.itemsize for array in arrays} == {4}
    assert cost(tiny.plan, name).bytes == sum(array.nbytes for array in arrays)


def test_jobs_are_one_per_artefact_of_the_plan(tiny: Tiny) -> None:
    """Manifests and joined files; a data set, labels and the store are made by one job each."""
    made = tiny.plan.of_zoo(MLP)
    outputs = [path for path in made if path.endswith((".nc", ".json")) and "phases.js" not in path]
    assert cost(tiny.plan, MLP).jobs == len(outputs)


def test_a_data_set_that_zoos_share_is_made_once(tiny: Tiny) -> None:
    costs = [cost(tiny.plan, name) for name in (MLP, RESNET)]
    found = together(tiny.plan, costs)
    assert found.jobs == sum(c.jobs for c in costs) - 2  # digits, and the second task
    assert found.models == 16
    assert found.bytes == sum(c.bytes or 0 for c in costs)


def test_models_of_unknown_size_leave_the_bytes_open(tiny: Tiny) -> None:
    unknown = cost_of(tiny.plan, MLP, None)
    assert (unknown.files, unknown.bytes) == (None, None)
    assert unknown.jobs == cost(tiny.plan, MLP).jobs
    assert together(tiny.plan, [unknown, cost(tiny.plan, RESNET)]).bytes is None


def test_imported_blocks_take_no_jobs_and_have_no_state_of_an_optimiser() -> None:
    given = STUDY["zoos"][MLP] | {"seeds": [[0, 1], [2, 3]]}
    trained, brought = (
        Plan(study_from({**STUDY, "run": [MLP], "zoos": {MLP: given | {"imported": imported}}}))
        for imported in ([], [[2, 3]])
    )
    sizes = {3: Size(101, 7), 7: Size(211, 7)}
    all_trained, with_imports = (cost_of(plan, MLP, sizes) for plan in (trained, brought))
    blocks = 2 * 2 * 2  # loads, temperatures, segments
    assert all_trained.jobs - with_imports.jobs == blocks
    assert all_trained.files is not None
    assert with_imports.files is not None
    assert all_trained.bytes is not None
    assert with_imports.bytes is not None
    assert all_trained.files - with_imports.files == blocks * (1 + 2)
    assert all_trained.bytes - with_imports.bytes == 4 * 2 * 2 * 2 * (101 + 211)


def test_an_optimiser_of_many_vectors_stores_them_in_one_array() -> None:
    """2 pairs, gradient, direction and search, of each of two seeds."""
    optimiser = {
        "name": "lbfgs", "learning_rate": None, "history": 2, "tolerance_grad": 0,
        "tolerance_change": 0,
    }  # fmt: skip
    given = STUDY["zoos"][MLP]
    whole = {"optimiser": optimiser, "batch_size": "full", "schedule": {"name": "constant"}}
    heat = {"hyperparameter": "learning_rate", "values": [[0.1, 1.0]]}
    plain = given | {"temperature": heat}
    searched = plain | {"training": given["training"] | whole}
    sgd = given["training"]["optimiser"] | {"learning_rate": None}
    stepped = plain | {"training": given["training"] | whole | {"optimiser": sgd}}
    sizes = {3: Size(101, 7), 7: Size(211, 7)}
    found, base = (
        cost_of(Plan(study_from({**STUDY, "run": [MLP], "zoos": {MLP: zoo}})), MLP, sizes)
        for zoo in (searched, stepped)
    )
    assert found.files == base.files
    assert found.bytes is not None
    assert base.bytes is not None
    models = 2 * 2  # temperatures, seeds
    assert found.bytes - base.bytes == 4 * 2 * models * (7 - 1) * (101 + 211)
