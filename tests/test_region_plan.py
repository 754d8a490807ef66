"""What the rules of region studies read and are told, and that a study grows by adding."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from phasezoo import inventory, paths
from phasezoo.plan import Plan
from phasezoo.spec import study_from
from phasezoo.spec.region_jobs import JoinRegionsJob, MeasureRegionsJob, TuneJob
from regions_study import NAME, ZOO, given

START = [
    "runs/digits-mlp/7/53+101/0+1/0+1.json",
    "runs/digits-mlp/7/53+101/0+1/2.json",
]


def plan_of(spec: dict[str, Any] | None = None) -> Plan:
    return Plan(study_from(spec or given()))


def at(**labels: str) -> Any:
    return SimpleNamespace(regions=NAME, **labels)


def tuned(plan: Plan) -> dict[str, tuple[object, ...]]:
    """For every tuning job what it is told and reads."""
    found = {}
    for manifest in plan.tuned_of(NAME):
        _, name, _, start, dataset, block = manifest.removesuffix(".json").split("/")
        w = at(start=start, dataset=dataset, block=block)
        assert name == NAME
        read = (plan.start_weights(w), plan.start_data(w), plan.target_data(w))
        found[manifest] = (plan.tune_job(w), *read)
    return found


def test_a_start_is_the_one_store_that_holds_its_cell_up_to_its_epoch() -> None:
    plan = plan_of()
    assert plan.starts_of(NAME) == START
    w = at(dataset="size-0")
    assert plan.start_weights(w) == START[-1]
    assert plan.start_data(w) == "data/digits.json"
    earlier = given()
    for start in ("start", "other_start"):
        earlier["regions"][NAME][start]["epoch"] = 1
    assert plan_of(earlier).starts_of(NAME) == START[:1]


def test_a_run_of_the_study_alone_makes_what_it_starts_from_and_no_more_of_the_zoo() -> None:
    made = plan_of().everything()
    assert [path for path in made if path.startswith("runs/") and path.endswith(".json")] == START
    assert not [path for path in made if path.startswith(("measured/", "zoos/"))]
    assert made[-2:] == [paths.REGIONS.format(regions=NAME), paths.REPORT]
    assert len([p for p in made if p.startswith("data/") and p.endswith(".json")]) == 5


def test_a_run_of_both_names_each_artefact_once() -> None:
    spec = given()
    spec["run"] = [ZOO, NAME]
    plan = plan_of(spec)
    made = plan.everything()
    assert len(made) == len(set(made))
    assert plan.published() == [paths.ZOO_MANIFEST.format(zoo=ZOO)]
    assert json.loads(plan.report_job())["regions"] == [NAME]


def test_the_report_of_zoos_alone_is_told_as_before() -> None:
    spec = given()
    spec["run"] = [ZOO]
    assert "regions" not in json.loads(plan_of(spec).report_job())


def test_a_seed_block_a_data_set_and_a_family_leave_what_is_tuned_alone() -> None:
    before = tuned(plan_of())
    grown = given()
    study = grown["regions"][NAME]
    grown["data"]["digit-0"] = grown["data"]["parity-0"] | {"question": "digit"}
    grown["data"]["size-30"] = grown["data"]["size-0"] | {"rotation": 30}
    study["families"]["size"].insert(1, "size-30")
    study["families"] = {"digit": ["digit-0"], **study["families"]}
    del study["domains"]
    study["seeds"].append([2, 3])
    after = tuned(plan_of(grown))
    assert before.items() <= after.items()
    assert len(after) == 2 * 6 * 2


def test_jobs_read_back_what_they_are_told() -> None:
    plan = plan_of()
    job = TuneJob.model_validate_json(
        plan.tune_job(at(start="other_start", dataset="size-0", block="0+1"))
    )
    assert (job.start.seed, job.seeds, job.dataset) == (0, (0, 1), "size-0")
    assert job.names(1) == (NAME, "other_start", "size-0", "seed=1")
    assert (job.tuned.name, job.tuned.size) == ("mlp", 7)
    w = at(dataset="size-90")
    measure = MeasureRegionsJob.model_validate_json(plan.measure_regions_job(w))
    assert measure.manifests() == plan.tuned_weights(w)
    join = JoinRegionsJob.model_validate_json(plan.join_regions_job(w))
    both = [path for start in join.starts for path in join.manifests(start)]
    assert both == plan.all_tuned(w)
    assert join.measured() == plan.measured_on(w)
    assert set(plan.start_manifests(w)) == {path for of in join.origins.values() for path in of}


def test_every_label_in_a_path_is_declared() -> None:
    known = plan_of().constraints()
    assert known["start"] == "other_start|start"
    assert known["regions"] == NAME
    assert {"0\\+1"} <= set(known["block"].split("|"))


def test_the_manifest_of_tuned_models_should_say_what_the_job_was_told() -> None:
    plan = plan_of()
    manifest = plan.tuned_of(NAME)[0]
    w = at(start="start", dataset="parity-0", block="0+1")
    assert plan.spec_of(manifest) == json.loads(plan.tune_job(w))
    assert manifest in plan.sources()
    assert f"regions/{NAME}" in plan.folders([NAME])


def test_a_data_set_is_lost_where_something_was_made_from_it_and_not_before(tmp_path) -> None:
    plan = plan_of()
    assert inventory.lost_data(plan, tmp_path) == []
    manifest = tmp_path / paths.TUNED_MANIFEST.format(
        regions=NAME, start="start", dataset="size-0", block="0+1"
    )
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    assert inventory.lost_data(plan, tmp_path) == ["data/size-0.json", "data/size-0.zarr"]
    start = tmp_path / START[0]
    start.parent.mkdir(parents=True)
    start.write_text("{}")
    assert inventory.lost_data(plan, tmp_path)[:2] == ["data/digits.json", "data/digits.zarr"]


def test_an_imported_start_that_is_missing_is_wanted_of_its_zoo(tmp_path) -> None:
    spec = given()
    spec["zoos"][ZOO]["imported"] = [[0, 1]]
    wanting = inventory.wanting_imports(plan_of(spec), tmp_path)
    assert wanting == {ZOO: [
        "imported/digits-mlp/7/53/0+1/0+1.json", "imported/digits-mlp/7/53/0+1/2.json",
    ]}  # fmt: skip
