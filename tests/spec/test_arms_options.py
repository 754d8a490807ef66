"""The arms of merging: what is asked for is checked, and what is not leaves jobs alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from phasezoo.plan import Plan
from phasezoo.spec import SpecError, study_from

STUDY = Path(__file__).parents[1] / "study.yaml"
ZOO = "digits-mlp"
LEARNING = {
    "epochs": 2,
    "batch_size": 32,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "held_out": 0.2,
}
ARMS = {
    "alignments": ["none", "weights", "straight_through"],
    "corrections": ["reset", "repair"],
    "samples": 100,
    "learning": LEARNING,
}


def study(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(STUDY.read_text("utf-8"))))
    spec["zoos"][ZOO]["merging"]["arms"] = {**ARMS, **changes}
    return spec


def test_arms_are_read() -> None:
    arms = study_from(study()).zoos[ZOO].merging.arms
    assert arms.alignments == ("none", "weights", "straight_through")
    assert arms.restarts == 0
    assert arms.learning.epochs == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alignments": ["sinkhorn"]}, "alignments[0]: got 'sinkhorn'; allowed: one of 'none'"),
        ({"alignments": []}, "alignments: got []; allowed: at least one alignment"),
        ({"corrections": ["reset", "reset"]}, "each correction once (reset is there twice)"),
        ({"learning": None}, "learning: got None; allowed: given if and only if straight_through"),
        ({"alignments": ["none"]}, "learning: got 'a mapping'; allowed: given if and only if"),
        ({"learning": LEARNING | {"held_out": 1.0}}, "held_out: got 1.0; allowed: less than 1"),
        ({"learning": LEARNING | {"held_out": 0}}, "held_out: got 0; allowed: greater than 0"),
        ({"samples": 0}, "samples: got 0; allowed: greater than 0"),
        ({"restarts": -1}, "restarts: got -1; allowed: at least 0"),
        ({"seeds": 3}, "one of the keys alignments, corrections, restarts, samples, learning"),
        ({"judged": {"bins": 0}}, "judged.bins: got 0; allowed: greater than 0"),
        ({"judged": {}}, "judged.bins: got nothing; allowed: this key must be given"),
        ({"recipes": "all"}, "recipes: got 'all'; allowed: true or false"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        study_from(study(**changes))


def test_what_has_no_classes_is_not_judged() -> None:
    spec = study(judged={"bins": 15})
    spec["data"]["text"] = {
        "source": "pydoc",
        "recipe": 1,
        "context": 16,
        "train": 67,
        "test": 7,
        "split_seed": 0,
    }
    zoo = spec["zoos"][ZOO]
    zoo["architecture"] = {"name": "gpt-2", "depth": 1, "heads": 3}
    zoo["load"] = {"hyperparameter": "model_dim", "values": [6, 12]}
    zoo["temperature"] = {"hyperparameter": "batch_size", "values": [[8, 32]]}
    zoo["metrics"]["similarity"]["layers"] = []
    zoo |= {"dataset": "text", "transfer": None}
    message = "merging.arms.judged: got 'a mapping'; allowed: nothing, because what text is made of"
    with pytest.raises(SpecError, match=re.escape(message)):
        study_from(spec)


def test_a_job_without_arms_says_nothing_of_them() -> None:
    plain: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(STUDY.read_text("utf-8"))))
    plan = Plan(study_from(plain))
    measured = next(p for p in plan.measurements("merging")(SimpleNamespace(zoo=ZOO)))
    _, zoo, loads, temperatures, blocks, epoch, _ = measured.removesuffix(".nc").split("/")
    at = SimpleNamespace(
        zoo=zoo, loads=loads, temperatures=temperatures, blocks=blocks, epoch=epoch
    )
    job = plan.measure_job("merging")(at)
    assert "arms" not in job
    assert '"arms"' in Plan(study_from(study())).measure_job("merging")(at)
