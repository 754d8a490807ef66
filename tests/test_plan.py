"""What each rule reads and is told, and that a zoo grows without touching what is there."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from phasezoo import paths
from phasezoo.plan import GROUPS, Plan
from phasezoo.spec import jobs, study_from
from phasezoo.spec.training_jobs import training_job

STUDY = Path(__file__).parent / "study.yaml"
NAME = "digits-mlp"
WEIGHTS = ("load", "temperature", "block", "segment")


def given(*together: str) -> dict[str, Any]:
    """A small study of two segments, two blocks and two shares."""
    spec = json.loads(json.dumps(yaml.safe_load(STUDY.read_text(encoding="utf-8"))))
    spec["zoos"] = {NAME: spec["zoos"][NAME]}
    zoo = spec["zoos"][NAME]
    zoo["load"]["values"] = [4, 8]
    zoo["temperature"]["values"] = [[8, 32], [128]]
    zoo["seeds"] = [[0, 1], [2, 3]]
    zoo["training"]["checkpoints"] = [[0, 10, 30], [52, 60]]
    zoo["merging"]["last_checkpoints"] = [30, 60]
    zoo["training"]["together"] = list(together)
    return spec


def plan_of(spec: dict[str, Any]) -> Plan:
    return Plan(study_from(spec))


def at(**labels: object) -> Any:
    return SimpleNamespace(zoo=NAME, **{name: str(label) for name, label in labels.items()})


def told(plan: Plan) -> dict[str, tuple[object, ...]]:
    """For every training and measuring artefact: what its job is told and what it reads."""
    zoo, out = plan.zoos[NAME], {}
    blocks = [paths.numbers_label(block) for block in zoo.seeds]
    for manifest in plan.weights_of(NAME):
        w = at(**dict(zip(WEIGHTS, manifest.removesuffix(".json").split("/")[2:], strict=True)))
        path = paths.WEIGHTS.format(**vars(w))
        out[path] = (plan.train_job(w), plan.resumed(w), plan.data_of(w))
    loads, heats = (
        [paths.share_label(axis.meaning, share) for share in axis.values]
        for axis in (zoo.load, zoo.temperature)
    )
    for family, load, heat, block in product(zoo.families, loads, heats, blocks):
        for epoch in family.epochs:
            w = at(loads=load, temperatures=heat, blocks=block, epoch=epoch)
            path = paths.MEASURED.format(family=family.family, **vars(w))
            reads = (
                plan.merged_weights(w) if family.family == "merging" else plan.measured_weights(w)
            )
            out[path] = (plan.measure_job(family.family)(w), reads)
    return out


def test_a_cell_is_told_its_width_and_batch_size() -> None:
    w = at(load=8, temperature=32, block="2+3", segment="0+10+30")
    job = jobs.TrainJob.model_validate_json(plan_of(given()).train_job(w))
    assert (job.architecture.width, job.optimisation.batch_size) == (8, 32)
    assert (job.place.seeds, job.epochs, job.resume) == ((2, 3), (0, 10, 30), None)


def test_a_later_segment_resumes_from_the_end_of_the_one_before() -> None:
    plan = plan_of(given())
    w = at(load=8, temperature=32, block="2+3", segment="52+60")
    job = jobs.TrainJob.model_validate_json(plan.train_job(w))
    assert (job.epochs, job.resume) == ((52, 60), 30)
    assert plan.resumed(w) == [f"runs/{NAME}/8/32/2+3/0+10+30.json"]


def test_the_first_segment_resumes_from_nothing() -> None:
    w = at(load=8, temperature=32, block="2+3", segment="0+10+30")
    assert plan_of(given()).resumed(w) == []


def test_a_measurement_reads_the_cells_of_its_share_at_the_segment_of_its_epoch() -> None:
    w = at(loads="4+8", temperatures="8+32", blocks="0+1", epoch=60)
    assert plan_of(given()).measured_weights(w) == [
        f"runs/{NAME}/4/8/0+1/52+60.json",
        f"runs/{NAME}/4/32/0+1/52+60.json",
        f"runs/{NAME}/8/8/0+1/52+60.json",
        f"runs/{NAME}/8/32/0+1/52+60.json",
    ]


def test_merging_reads_every_segment_that_it_averages_over() -> None:
    w = at(loads="4", temperatures="128", blocks="0+1", epoch=60)
    assert plan_of(given()).merged_weights(w) == [
        f"runs/{NAME}/4/128/0+1/0+10+30.json",
        f"runs/{NAME}/4/128/0+1/52+60.json",
    ]


def test_a_measurement_is_told_of_no_epoch_but_its_own() -> None:
    w = at(loads="4", temperatures="8+32", blocks="0+1", epoch=10)
    job = jobs.MeasureJob.model_validate_json(plan_of(given()).measure_job("evaluation")(w))
    assert (job.epoch, job.options.epochs) == (10, (10,))
    assert (job.loads, job.temperatures) == ((4,), (8, 32))


def test_collecting_reads_every_measurement_of_its_group_once() -> None:
    plan = plan_of(given())
    joined = [path for group in GROUPS for path in plan.measurements(group)(at())]
    measured = [path for path in told(plan) if path.startswith("measured/")]
    assert sorted(joined) == sorted(measured)
    assert (
        len(joined) == (4 + 5) * 2 * 2 * 2
    )  # epochs (evaluation 4, others 1), loads, shares, blocks


def test_publishing_reads_every_training_artefact_once() -> None:
    plan = plan_of(given())
    trained = [path for path in told(plan) if path.startswith("runs/")]
    assert sorted(plan.all_weights(at())) == sorted(p.replace(".zarr", ".json") for p in trained)


def test_collecting_is_told_the_whole_grid() -> None:
    job = jobs.CollectJob.model_validate_json(plan_of(given()).collect_job("metrics")(at()))
    assert (job.loads, job.temperatures) == ((4, 8), (8, 32, 128))
    assert (job.seeds, job.group) == (((0, 1), (2, 3)), "metrics")


def test_all_asks_for_the_zoos_of_the_run_and_the_report() -> None:
    plan = plan_of(given())
    assert plan.targets() == [f"zoos/{NAME}.json", "results/report/index.html"]
    assert plan.published() == [f"zoos/{NAME}.json"]
    assert jobs.ReportJob.model_validate_json(plan.report_job()).zoos == {
        NAME: ("metrics", "merging", "transfer", "explained")
    }


def test_a_zoo_reads_its_two_data_sets() -> None:
    plan = plan_of(given())
    assert plan.data_of(at()) == "data/digits.json"
    assert plan.transfer_data_of(at()) == "data/digits-rotated.json"
    job = jobs.DataJob.model_validate_json(plan.data_job(SimpleNamespace(dataset="digits-rotated")))
    assert (job.name, job.spec.rotation) == ("digits-rotated", 90)


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("gpu", 1)])
def test_only_gpu_zoos_ask_for_a_gpu(device: str, gpus: int) -> None:
    spec = given()
    spec["zoos"][NAME]["training"]["device"] = device
    assert plan_of(spec).gpus(at()) == gpus


def grow_load(zoo: dict[str, Any]) -> None:
    zoo["load"]["values"].insert(0, 6)


def grow_temperature(zoo: dict[str, Any]) -> None:
    zoo["temperature"]["values"].append([16, 64])


def grow_seeds(zoo: dict[str, Any]) -> None:
    zoo["seeds"].append([4, 5])


def grow_epochs(zoo: dict[str, Any]) -> None:
    zoo["training"]["checkpoints"].append([70])
    zoo["metrics"]["hessian"]["epochs"].append(70)


def grow_measured_epochs(zoo: dict[str, Any]) -> None:
    zoo["metrics"]["connectivity"]["epochs"].insert(0, 30)


@pytest.mark.parametrize("together", [[], ["temperature"], ["load", "temperature"]], ids="-".join)
@pytest.mark.parametrize(
    "grow", [grow_load, grow_temperature, grow_seeds, grow_epochs, grow_measured_epochs]
)
def test_growth_adds_jobs_and_changes_none(grow: Any, together: list[str]) -> None:
    before, spec = told(plan_of(given(*together))), given(*together)
    grow(spec["zoos"][NAME])
    after = told(plan_of(spec))
    assert len(after) > len(before)
    assert {path: after.get(path) for path in before} == before


def test_a_value_within_a_share_that_is_trained_together_makes_other_jobs_of_it_alone() -> None:
    before, spec = told(plan_of(given("temperature"))), given("temperature")
    spec["zoos"][NAME]["temperature"]["values"] = [[8, 32, 64], [128]]
    after = told(plan_of(spec))
    gone, new = (
        [path.split("/")[3] for path in a if path not in b]
        for a, b in ((before, after), (after, before))
    )
    assert (set(gone), set(new)) == ({"8+32"}, {"8+32+64"})
    assert all(after[path] == before[path] for path in before if "/128/" in path)


@pytest.mark.parametrize(
    ("together", "count", "first"),
    [
        (["temperature"], 2 * 2, "4/8+32"),
        (["load"], 1 * 3, "4+8/8"),
        (["load", "temperature"], 1 * 2, "4+8/8+32"),
        ([], 2 * 3, "4/8"),
    ],
)
def test_a_job_trains_a_share_along_the_axes_that_go_together(
    together: list[str], count: int, first: str
) -> None:
    spec = given(*together)
    spec["zoos"][NAME]["load"]["values"] = [[4, 8]]
    found = plan_of(spec).weights_of(NAME)
    assert len(found) == count * 2 * 2  # blocks, segments
    assert found[0] == f"runs/{NAME}/{first}/0+1/0+10+30.json"


def test_a_share_is_told_all_its_cells_and_resumes_as_a_whole() -> None:
    plan = plan_of(given("temperature"))
    w = at(load=4, temperature="8+32", block="0+1", segment="52+60")
    job = jobs.TrainShareJob.model_validate_json(plan.train_job(w))
    assert [cell.labels for cell in job.cells()] == [("4", "8"), ("4", "32")]
    assert plan.resumed(w) == [f"runs/{NAME}/4/8+32/0+1/0+10+30.json"]


@pytest.mark.parametrize("together", [["temperature"], ["load"], ["load", "temperature"]])
def test_every_cell_of_a_share_is_told_what_a_job_of_its_own_is(together: list[str]) -> None:
    spec = given(*together)
    spec["zoos"][NAME]["load"]["values"] = [[4, 8]]
    alone = {path: job for path, (job, *_) in told(plan_of(given())).items() if "runs/" in path}
    found = {}
    for path, (line, *_) in told(plan_of(spec)).items():
        if path.startswith("runs/"):
            block = path.split("/", 4)[4]
            for cell in training_job(str(line)).cells():
                found[f"runs/{NAME}/{'/'.join(cell.labels)}/{block}"] = cell.model_dump_json()
    assert found == alone


def test_what_is_measured_reads_every_store_of_its_cells_once() -> None:
    plan = plan_of(given("temperature"))
    w = at(loads="4+8", temperatures="8+32", blocks="0+1", epoch=60)
    assert plan.measured_weights(w) == [
        f"runs/{NAME}/4/8+32/0+1/52+60.json",
        f"runs/{NAME}/8/8+32/0+1/52+60.json",
    ]
    assert plan.merged_weights(w) == [
        f"runs/{NAME}/{load}/8+32/0+1/{segment}.json"
        for segment in ("0+10+30", "52+60")
        for load in (4, 8)
    ]


def test_imported_blocks_lie_cell_by_cell_whatever_is_trained_together() -> None:
    spec = given("load", "temperature")
    spec["zoos"][NAME]["imported"] = [[2, 3]]
    plan = plan_of(spec)
    w = at(loads="4", temperatures="8+32", blocks="0+1x2+3", epoch=60)
    assert plan.measured_weights(w) == [
        f"runs/{NAME}/4/8+32/0+1/52+60.json",
        f"imported/{NAME}/4/8/2+3/52+60.json",
        f"imported/{NAME}/4/32/2+3/52+60.json",
    ]


def test_rules_train_the_shares_that_are_declared_and_no_others() -> None:
    apart, together = (plan_of(given(*axes)).constraints() for axes in ((), ("temperature",)))
    for labels, wanted in ((apart, {"8", "32", "128"}), (together, {"8+32", "128"})):
        found = {t for t in ("8", "32", "128", "8+32") if re.fullmatch(labels["temperature"], t)}
        assert found == wanted


def test_the_spec_of_a_share_is_found_by_its_manifest() -> None:
    plan = plan_of(given("load", "temperature"))
    for manifest in plan.weights_of(NAME):
        spec = plan.spec_of(manifest)
        assert spec is not None
        assert spec["temperatures" if "8+32" in manifest else "temperature"]


def test_a_job_of_one_cell_is_told_what_it_has_always_been() -> None:
    w = at(load=8, temperature=32, block="2+3", segment="52+60")
    assert plan_of(given()).train_job(w) == GOLDEN


GOLDEN = (
    '{"recipe":1,"data":{"source":"digits","recipe":1,"train":1200,"split_seed":0,"keep":n'
    'ull,"rotation":0,"label_noise":null},"place":{"zoo":"digits-mlp","load_name":"width",'
    '"load":8,"temperature_name":"batch_size","seeds":[2,3]},"temperature":32,"architectur'
    'e":{"name":"mlp","hidden_layers":2,"width":8},"optimisation":{"optimiser":{"name":"sg'
    'd","learning_rate":0.1,"momentum":0.9,"weight_decay":0.0005,"nesterov":false},"schedu'
    'le":{"name":"onecycle","epochs":60,"pct_start":0.3,"div_factor":25.0,"final_div_facto'
    'r":10000.0,"cycle_momentum":true,"base_momentum":0.85,"max_momentum":0.95},"batch_siz'
    'e":32},"epochs":[52,60],"resume":30}'
)


def test_a_changed_option_changes_only_the_jobs_that_it_decides() -> None:
    before, spec = told(plan_of(given())), given()
    spec["zoos"][NAME]["metrics"]["hessian"]["probes"] = 41
    after = told(plan_of(spec))
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {path for path in before if path.endswith("hessian.nc")}
