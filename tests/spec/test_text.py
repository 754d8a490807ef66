"""Specs of language data sets: what they say before any text is read, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from phasezoo.spec.base import explain
from phasezoo.spec.data import DataSpec
from phasezoo.spec.text import OPENWEBTEXT_SHA256, OPENWEBTEXT_TOKENS, OpenWebText, Pydoc

SHA = "0123456789abcdef" * 4
COMMON: dict[str, Any] = {"recipe": 1, "context": 64, "train": 101, "test": 37, "split_seed": 3}
PYDOC, WEB = {"source": "pydoc", **COMMON}, {"source": "openwebtext", **COMMON}


def read(given: dict[str, Any]) -> Any:
    return TypeAdapter(DataSpec).validate_python(given)


@pytest.mark.parametrize("given", [PYDOC, WEB])
def test_what_a_study_checks_is_known_before_the_text(given: dict[str, Any]) -> None:
    spec = read(given)
    assert (spec.training_samples, spec.train, spec.split_seed) == (101, 101, 3)
    assert read(given | {"keep": 53}).training_samples == 53
    assert read(given | {"keep": 101}).training_samples == 101
    assert (spec.recipe, spec.length) == (1, 65)
    assert read(spec.model_dump(mode="json")) == spec


def test_an_origin_is_the_text_that_is_read() -> None:
    assert read(PYDOC).origin == read(PYDOC | {"sha256": SHA, "context": 7}).origin == "pydoc"
    mirror = read(WEB | {"url": "https://example.org/openwebtext.tar.xz"})
    assert mirror.origin == read(WEB).origin == f"openwebtext {OPENWEBTEXT_SHA256}"
    assert read(WEB | {"sha256": SHA}).origin == f"openwebtext {SHA}"


def test_the_published_archive_is_asked_for_unless_another_is_named() -> None:
    spec = OpenWebText.model_validate(WEB)
    assert spec.published
    assert spec.url == "https://zenodo.org/record/3834942/files/openwebtext.tar.xz"
    assert not OpenWebText.model_validate(WEB | {"sha256": SHA}).published


def test_a_published_archive_has_only_so_many_windows() -> None:
    most = OPENWEBTEXT_TOKENS // 1025 - 37
    given = WEB | {"context": 1024}
    assert read(given | {"train": most}).train == most
    assert read(given | {"train": most + 1, "sha256": SHA}).train == most + 1
    assert f"train: got {most + 1}; allowed: at most {most} beside" in line(
        given | {"train": most + 1}
    )


def line(given: dict[str, Any]) -> str:
    """The one line that refuses a spec."""
    whole = {"data": {"web": given}}
    with pytest.raises(ValidationError) as problem:
        TypeAdapter(dict[str, dict[str, DataSpec]]).validate_python(whole)
    (said,) = str(explain(problem.value, whole, "params.yaml")).splitlines()
    return said


def wrong(label: str, given: dict[str, Any], key: str, value: Any, got: str, allowed: str) -> Any:
    changed = {k: v for k, v in (given | {key: value}).items() if v is not None}
    return pytest.param(changed, key, got, allowed, id=label)


@pytest.mark.parametrize(
    ("given", "key", "got", "allowed"),
    [
        wrong("key of images", PYDOC, "rotation", 90, "90", "one of the keys source, recipe, cont"),
        wrong("noise", WEB, "label_noise", {}, "{}", "one of the keys source, recipe, context"),
        wrong("address of a text that travels", PYDOC, "url", "x", "'x'", "one of the keys"),
        wrong("no context", PYDOC, "context", None, "nothing", "this key must be given"),
        wrong("no test windows", WEB, "test", None, "nothing", "this key must be given"),
        wrong("context 0", PYDOC, "context", 0, "0", "greater than 0"),
        wrong("endless context", WEB, "context", 65537, "65537", "at most 65536"),
        wrong("half a token", PYDOC, "context", 6.5, "6.5", "a whole number"),
        wrong("one window", PYDOC, "train", 1, "1", "at least 2"),
        wrong("endless training", PYDOC, "train", 10**9 + 1, "1000000001", "at most 1e+09"),
        wrong("none to test on", WEB, "test", 0, "0", "greater than 0"),
        wrong("more tokens than the corpus has", WEB, "train", 10**9, "1000000000",
              "at most 139077149 beside test: windows of 65 of the 9,040,017,095 tokens"),
        wrong("more kept than there are", PYDOC, "keep", 102, "102", "at most 101, the training"),
        wrong("one kept", PYDOC, "keep", 1, "1", "at least 2"),
        wrong("negative seed", WEB, "split_seed", -1, "-1", "at least 0"),
        wrong("short checksum", PYDOC, "sha256", "abc", "'abc'", "64 hexadecimal digits"),
        wrong("no address", WEB, "url", "openwebtext.tar.xz", "'openwebtext.tar.xz'",
              "begins with"),
        wrong("recipe 0", PYDOC, "recipe", 0, "0", "greater than 0"),
    ],
)  # fmt: skip
def test_a_wrong_spec_is_refused_by_key_value_and_rule(
    given: dict[str, Any], key: str, got: str, allowed: str
) -> None:
    said = line(given)
    assert said.startswith(f"params.yaml: data.web.{key}: got {got}; allowed: ")
    assert allowed in said.split("; allowed: ")[1]


def test_a_checksum_of_the_documentation_may_be_left_out() -> None:
    assert Pydoc.model_validate(PYDOC).sha256 is None
    assert Pydoc.model_validate(PYDOC | {"sha256": SHA.upper()}).sha256 == SHA
