"""What a valid `params.yaml` means, and what its jobs are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from phasezoo.spec import Study, jobs, read_study, study_from
from phasezoo.spec.architecture import Mlp, SmallResNet
from phasezoo.spec.data import Npz
from phasezoo.spec.learning import Learning
from phasezoo.spec.training import Optimisation, samples_at_once

STUDY = Path(__file__).parents[1] / "study.yaml"
PARAMS = Path(__file__).parents[2] / "params.yaml"


def given() -> dict[str, Any]:
    return json.loads(json.dumps(yaml.safe_load(STUDY.read_text(encoding="utf-8"))))


@pytest.fixture
def study() -> Study:
    return read_study(STUDY)


def by_learning_rate(values: list[Any]) -> dict[str, Any]:
    spec = given()
    zoo = spec["zoos"]["digits-mlp"]
    zoo["training"]["optimiser"]["learning_rate"], zoo["training"]["batch_size"] = None, 32
    zoo["temperature"] = {"hyperparameter": "learning_rate", "values": values}
    return spec


def test_the_projects_own_study_is_valid() -> None:
    study = read_study(PARAMS)
    assert set(study.run) <= {*study.zoos, *study.regions}
    assert study.run


def test_a_flat_list_is_one_share_per_value() -> None:
    spec = given()
    spec["zoos"]["digits-mlp"]["load"]["values"] = [32, [4, 16], 8]
    axis = study_from(spec).zoos["digits-mlp"].load
    assert axis.values == ((32,), (4, 16), (8,))
    assert axis.all_values == (4, 8, 16, 32)


def test_an_exponent_without_a_point_is_a_number(study: Study) -> None:
    assert given()["zoos"]["digits-mlp"]["training"]["optimiser"]["weight_decay"] == "5e-4"
    training = study.zoos["digits-mlp"].training
    assert training.optimiser.weight_decay == 5e-4
    assert training.schedule.model_dump()["final_div_factor"] == 1e4


def test_an_exponent_without_a_point_is_a_number_on_an_axis() -> None:
    spec = by_learning_rate(["1e-3", 0.1, 1])
    assert study_from(spec).zoos["digits-mlp"].temperature.all_values == (1e-3, 0.1, 1)


def test_a_whole_number_stands_for_a_float(study: Study) -> None:
    spec = given()
    spec["zoos"]["digits-mlp"]["phases"]["cka"] = 1
    assert study_from(spec).zoos["digits-mlp"].phases.cka == 1.0


def test_a_study_is_frozen(study: Study) -> None:
    zoo = study.zoos["digits-mlp"]
    with pytest.raises(ValidationError, match="frozen"):
        zoo.recipe = 2
    with pytest.raises(ValidationError, match="frozen"):
        zoo.training.optimiser.momentum = 0.5


def test_reading_does_not_change_what_is_read() -> None:
    spec = given()
    study_from(spec)
    assert spec == given()


def test_the_models_of_a_zoo_are_loads_times_temperatures_times_seeds() -> None:
    spec = given()
    zoo = spec["zoos"]["digits-mlp"]
    zoo["load"]["values"], zoo["temperature"]["values"] = [4, 8], [[8, 16], [32]]
    zoo["seeds"] = [[0, 1], [2, 3], [4, 5]]
    found = study_from(spec).zoos["digits-mlp"]
    assert found.models == 2 * 3 * 6
    assert list(found.cells()) == [(4, 8), (4, 16), (4, 32), (8, 8), (8, 16), (8, 32)]
    assert found.all_seeds == (0, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("name", "value", "batch_size", "learning_rate", "weight_decay"),
    [
        ("batch_size", 128, 128, 0.1, 5e-4),
        ("learning_rate", 0.25, 32, 0.25, 5e-4),
        ("weight_decay", 1e-2, 32, 0.1, 1e-2),
    ],
)
def test_the_temperature_fills_its_place_and_no_other(
    name: str, value: float, batch_size: int, learning_rate: float, weight_decay: float
) -> None:
    spec = given()
    zoo = spec["zoos"]["digits-mlp"]
    zoo["temperature"] = {"hyperparameter": name, "values": [value]}
    training = zoo["training"]
    training["batch_size"] = None if name == "batch_size" else 32
    if name != "batch_size":
        training["optimiser"][name] = None
    found = jobs.at_temperature(study_from(spec).zoos["digits-mlp"], value)
    assert found.batch_size == batch_size
    assert found.optimiser.learning_rate == learning_rate
    assert found.optimiser.weight_decay == weight_decay
    assert found.optimiser.momentum == 0.9


def test_parts_of_batches_are_told_to_training_and_to_it_only_where_they_are_asked_for(
    study: Study,
) -> None:
    zoo = next(iter(study.zoos.values()))
    temperature = zoo.temperature.all_values[0]
    assert "at_once" not in jobs.at_temperature(zoo, temperature).model_dump_json()
    training = zoo.training.model_copy(update={"at_once": 7})
    told = jobs.at_temperature(zoo.model_copy(update={"training": training}), temperature)
    assert told.at_once == 7
    assert Optimisation.model_validate_json(told.model_dump_json()) == told


@pytest.mark.parametrize(
    ("key", "default", "other"),
    [("precision", "float32", "bf16"), ("stack", "measured", "one"), ("stack", "measured", 12)],
)
def test_how_it_is_computed_is_told_only_where_it_is_not_as_ever(
    study: Study, key: str, default: str, other: object
) -> None:
    zoo = next(iter(study.zoos.values()))
    temperature = zoo.temperature.all_values[0]
    for value in (default, other):
        training = zoo.training.model_copy(update={key: value})
        told = jobs.at_temperature(zoo.model_copy(update={"training": training}), temperature)
        assert getattr(told, key) == value
        assert (key in told.model_dump_json()) == (value != default)
        assert Optimisation.model_validate_json(told.model_dump_json()) == told


def test_parts_of_batches_follow_the_load(study: Study) -> None:
    loads = (63, 64, 127, 128, 256)
    for at_once in (None, 1000):
        update = {"loads": loads, "optimisation": how(study, at_once)}
        whole = share(study).model_copy(update={**update, "at_once_from": None})
        assert [cell.optimisation.at_once for cell in whole.cells()] == [at_once] * 10
        parts = whole.model_copy(update={"at_once_from": ((64, 512), (128, 256))})
        found = [cell.optimisation.at_once for cell in parts.cells()]
        assert found[::2] == found[1::2] == [at_once, 512, 512, 256, 256]


def how(study: Study, at_once: int | None) -> Optimisation:
    common = jobs.of_every_cell(study.zoos["digits-resnet"])
    return common.model_copy(update={"at_once": at_once})


def share(study: Study) -> jobs.TrainShareJob:
    """Two loads and two temperatures, trained together."""
    zoo = study.zoos["digits-resnet"]
    return jobs.TrainShareJob(
        recipe=1,
        data=study.data[zoo.dataset],
        zoo="digits-resnet",
        load_name="width",
        loads=(4, 8),
        temperature_name="learning_rate",
        temperatures=(1e-3, 0.1),
        seeds=(0, 1),
        architecture=zoo.architecture,
        optimisation=jobs.of_every_cell(zoo),
        at_once_from=((8, 64),),
        epochs=(26, 28),
        resume=10,
    )


def test_parts_of_resnet_50_are_those_of_the_published_code() -> None:
    """A batch of B goes in B / 512 parts at width 64, B / 256 at 128, B / 128 at 256."""
    zoos = read_study(PARAMS).zoos
    for name in ("cifar10", "cifar100", "svhn", "tiny"):
        zoo = zoos[f"{name}-resnet50"]
        how = zoo.training
        found = {
            load: samples_at_once(how.at_once, how.at_once_from, load)
            for load in zoo.load.all_values
        }
        assert found == dict.fromkeys((2, 4, 8, 16, 32)) | {64: 512, 128: 256, 256: 128}
        own = 512 if name == "tiny" else None  # images four times as large
        how = zoos[f"{name}-resnet18"].training
        assert samples_at_once(how.at_once, how.at_once_from, 256) == own


def test_a_zoo_that_trains_cell_by_cell_reads_as_it_did_before_others_were_trained_together() -> (
    None
):
    spec = given()
    before = study_from(spec).zoos["digits-mlp"].model_dump_json()
    assert "together" not in before
    spec["zoos"]["digits-mlp"]["training"]["together"] = []
    assert study_from(spec).zoos["digits-mlp"].model_dump_json() == before


def test_the_load_fills_the_width(study: Study) -> None:
    mlp = jobs.at_load(study.zoos["digits-mlp"], 16)
    resnet = jobs.at_load(study.zoos["digits-resnet"], 4)
    assert mlp == Mlp(name="mlp", hidden_layers=2, width=16)
    assert resnet == SmallResNet(name="small-resnet", stages=2, width=4)


def test_keep_is_the_number_of_training_samples(study: Study) -> None:
    assert study.data["digits"].training_samples == 1200
    assert study.data["digits-rotated"].training_samples == 100


def test_keeping_the_whole_training_set_is_allowed() -> None:
    spec = given()
    spec["data"]["digits"]["keep"] = 1200
    assert study_from(spec).data["digits"].training_samples == 1200


def brought(spec: dict[str, Any], name: str = "brought", **changes: Any) -> None:
    """Add an archive from the web."""
    spec["data"][name] = {
        "source": "npz",
        "recipe": 1,
        "train": 5000,
        "split_seed": 0,
        "url": "https://example.org/set.npz",
        "sha256": "0123456789abcdef" * 4,
    } | changes


def test_an_archive_from_the_web_has_an_address_and_a_checksum() -> None:
    spec = given()
    brought(spec, sha256="0123456789ABCDEF" * 4, keep=100)
    found = study_from(spec).data["brought"]
    assert isinstance(found, Npz)
    assert found.url == "https://example.org/set.npz"
    assert found.sha256 == "0123456789abcdef" * 4  # in one spelling, so that no job changes
    assert found.training_samples == 100


def test_data_sets_of_the_same_raw_samples_have_one_origin() -> None:
    spec = given()
    brought(spec)
    brought(spec, "mirrored", url="http://mirror.example.org/same")
    brought(spec, "other", sha256="f" * 64)
    data = study_from(spec).data
    assert data["digits"].origin == data["digits-noisy"].origin == "digits"
    assert data["brought"].origin == data["mirrored"].origin != data["other"].origin


def test_data_sets_without_a_download_are_told_as_ever(study: Study) -> None:
    told = jobs.DataJob(name="digits-noisy", spec=study.data["digits-noisy"]).model_dump_json()
    assert told == (
        '{"name":"digits-noisy","spec":{"source":"digits","recipe":1,"train":1200,'
        '"split_seed":0,"keep":null,"rotation":0,"label_noise":{"fraction":0.1,"seed":0}}}'
    )


def test_the_job_of_an_archive_survives_its_line_of_json() -> None:
    spec = given()
    brought(spec)
    job = jobs.DataJob(name="brought", spec=study_from(spec).data["brought"])
    assert jobs.DataJob.model_validate_json(job.model_dump_json()) == job


def test_the_names_of_a_model_carry_its_zoo_cell_and_seed() -> None:
    place = jobs.Place(
        zoo="z", load_name="width", load=16, temperature_name="learning_rate", seeds=(3, 5)
    )
    assert place.names(1e-3, 5) == ("z", "width=16", "learning_rate=0.001", "seed=5")


def all_jobs(study: Study) -> list[jobs.Spec]:
    zoo = study.zoos["digits-resnet"]
    place = jobs.Place(
        zoo="digits-resnet", load_name="width", load=4, temperature_name="batch_size", seeds=(0, 1)
    )
    architecture = jobs.at_load(zoo, 4)
    train = jobs.TrainJob(
        recipe=1,
        data=study.data[zoo.dataset],
        place=place,
        temperature=32,
        architecture=architecture,
        optimisation=jobs.at_temperature(zoo, 32),
        epochs=(26, 28),
        resume=10,
    )
    measured = [
        jobs.MeasureJob(
            zoo=place.zoo,
            load_name=place.load_name,
            loads=(4, 8),
            temperature_name=place.temperature_name,
            temperatures=(8, 32),
            seeds=place.seeds,
            epoch=30,
            architecture=zoo.architecture,
            options=options,
        )
        for options in zoo.families
    ]
    collect = jobs.CollectJob(
        zoo="digits-resnet",
        load_name="width",
        loads=zoo.load.all_values,
        temperature_name="learning_rate",
        temperatures=(1e-3, 0.1),
        load_shares=("4", "8"),
        temperature_shares=("0.001", "0.1"),
        seeds=zoo.seeds,
        pairs="all",
        group="merging",
        families={"merging": (60,)},
    )
    imported = jobs.ImportJob(
        place=train.place,
        temperature=train.temperature,
        architecture=train.architecture,
        epochs=train.epochs,
    )
    return [
        *(jobs.DataJob(name=name, spec=spec) for name, spec in study.data.items()),
        train,
        train.model_copy(update={"resume": None}),
        share(study),
        *measured,
        collect,
        imported,
        measured[0].model_copy(update={"partners": (7, 8)}),
        jobs.PhasesJob(zoo="digits-resnet", criteria=zoo.phases),
        jobs.LearningJob(zoo="digits-resnet", options=Learning(epochs=(60,))),
        jobs.ExplainedJob(zoo="digits-resnet", groups=("metrics",), criteria=zoo.phases),
        jobs.PublishJob(name="digits-resnet", zoo=zoo, groups=("metrics", "phases")),
        jobs.ReportJob(zoos={"digits-resnet": ("metrics",)}),
    ]


def test_every_job_survives_its_line_of_json(study: Study) -> None:
    told = all_jobs(study)
    kinds = {
        kind
        for kind in vars(jobs).values()
        if isinstance(kind, type) and kind.__name__.endswith("Job")
    }
    assert {type(job) for job in told} == kinds
    for job in told:
        line = job.model_dump_json()
        assert "\n" not in line
        assert type(job).model_validate_json(line) == job
        assert type(job).model_validate_json(line).model_dump_json() == line
