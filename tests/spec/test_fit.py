"""A zoo and its data suit each other, or one line says what does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from phasezoo.spec import SpecError, Study, study_from

STUDY = Path(__file__).parents[1] / "study.yaml"
IMAGES, TEXT, POINTS = "of-images", "of-text", "of-points"
BATCHES = {"hyperparameter": "batch_size", "values": [[8, 32]]}
RATES = {"hyperparameter": "learning_rate", "values": [1e-3, 1e-2]}
DATA: dict[str, dict[str, Any]] = {
    "text": {"source": "pydoc", "recipe": 1, "context": 16, "train": 67, "test": 7,
             "split_seed": 0},
    "text-again": {"source": "pydoc", "recipe": 1, "context": 8, "train": 31, "test": 7,
                   "split_seed": 0},
    "convection": {"source": "convection", "recipe": 1, "coefficient": None, "interior": 41,
                   "boundary": 7, "grid": [13, 11], "split_seed": 0},
    "convection-2": {"source": "convection", "recipe": 1, "coefficient": 2, "interior": 41,
                     "boundary": 7, "grid": [13, 11], "split_seed": 1},
}  # fmt: skip
Change = Callable[[dict[str, Any]], None]


def given() -> dict[str, Any]:
    """Three zoos that suit their data, each with a second task: of images, a text, an equation."""
    spec: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(STUDY.read_text("utf-8"))))
    base = spec["zoos"]["digits-mlp"]
    del base["merging"]
    made = {
        IMAGES: {},
        TEXT: {
            "architecture": {"name": "gpt-2", "depth": 1, "heads": 3},
            "dataset": "text",
            "load": {"hyperparameter": "model_dim", "values": [6, 12]},
            "temperature": BATCHES,
            "transfer": base["transfer"] | {"dataset": "text-again"},
        },
        POINTS: {
            "architecture": {"name": "pinn", "hidden_layers": 2, "width": 7},
            "dataset": "convection",
            "load": {"hyperparameter": "beta", "values": [1, 2.5]},
            "temperature": RATES,
            "training": base["training"]
            | {"batch_size": "full"}
            | {"optimiser": base["training"]["optimiser"] | {"learning_rate": None}},
            "transfer": base["transfer"] | {"dataset": "convection-2"},
        },
    }
    zoos = {name: base | changes for name, changes in made.items()}
    data = json.loads(json.dumps(spec["data"] | DATA))
    return {"run": [IMAGES], "data": data, "zoos": json.loads(json.dumps(zoos))}


def refusal(change: Change) -> str:
    """The one line that refuses a changed spec."""
    spec = given()
    change(spec)
    with pytest.raises(SpecError) as refused:
        study_from(spec)
    (line,) = str(refused.value).splitlines()
    return line.removeprefix("params.yaml: ")


def put(zoo: str, key: str, value: Any) -> Change:
    """Put a value at a dotted key of a zoo."""

    def change(spec: dict[str, Any]) -> None:
        place = spec["zoos"][zoo]
        *path, last = key.split(".")
        for part in path:
            place = place[part]
        place[last] = value

    return change


def test_zoos_of_images_of_a_text_and_of_an_equation_suit_their_data() -> None:
    found: Study = study_from(given())
    kinds = [found.data[zoo.dataset].kind for zoo in found.zoos.values()]
    assert kinds == ["images", "text", "points"]


TAKES = {IMAGES: ("mlp", "images"), TEXT: ("gpt-2", "text"), POINTS: ("pinn", "points")}
OTHERS = {"digits": "images", "text": "text", "convection": "points"}


@pytest.mark.parametrize("key", ["dataset", "transfer.dataset"])
@pytest.mark.parametrize(
    ("zoo", "dataset"),
    [(zoo, d) for zoo, (_, takes) in TAKES.items() for d, kind in OTHERS.items() if kind != takes],
)
def test_data_of_another_kind_are_refused(zoo: str, dataset: str, key: str) -> None:
    name, takes = TAKES[zoo]
    assert refusal(put(zoo, key, dataset)) == (
        f"zoos.{zoo}.{key}: got '{dataset}'; allowed: a data set of {takes}, which {name} takes, "
        f"not of {OTHERS[dataset]}"
    )


@pytest.mark.parametrize("key", ["dataset", "transfer.dataset"])
def test_data_that_nobody_declared_are_refused(key: str) -> None:
    assert refusal(put(TEXT, key, "web")) == (
        f"zoos.{TEXT}.{key}: got 'web'; allowed: the declared data sets digits, digits-noisy, "
        "digits-rotated, text, text-again, convection, convection-2"
    )


@pytest.mark.parametrize(("zoo", "dataset"), [(IMAGES, "digits"), (TEXT, "text")])
def test_a_coefficient_without_an_equation_is_refused(zoo: str, dataset: str) -> None:
    def change(spec: dict[str, Any]) -> None:
        of_zoo = spec["zoos"][zoo]
        of_zoo["architecture"] |= {"width": 7} if zoo == IMAGES else {"model_dim": 6}
        of_zoo["load"] = {"hyperparameter": "beta", "values": [1, 2.5]}

    assert refusal(change) == (
        f"zoos.{zoo}.dataset: got '{dataset}'; allowed: points of an equation, because the load "
        "is beta"
    )


def test_a_coefficient_that_load_and_data_give_is_refused() -> None:
    assert refusal(put(POINTS, "dataset", "convection-2")) == (
        f"zoos.{POINTS}.dataset: got 'convection-2'; allowed: one with `coefficient: null`, "
        "because beta is a grid axis"
    )


def of_waves(spec: dict[str, Any]) -> None:
    """The zoo of an equation with the wave in the place of convection."""
    spec["data"]["convection"]["source"] = "wave"


def test_a_wave_whose_ends_would_move_is_refused() -> None:
    assert refusal(of_waves) == (
        f"zoos.{POINTS}.load.values: got 2.5; allowed: whole numbers, so that the solution "
        "vanishes at both ends"
    )


def of_width(spec: dict[str, Any]) -> None:
    """The zoo of an equation with the width as its load."""
    zoo = spec["zoos"][POINTS]
    zoo["architecture"] |= {"width": None}
    zoo["load"] = {"hyperparameter": "width", "values": [5, 7]}


def test_a_coefficient_that_nobody_gives_is_refused() -> None:
    assert refusal(of_width) == (
        f"zoos.{POINTS}.dataset: got 'convection'; allowed: one with a coefficient, because beta "
        "is no grid axis"
    )


def test_a_coefficient_may_be_that_of_the_data() -> None:
    spec = given()
    of_width(spec)
    spec["zoos"][POINTS]["dataset"] = "convection-2"
    assert study_from(spec).zoos[POINTS].load.hyperparameter == "width"


@pytest.mark.parametrize(("zoo", "dataset"), [(TEXT, "text"), (POINTS, "convection")])
def test_an_augmentation_of_what_is_no_image_is_refused(zoo: str, dataset: str) -> None:
    assert refusal(put(zoo, "training.augmentation", {"flip": True})) == (
        f"zoos.{zoo}.training.augmentation: got 'an augmentation'; allowed: nothing, because "
        f"{dataset} has no images"
    )


@pytest.mark.parametrize(
    ("zoo", "dataset", "samples"), [(IMAGES, "digits", 1200), (TEXT, "text", 67)]
)
def test_a_batch_may_be_as_large_as_the_training_set_and_no_larger(
    zoo: str, dataset: str, samples: int
) -> None:
    spec = given()
    put(zoo, "temperature.values", [[8, samples]])(spec)
    assert study_from(spec).zoos[zoo].temperature.all_values == (8, samples)
    assert refusal(put(zoo, "temperature.values", [[8, samples + 1]])) == (
        f"zoos.{zoo}.temperature.values: got {samples + 1}; allowed: at most {samples}, the "
        f"training samples of {dataset}"
    )


def test_a_batch_of_points_is_measured_against_all_that_is_asked() -> None:
    """41 points inside, 13 at the start and 7 pairs of ends."""

    def change(spec: dict[str, Any]) -> None:
        zoo = spec["zoos"][POINTS]
        zoo["training"] |= {"batch_size": None}
        zoo["training"]["optimiser"] |= {"learning_rate": 1e-3}
        zoo["temperature"] = {"hyperparameter": "batch_size", "values": [[8, 62]]}

    assert refusal(change) == (
        f"zoos.{POINTS}.temperature.values: got 62; allowed: at most 61, the training samples of "
        "convection"
    )


def test_fine_tuning_on_an_equation_without_a_coefficient_is_refused() -> None:
    assert refusal(put(POINTS, "transfer.dataset", "convection")) == (
        f"zoos.{POINTS}.transfer.dataset: got 'convection'; allowed: one with a coefficient, "
        "because no grid axis sets it here"
    )


def test_a_fresh_head_where_it_is_the_embedding_is_refused() -> None:
    assert refusal(put(TEXT, "transfer.head", "fresh")) == (
        f"zoos.{TEXT}.transfer.head: got 'fresh'; allowed: kept, because the head of gpt-2 is its "
        "embedding"
    )


@pytest.mark.parametrize("zoo", [IMAGES, POINTS])
def test_a_fresh_head_is_allowed_where_it_is_none(zoo: str) -> None:
    spec = given()
    put(zoo, "transfer.head", "fresh")(spec)
    found = study_from(spec).zoos[zoo].transfer
    assert found is not None
    assert found.head == "fresh"


@pytest.mark.parametrize(
    ("zoo", "first", "second", "change"),
    [
        (IMAGES, "digits", "digits-rotated", {"split_seed": 1}),
        (IMAGES, "digits", "digits-rotated", {"train": 1201}),
        (TEXT, "text", "text-again", {"split_seed": 1}),
    ],
)
def test_a_second_task_that_tests_on_what_was_trained_on_is_refused(
    zoo: str, first: str, second: str, change: dict[str, int]
) -> None:
    def leak(spec: dict[str, Any]) -> None:
        spec["data"][second] |= change

    same = "split_seed" if zoo == TEXT else "train and split_seed"
    assert refusal(leak) == (
        f"zoos.{zoo}.transfer.dataset: got '{second}'; allowed: a data set with the {same} of "
        f"{first}"
    )


@pytest.mark.parametrize("key", ["context", "train", "test"])
def test_windows_of_a_text_may_differ_without_a_leak(key: str) -> None:
    """The side of a document depends on the split seed alone."""
    spec = given()
    spec["data"]["text-again"][key] = 13
    assert study_from(spec).zoos[TEXT].transfer is not None


def test_points_of_an_equation_are_all_seen_by_every_model() -> None:
    assert refusal(put(POINTS, "training.seen", {"by": "chance", "share": 0.5})) == (
        f"zoos.{POINTS}.training.seen: got 'by: chance'; allowed: nothing, because all points of "
        "convection together state the equation"
    )


def test_windows_of_a_text_have_no_classes_to_be_split_by() -> None:
    assert refusal(put(TEXT, "training.seen", {"by": "labels"})) == (
        f"zoos.{TEXT}.training.seen: got 'by: labels'; allowed: by: chance, because what text is "
        "made of has no classes"
    )


@pytest.mark.parametrize(
    ("seen", "fewest"), [({"by": "labels"}, 600), ({"by": "chance", "share": 0.11}, 132)]
)
def test_a_batch_may_be_no_larger_than_what_a_model_sees(seen: dict[str, Any], fewest: int) -> None:
    spec = given()
    put(IMAGES, "training.seen", seen)(spec)
    put(IMAGES, "temperature.values", [[8, fewest]])(spec)
    assert study_from(spec).zoos[IMAGES].temperature.all_values == (8, fewest)

    def change(spec: dict[str, Any]) -> None:
        put(IMAGES, "training.seen", seen)(spec)
        put(IMAGES, "temperature.values", [[8, fewest + 1]])(spec)

    assert refusal(change) == (
        f"zoos.{IMAGES}.temperature.values: got {fewest + 1}; allowed: at most {fewest}, what a "
        "model sees of them under training.seen"
    )


def test_a_split_by_labels_needs_two_models_in_a_block() -> None:
    def change(spec: dict[str, Any]) -> None:
        put(IMAGES, "training.seen", {"by": "labels"})(spec)
        spec["zoos"][IMAGES] |= {"seeds": [[0], [1]], "pairs": "all"}

    assert refusal(change) == (
        f"zoos.{IMAGES}.seeds: got [[0], [1]]; allowed: blocks of at least two seeds, whose first "
        "two share the training set, because training.seen is by labels"
    )
