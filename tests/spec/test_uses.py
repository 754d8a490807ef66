"""How models are used is refused in one line where it cannot be, and absent where not asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from phasezoo import paths
from phasezoo.inventory import lost_data
from phasezoo.plan import GROUPS, Plan
from phasezoo.spec import SpecError, jobs, study_from
from phasezoo.spec.base import explain
from phasezoo.spec.letters import Letters

STUDY = Path(__file__).parents[1] / "study.yaml"
PARAMS = Path(__file__).parents[2] / "params.yaml"
NAME = "digits-mlp"
USES = ("new_task", "robustness", "pruning", "ensembling")
HOW = {
    "optimiser": {
        "name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0, "nesterov": False
    },
    "schedule": {"name": "constant"},
    "batch_size": 17,
}  # fmt: skip
LETTERS = {
    "source": "letters", "recipe": 1, "letters": 5, "size": 8, "copies": 1, "tilt": 0, "shift": 0,
    "zoom": 0, "seed": 0, "train": 31, "split_seed": 0,
}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "new_task": {"dataset": "letters", "head": "fresh", "fine_tune_epochs": 3, "optimisation": HOW},
    "robustness": {
        "corruptions": {"blur": [0.5, 1], "contrast": [0.1, 0.2]},
        "shifted": "digits-rotated",
        "foreign": "letters",
    },
    "pruning": {
        "scopes": ["layer"], "sparsities": [0.3, 0.6], "retrain_epochs": 2, "optimisation": HOW
    },
    "ensembling": {},
}  # fmt: skip


def base() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(STUDY.read_text("utf-8"))))
    found["zoos"] = {NAME: found["zoos"][NAME]}
    return found


def given() -> dict[str, Any]:
    found = base()
    found["data"]["letters"] = dict(LETTERS)
    last = found["zoos"][NAME]["training"]["checkpoints"][-1][-1]
    uses = {name: {"epochs": [last], **spec} for name, spec in GIVEN.items()}
    found["zoos"][NAME] |= json.loads(json.dumps(uses))
    return found


def at(**labels: str) -> SimpleNamespace:
    return SimpleNamespace(zoo=NAME, **labels)


def put(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(spec: dict[str, Any]) -> None:
        *above, last = key.split(".")
        here = spec["zoos"][NAME]
        for part in above:
            here = here[part]
        here[last] = value

    return change


def test_a_zoo_without_them_says_what_it_always_did() -> None:
    line = Plan(study_from(base())).publish_job(at())
    assert not any(name in line for name in USES)
    assert [f.family for f in study_from(base()).zoos[NAME].families][-1] == "transfer"


def test_they_are_families_of_the_group_transfer() -> None:
    plan = Plan(study_from(given()))
    zoo = plan.zoos[NAME]
    assert [family.family for family in zoo.families][-4:] == list(USES)
    assert set(USES) < set(GROUPS["transfer"])
    found = {path.split("/")[-1] for path in plan.measurements("transfer")(at())}
    assert found == {f"{name}.nc" for name in ("transfer", *USES)}
    assert plan.data_of_zoo(zoo) == ["digits", "digits-rotated", "letters"]
    assert plan.new_task_data_of(at()) == "data/letters.json"
    assert plan.other_data_of(at()) == ["data/digits-rotated.json", "data/letters.json"]


def test_without_other_data_sets_none_is_read() -> None:
    spec = given()
    spec["zoos"][NAME]["robustness"] |= {"shifted": None, "foreign": None}
    assert Plan(study_from(spec)).other_data_of(at()) == []


def test_a_group_may_have_them_without_transfer() -> None:
    spec = given()
    spec["zoos"][NAME]["transfer"] = None
    plan = Plan(study_from(spec))
    assert plan.groups(plan.zoos[NAME]) == ["metrics", "merging", "transfer"]


def test_ensembles_are_measured_between_blocks_too() -> None:
    spec = given()
    spec["zoos"][NAME] |= {"seeds": [[0, 1], [2, 3]], "pairs": "all"}
    plan = Plan(study_from(spec))
    found = {p.split("/")[4] for p in plan.measurements("transfer")(at()) if "ensembling" in p}
    assert found == {"0+1", "2+3", "0+1x2+3"}
    assert paths.measured("ensembling").endswith("ensembling.nc")


def test_a_job_is_told_its_options_and_reads_them_again() -> None:
    plan = Plan(study_from(given()))
    zoo = plan.zoos[NAME]
    epoch = str(zoo.training.saved_epochs[-1])
    load, heat = (axis.meaning.label(axis.all_values[0]) for axis in (zoo.load, zoo.temperature))
    labels = at(loads=load, temperatures=heat, blocks="0+1", epoch=epoch)
    for name in USES:
        line = plan.measure_job(name)(labels)
        job = jobs.MeasureJob.model_validate_json(line)
        assert job.options == getattr(zoo, name)
        assert job.model_dump_json() == line


REFUSED = [
    ("new_task.dataset", "mnist", "declared data sets"),
    ("new_task.head", "kept", "fresh, because letters has 5 classes and not 10"),
    ("new_task.optimisation.batch_size", None, "a number, because no grid axis sets it here"),
    ("new_task.epochs", [7], "the saved checkpoints"),
    ("robustness.corruptions", {}, "at least one of the corruptions"),
    ("robustness.corruptions.fog", [1, 2], "one of the keys gaussian_noise"),
    ("robustness.corruptions.contrast", [0.1], "2 severities, as of blur"),
    ("robustness.corruptions.contrast", [0.2, 0.1], "severities that increase"),
    ("robustness.corruptions.contrast", [0.2, 1.1], "at most 1"),
    ("robustness.corruptions.rotation", [20, 200], "at most 180"),
    ("robustness.shifted", "letters", "a data set of 10 classes, as digits, not of 5"),
    ("robustness.foreign", "mnist", "the declared data sets of images"),
    ("pruning.scopes", [], "at least one scope"),
    ("pruning.scopes", ["all"], "'global' or 'layer'"),
    ("pruning.sparsities", [0.5, 1.0], "less than 1"),
    ("pruning.sparsities", [0.5, 0.5], "each sparsity once"),
    ("pruning.sparsities", [0.5, 0.3], "sparsities that increase"),
    ("pruning.optimisation.schedule", {"name": "cosine", "epochs": 3, "eta_min": 0},
     "2, the retrain_epochs that it is to span"),
    ("pruning.epochs", [7], "the saved checkpoints"),
    ("ensembling.epochs", [7], "the saved checkpoints"),
]  # fmt: skip


def refusal(spec: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as refused:
        study_from(spec)
    (line,) = str(refused.value).splitlines()
    return line


@pytest.mark.parametrize(("key", "value", "allowed"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_cannot_be_is_refused_in_one_line(key: str, value: object, allowed: str) -> None:
    spec = given()
    put(key, value)(spec)
    line = refusal(spec)
    assert f"zoos.{NAME}.{key.split('.')[0]}" in line
    assert allowed in line


@pytest.mark.parametrize("key", ["new_task.optimisation", "pruning.optimisation"])
def test_a_line_search_cannot_hold_weights(key: str) -> None:
    spec = given()
    lbfgs = {"name": "lbfgs", "learning_rate": 1, "history": 3, "tolerance_grad": 0,
             "tolerance_change": 0}  # fmt: skip
    put(key, {"optimiser": lbfgs, "schedule": {"name": "constant"}, "batch_size": "full"})(spec)
    assert "got 'lbfgs'; allowed: sgd or adamw" in refusal(spec)


def test_images_of_another_size_are_refused() -> None:
    for key in ("new_task.dataset", "robustness.foreign"):
        spec = given()
        spec["data"]["large"] = LETTERS | {"size": 9}
        put(key, "large")(spec)
        assert f"{key}: got 'large'; allowed: images of 1 x 8 x 8, as digits has" in refusal(spec)


def test_test_images_that_were_trained_on_are_refused() -> None:
    spec = given()
    spec["data"]["other"] = spec["data"]["digits-rotated"] | {"split_seed": 99}
    put("robustness.shifted", "other")(spec)
    assert "a data set with the train and split_seed of digits" in refusal(spec)


@pytest.mark.parametrize(
    ("zoo", "uses", "because"),
    [
        ("pydoc-gpt", ("robustness",), "nothing for a zoo of text, because only images"),
        ("pydoc-gpt", ("new_task",), "a data set of text, which gpt-2 takes"),
        ("convection-pinn", ("robustness",), "nothing for a zoo of points, because only images"),
        ("convection-pinn", ("ensembling",), "nothing for a zoo of points, because probabilities"),
    ],
)
def test_text_and_equations_are_refused_what_makes_no_sense_of_them(
    zoo: str, uses: tuple[str, ...], because: str
) -> None:
    spec = yaml.safe_load(PARAMS.read_text("utf-8"))
    last = spec["zoos"][zoo]["training"]["checkpoints"][-1][-1]
    for name in uses:
        spec["zoos"][zoo][name] = {"epochs": [last], **GIVEN[name]}
    assert because in refusal(spec)


def test_no_probe_leaves_out_a_head_that_is_the_embedding() -> None:
    spec = yaml.safe_load(PARAMS.read_text("utf-8"))
    given = {"epochs": [40], **GIVEN["new_task"], "dataset": "pydoc", "head": "kept"}
    spec["zoos"]["pydoc-gpt"]["new_task"] = given
    assert "nothing for a zoo of text, because the head of gpt-2 is its embedding" in refusal(spec)


@pytest.mark.parametrize("zoo", ["pydoc-gpt", "convection-pinn"])
def test_text_and_equations_are_pruned(zoo: str) -> None:
    spec = yaml.safe_load(PARAMS.read_text("utf-8"))
    last = spec["zoos"][zoo]["training"]["checkpoints"][-1][-1]
    spec["zoos"][zoo]["pruning"] = {"epochs": [last], **GIVEN["pruning"]}
    assert study_from(spec).zoos[zoo].pruning is not None


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"train": 58}, "5 to 55, so that each letter is on either side"),
        ({"train": 60}, "at most 55 of the 60, so that some are for testing"),
        ({"keep": 29}, "5 to 26, so that each letter is on either side"),
        ({"letters": 27}, "at most 26"),
        ({"zoom": 1}, "less than 1"),
    ],
)
def test_letters_that_cannot_be_split_are_refused(changes: dict[str, Any], allowed: str) -> None:
    given = LETTERS | changes
    with pytest.raises(ValueError, match="validation error") as refused:
        Letters.model_validate(given)
    assert allowed in str(explain(refused.value, given, "letters"))  # type: ignore[arg-type]


def test_a_data_set_that_nothing_was_made_from_is_not_lost(tmp_path: Path) -> None:
    """A use that is added to a finished zoo is measured in the run that makes its data set."""
    plan = Plan(study_from(given()))
    robust = next(p for p in plan.measured_of(NAME) if p.endswith("/robustness.nc"))
    weights = plan.weights_of(NAME)[0]

    def lost(*made: str) -> set[str]:
        for path in made:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return {Path(path).stem for path in lost_data(plan, tmp_path)}

    assert lost() == set()
    assert lost(weights) == {"digits"}
    assert lost(robust) == {"digits", "digits-rotated", "letters"}
