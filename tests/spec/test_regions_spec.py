"""A region study that cannot be made is refused in one line before anything is spent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phasezoo.spec import SpecError, read_study, study_from
from phasezoo.spec.regions import Regions
from regions_study import DIGITS, NAME, ZOO, given

OF = f"regions.{NAME}"
Change = Callable[[dict[str, Any]], None]


def put(*path: Any) -> Change:
    """`path` but its last part says where, the last part what."""

    def change(spec: dict[str, Any]) -> None:
        *above, last, value = path
        for key in above:
            spec = spec[key]
        spec[last] = value

    return change


def regions(*path: Any) -> Change:
    return put("regions", NAME, *path)


def families(*names: str) -> Change:
    def change(spec: dict[str, Any]) -> None:
        spec["regions"][NAME]["families"] = {"parity": ["parity-0"], "other": list(names)}
        del spec["regions"][NAME]["domains"]

    return change


def test_the_smallest_study_and_the_declared_one_are_good() -> None:
    study = study_from(given())
    assert study.regions_of_run == (NAME,)
    assert study.zoos_of_run == ()
    declared = read_study(Path(__file__).parents[2] / "params.yaml")
    assert len(declared.regions["digits-regions"].datasets) == 9


CYCLE = {"name": "cosine", "epochs": 3, "eta_min": 0.0}
WRONG = [
    (regions("start", "zoo", "none"), "start.zoo: got 'none'; allowed: the declared zoos"),
    (regions("start", "load", 5), "start.load: got 5; allowed: those of digits-mlp: [3, 7]"),
    (regions("start", "temperature", 7), "start.temperature: got 7; allowed: those of"),
    (regions("start", "seed", 9), "start.seed: got 9; allowed: those of digits-mlp: [0, 1]"),
    (regions("other_start", "epoch", 9), "other_start.epoch: got 9; allowed: those of"),
    (regions("other_start", "load", 3), "other_start: got 'mlp of size 3'; allowed: mlp of size 7"),
    (regions("families", {"parity": ["parity-0"]}), "families: got ['parity']; allowed: at least"),
    (regions("families", "size", []), "families.size: got []; allowed: at least one"),
    (regions("families", "size", ["parity-0"]), "families: got "),
    (families("none"), "families.other: got 'none'; allowed: the declared data sets"),
    (regions("domains", "turned", ["size-90"]), "domains: got "),
    (regions("seeds", []), "seeds: got []; allowed: at least one seed"),
    (regions("seeds", [[0], [0]]), "seeds: got [0, 0]; allowed: each seed once"),
    (regions("seeds", [[4]]), "seeds: got [[4]]; allowed: at least two"),
    (regions("tuning", "optimisation", "optimiser", "learning_rate", None), "learning_rate: got"),
    (regions("tuning", "optimisation", "batch_size", 500), "batch_size: got 500; allowed: at most"),
    (
        regions("efficient", "optimisation", "schedule", CYCLE),
        "efficient.optimisation.schedule.epochs: got 3; allowed: 1",
    ),
    (regions("efficient", "samples", [7]), "efficient.samples: got 7; allowed: 10 to 201"),
    (regions("efficient", "samples", ["all", "all"]), "efficient.samples: got"),
    (regions("efficient", "trained", ["all"]), "efficient.trained[0]: got 'all'; allowed: one of"),
    (regions("lines", "outward", [3, 1]), "lines.outward: got [3.0, 1.0]; allowed: lengths that"),
    (regions("lines", "points", 2), "lines.points: got 2; allowed: at least 3"),
    (regions("colour", 1), "colour: got 1; allowed: one of the keys title, recipe"),
    (put("run", [NAME, "none"]), "run: got 'none'; allowed: the declared zoos digits-mlp, and"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_what_cannot_be_is_refused(change: Change, said: str) -> None:
    spec = given()
    change(spec)
    with pytest.raises(SpecError) as found:
        study_from(spec)
    (line,) = str(found.value).splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"source": "mnist", "recipe": 1}, "allowed: inputs of shape (1, 8, 8) as in digits"),
        (DIGITS | {"split_seed": 1}, "allowed: a data set with the train and split_seed of digits"),
        (DIGITS | {"train": 199}, "allowed: a data set with the train and split_seed of digits"),
        (
            {"source": "pydoc", "recipe": 1, "context": 8, "train": 9, "test": 9, "split_seed": 0},
            "allowed: a data set with classes, not one of text",
        ),
    ],
)
def test_a_data_set_that_does_not_suit_the_start_is_refused(data: object, said: str) -> None:
    spec = given()
    spec["data"]["other"] = data
    families("other")(spec)
    with pytest.raises(SpecError) as found:
        study_from(spec)
    assert f"{OF}.families.other: got 'other'" in str(found.value)
    assert said in str(found.value)


def test_a_region_study_is_not_called_as_a_zoo_is() -> None:
    spec = given()
    spec["regions"] = {ZOO: spec["regions"][NAME]}
    spec["run"] = [ZOO]
    with pytest.raises(SpecError, match="allowed: a name that no zoo has"):
        study_from(spec)


def test_a_kept_head_needs_as_many_classes() -> None:
    spec = given()
    zoo = spec["zoos"][ZOO]
    tuning = spec["regions"][NAME]["tuning"]
    zoo["transfer"] = {
        "epochs": [2], "dataset": "parity-90", "head": "kept", "fine_tune_epochs": 2,
        "optimisation": tuning["optimisation"],
    }  # fmt: skip
    with pytest.raises(SpecError, match="head: got 'kept'; allowed: fresh, because the classes"):
        study_from(spec)
    zoo["transfer"]["head"] = "fresh"
    study_from(spec)


def test_what_stands_in_the_file_is_what_is_told() -> None:
    spec = given()["regions"][NAME]
    told = json.loads(Regions.model_validate(spec).model_dump_json())
    assert told["families"] == spec["families"]
    assert "architecture" not in told
