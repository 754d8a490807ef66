"""Specs of text classification and of what reads it: what they say, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from phasezoo.data.inputs import Inputs, inputs_of, needs_download
from phasezoo.spec.architecture import TAKES, Architecture, Gpt2Classifier
from phasezoo.spec.base import explain
from phasezoo.spec.data import DataSpec
from phasezoo.spec.glue import SETS

TEXT: dict[str, Any] = {
    "source": "python-text", "recipe": 1, "family": "source", "domain": "code", "context": 64,
    "train": 100, "test": 40, "split_seed": 3,
}  # fmt: skip
GLUE: dict[str, Any] = {"source": "glue", "set": "rte", "recipe": 1, "context": 32}


def read(given: dict[str, Any]) -> Any:
    return TypeAdapter(DataSpec).validate_python(given)


def line(given: dict[str, Any]) -> str:
    whole = {"data": {"text": given}}
    with pytest.raises(ValidationError) as problem:
        TypeAdapter(dict[str, dict[str, DataSpec]]).validate_python(whole)
    (said,) = str(explain(problem.value, whole, "params.yaml")).splitlines()
    return said.removeprefix("params.yaml: data.text.")


@pytest.mark.parametrize("given", [TEXT, GLUE, GLUE | {"keep": 100}, TEXT | {"sha256": "a" * 64}])
def test_a_spec_reads_back_as_it_was(given: dict[str, Any]) -> None:
    assert read(read(given).model_dump(mode="json")) == read(given)
    assert read(given).model_dump(mode="json") == given


@pytest.mark.parametrize(("given", "shape", "classes"), [(TEXT, 64, 4), (GLUE, 32, 2)])
def test_inputs_are_known_before_the_text(given: Any, shape: int, classes: int) -> None:
    assert inputs_of(read(given)) == Inputs((shape,), classes)
    assert needs_download(read(given)) == (given is GLUE)


def test_help_is_the_text_of_pydoc_and_shares_its_division() -> None:
    pydoc = read({"source": "pydoc", **{k: TEXT[k] for k in ("recipe", "context", "train", "test",
                                                              "split_seed")}})  # fmt: skip
    spec = read(TEXT | {"domain": "help"})
    assert (spec.origin, spec.division) == (pydoc.origin, pydoc.division)
    assert read(TEXT).origin != spec.origin
    assert read(TEXT).origin == read(TEXT | {"domain": "docstrings"}).origin


def test_both_tests_of_mnli_have_one_training_set() -> None:
    matched, other = (read(GLUE | {"set": name}) for name in ("mnli", "mnli-mismatched"))
    assert (matched.origin, matched.division) == (other.origin, other.division)
    assert matched.training_samples == other.training_samples == 392_702


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (TEXT | {"family": "sense"}, "family: got 'sense'; allowed: one of 'order', 'spelling'"),
        (TEXT | {"train": 101}, "train: got 101; allowed: a multiple of 4, the classes"),
        (TEXT | {"domain": "help", "test": 41}, "test: got 41; allowed: a multiple of 2, the cl"),
        (TEXT | {"context": 15}, "context: got 15; allowed: at least 16"),
        (TEXT | {"keep": 7}, "keep: got 7; allowed: one of the keys source, recipe"),
        (GLUE | {"set": "stsb"}, "set: got 'stsb'; allowed: one of 'cola', 'sst2'"),
        (GLUE | {"keep": 2_489}, "keep: got 2489; allowed: 2 to 2488, so that each class"),
        (GLUE | {"context": 7}, "context: got 7; allowed: at least 8"),
    ],
)
def test_a_wrong_spec_is_refused_by_key_value_and_rule(given: dict[str, Any], said: str) -> None:
    assert line(given).startswith(said)


def test_sets_have_more_to_train_on_than_to_test_on() -> None:
    assert all(n.train > 5 * n.test and len(n.classes) in {2, 3} for n in SETS.values())


def test_classifiers_take_labelled_text() -> None:
    assert {n for n, kind in TAKES.items() if kind == "labelled text"} == {
        "gpt-2-classifier", "roberta",
    }  # fmt: skip


def test_roberta_is_roberta_base_but_for_its_sizes() -> None:
    spec: Any = TypeAdapter(Architecture).validate_python(
        {"name": "roberta", "depth": 12, "heads": 12, "pretrained": {}}
    )
    assert (spec.vocabulary, spec.positions) == (50_265, 514)
    assert spec.pretrained.url.endswith("/model.safetensors")
    assert len(spec.pretrained.sha256) == 64
    plain = spec.model_copy(update={"pretrained": None})
    assert "pretrained" not in plain.model_dump(mode="json")


def test_a_classifier_needs_its_vocabulary() -> None:
    with pytest.raises(ValidationError, match="vocabulary"):
        Gpt2Classifier.model_validate({"name": "gpt-2-classifier", "depth": 1, "heads": 1})
