"""Every architecture has one size; the load sets it, or leaves the architecture alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from phasezoo.spec import SpecError, Study, jobs, study_from
from phasezoo.spec import architecture as spec
from phasezoo.spec.metrics import Evaluation
from phasezoo.vocabulary import HYPERPARAMETERS

STUDY = Path(__file__).parents[1] / "study.yaml"
ZOO = "digits-mlp"
VIT = {"name": "vit", "depth": 12, "heads": 3, "patch_size": 4}
GPT_2 = {"name": "gpt-2", "depth": 12, "heads": 12}
PINN = {"name": "pinn", "hidden_layers": 4}
SETS = {
    "text": {"source": "pydoc", "context": 16, "train": 600, "test": 7},
    "points": {
        "source": "convection",
        "coefficient": 1.5,
        "interior": 600,
        "boundary": 7,
        "grid": [31, 29],
    },
}
TAKEN = {"gpt-2": "text", "pinn": "points"}  # others take the images of the study
DIMENSIONS = {
    "vit": [6, 12, 24, 48, 60, 96, 192],
    "gpt-2": [72, 96, 144, 192, 288, 384, 576, 768, 1152, 1536, 2304],
}


def study(architecture: dict[str, Any], load: str, values: list[int], **changes: Any) -> Study:
    """A study whose zoo has this architecture and load, and no merging unless told."""
    given: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(STUDY.read_text("utf-8"))))
    zoo = given["zoos"][ZOO]
    zoo |= {"architecture": architecture, "load": {"hyperparameter": load, "values": values}}
    zoo |= {"merging": None, **changes}
    if kind := TAKEN.get(architecture["name"]):
        given["data"][kind] = {"recipe": 1, "split_seed": 0, **SETS[kind]}
        zoo |= {"dataset": kind, "transfer": None}
    return study_from(given)


def refusal(*args: Any, **changes: Any) -> str:
    with pytest.raises(SpecError) as refused:
        study(*args, **changes)
    (line,) = str(refused.value).splitlines()
    return line.removeprefix(f"params.yaml: zoos.{ZOO}.")


@pytest.mark.parametrize(
    ("architecture", "load"),
    [
        ({"name": "resnet-18"}, "width"),
        ({"name": "resnet-50"}, "width"),
        ({"name": "resnet-20", "norm": "layer"}, "width"),
        ({"name": "vgg-16", "norm": "none"}, "width"),
        (PINN, "width"),
        (VIT, "embedding_dim"),
        (GPT_2, "model_dim"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else value,
)
def test_the_load_sets_the_size_of_an_architecture(architecture: dict[str, Any], load: str) -> None:
    zoo = study(architecture, load, [12, 24]).zoos[ZOO]
    assert zoo.architecture.size is None
    found = jobs.at_load(zoo, 24)
    assert found.size == getattr(found, load) == 24
    assert found == zoo.architecture.model_copy(update={load: 24})


@pytest.mark.parametrize("name", ["width", "embedding_dim", "model_dim"])
def test_load_falls_as_a_size_grows(name: str) -> None:
    assert HYPERPARAMETERS[name].direction == f"load falls as {name} grows"
    assert HYPERPARAMETERS[name].whole


def test_a_load_that_is_no_size_leaves_the_architecture_as_it_is() -> None:
    pinn = spec.Pinn(name="pinn", hidden_layers=4, width=50)
    assert pinn.at("beta", 30.0) is pinn
    assert pinn.at("embedding_dim", 30) is pinn
    job = jobs.MeasureJob(
        zoo="convection",
        load_name="beta",
        loads=(30.0,),
        temperature_name="learning_rate",
        temperatures=(1.0,),
        seeds=(0,),
        epoch=0,
        architecture=pinn,
        options=Evaluation(epochs=(0,)),
    )
    assert job.architecture_at(30.0) == pinn


@pytest.mark.parametrize("architecture", [VIT, GPT_2], ids=lambda a: a["name"])
def test_all_dimensions_of_the_zoos_share_out_among_their_heads(
    architecture: dict[str, Any],
) -> None:
    kind = "embedding_dim" if architecture["name"] == "vit" else "model_dim"
    values = DIMENSIONS[architecture["name"]]
    assert list(study(architecture, kind, values).zoos[ZOO].load.all_values) == values


def test_a_dimension_on_the_axis_that_the_heads_do_not_divide_is_refused() -> None:
    line = refusal(VIT, "embedding_dim", [6, 12, 25])
    assert line == "load.values: got 25; allowed: multiples of 3, the heads"


def test_a_fixed_dimension_that_the_heads_do_not_divide_is_refused() -> None:
    line = refusal({**GPT_2, "model_dim": 30}, "model_dim", [12])
    assert line == "architecture.model_dim: got 30; allowed: multiples of 12, the heads"


def test_the_size_of_another_architecture_is_no_load() -> None:
    line = refusal({**VIT, "embedding_dim": 12}, "width", [12])
    assert line == "load.hyperparameter: got 'width'; allowed: embedding_dim, the size of vit"


def test_a_size_on_the_axis_is_not_fixed_too() -> None:
    line = refusal({**VIT, "embedding_dim": 12}, "embedding_dim", [12])
    assert line.startswith("architecture.embedding_dim: got 12; allowed: null, because embedding")


@pytest.mark.parametrize(
    ("architecture", "load"), [(VIT, "embedding_dim"), (GPT_2, "model_dim")], ids=["vit", "gpt-2"]
)
def test_merging_may_be_asked_for(architecture: dict[str, Any], load: str) -> None:
    merging = yaml.safe_load(STUDY.read_text("utf-8"))["zoos"][ZOO]["merging"]
    assert study(architecture, load, [12], merging=merging).zoos[ZOO].merging is not None


WRONG = [
    ({"name": "resnet-34"}, "architecture.name: got 'resnet-34'; allowed: one of 'mlp', 'pinn'"),
    ({"name": "resnet-20"}, "architecture.norm: got nothing; allowed: this key must be given"),
    ({"name": "resnet-20", "norm": "none"}, "architecture.norm: got 'none'; allowed: one of 'ba"),
    ({"name": "vgg-16", "norm": "group"}, "architecture.norm: got 'group'; allowed: one of 'none'"),
    ({**PINN, "initial": "he"}, "architecture.initial: got 'he'; allowed: one of 'torch' or 'xav"),
    ({**VIT, "heads": 0}, "architecture.heads: got 0; allowed: greater than 0"),
    ({**VIT, "width": 3}, "architecture.width: got 3; allowed: one of the keys"),
]


@pytest.mark.parametrize(("architecture", "message"), WRONG)
def test_a_wrong_key_of_an_architecture_is_refused(
    architecture: dict[str, Any], message: str
) -> None:
    load = "embedding_dim" if architecture["name"] == "vit" else "width"
    assert refusal(architecture, load, [12]).startswith(message)


def test_architectures_of_finished_zoos_read_in_jobs_as_they_always_did() -> None:
    mlp = spec.Mlp(name="mlp", hidden_layers=2).at("width", 16)
    resnet = spec.SmallResNet(name="small-resnet", stages=2).at("width", 4)
    assert mlp.model_dump_json() == '{"name":"mlp","hidden_layers":2,"width":16}'
    assert resnet.model_dump_json() == '{"name":"small-resnet","stages":2,"width":4}'


def test_a_fixed_size_is_checked_where_no_zoo_is() -> None:
    with pytest.raises(ValidationError, match="multiples of 3, the heads"):
        spec.Vit(name="vit", depth=1, heads=3, patch_size=4, embedding_dim=7)
