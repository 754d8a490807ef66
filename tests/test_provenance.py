"""The digest of a step's code changes with what its code does, and with nothing else."""

from __future__ import annotations

import io
import shutil
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest

import phasezoo
from phasezoo import provenance

Digest = Callable[[], str]
LANCZOS = "landscape/lanczos.py"
FLAT = "models/flat.py"  # imported by what the step imports


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package with a step of its own, which `provenance` looks at."""
    copy = tmp_path / "phasezoo"
    source = Path(phasezoo.__file__).parent
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "steps").mkdir(exist_ok=True)
    (copy / "steps" / "probe.py").write_text(
        "from phasezoo.landscape import lanczos, network\n"
        "from phasezoo.store import schema\n\nTEMPLATE = 'probe.jinja'\n"
    )
    (copy / "steps" / "probe.jinja").write_text('<p>{% include "part.jinja" %}')
    (copy / "steps" / "part.jinja").write_text("part")
    monkeypatch.setattr(provenance, "ROOT", copy)
    return copy


def digest() -> str:
    provenance._read.cache_clear()  # a process does not see its own code change
    return provenance.code_digest("probe")


def recipe() -> str:
    provenance._read.cache_clear()
    provenance.recipe_digest.cache_clear()
    return provenance.recipe_digest()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_same_code_has_the_same_digest(root: Path) -> None:
    assert digest() == digest()


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("steps/probe.py", "lanczos, network", "network"),
        (LANCZOS, "rounding = 8", "rounding = 9"),
        (FLAT, "offset += tensor.numel()", "offset += 1"),
        ("steps/probe.jinja", "<p>", "<b>"),
        ("steps/part.jinja", "part", "whole"),  # included by the template
    ],
)
def test_an_edit_of_imported_code_changes_it(root: Path, module: str, old: str, new: str) -> None:
    before = digest()
    replace(root / module, old, new)
    assert digest() != before


def test_a_step_that_joins_minds_the_store_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "JOINING", {"probe"})
    before = digest()
    replace(root / "vocabulary.py", "DIVERGED = 2", "DIVERGED = 3")
    assert digest() != before


@pytest.mark.parametrize(
    ("module", "counts"),
    [
        ("training/schedule.py", True),
        ("models/mlp.py", True),
        ("rng.py", True),
        ("landscape/lanczos.py", False),
        ("store/weights.py", False),
        ("spec/zoo.py", False),
    ],
)
def test_the_recipe_is_the_code_that_decides_trained_weights(
    root: Path, module: str, counts: bool
) -> None:
    before = recipe()
    with (root / module).open("a") as file:
        file.write("\nNEW = 1\n")
    assert (recipe() != before) is counts


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (LANCZOS, '"""Krylov bases of symmetric operators, one', '"""Bases, one'),
        (LANCZOS, '"""Vectors [M, P] minus', '"""Without'),
        (LANCZOS, "parts)[:, :, 0]", "parts)[:, :, 0]  # new"),
        (LANCZOS, "    for _ in range(passes):", "\n\n    for _ in range(passes):"),
        ("vocabulary.py", "DIVERGED = 2", "DIVERGED = 3"),  # carried, not computed
        ("store/variables/__init__.py", "SCHEMA_VERSION = 1", "SCHEMA_VERSION = 2"),
        (FLAT, '"""Number of elements."""', '"""How many."""'),
    ],
)
def test_words_and_layout_do_not_change_it(root: Path, module: str, old: str, new: str) -> None:
    before = digest()
    replace(root / module, old, new)
    assert digest() == before


QUOTES = r'''
a = "# none"  # one, with a " in it
b = '\'# none' + "\"# none" + ""  # 'two'
c = """ " # none
# none \""" '"""  # three
d = f"{a!r:#>5}" rb'\#'  # four
'''


def without_comments(text: str) -> list[str]:
    """As Python's own tokenizer finds them."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return lines


def test_comments_are_those_that_the_tokenizer_finds() -> None:
    package = Path(phasezoo.__file__).parent
    modules = sorted([*package.glob("*.py"), *package.glob("report/*.py")])
    texts = [QUOTES, Path(__file__).read_text("utf-8"), *(p.read_text("utf-8") for p in modules)]
    assert sum("#" in text for text in texts) > 20
    for text in texts:
        assert provenance._without_comments(text).splitlines() == without_comments(text)


def test_code_that_is_not_imported_does_not_change_it(root: Path) -> None:
    before = digest()
    (root / "phases" / "classify.py").write_text("X = 1\n")
    assert digest() == before


def test_an_unknown_step_is_refused_by_name(root: Path) -> None:
    with pytest.raises(ValueError, match=r"step: got 'prob', known are .*probe"):
        provenance.code_digest("prob")


def test_versions_name_python_the_package_and_the_libraries() -> None:
    found = provenance.versions()
    assert {"python", "phasezoo", "numpy", "torch", "zarr"} <= set(found)
    assert all(text[0].isdigit() for text in found.values())


def test_the_machine_is_a_kind_and_not_a_name() -> None:
    assert set(provenance.machine()) == {"system", "processor"}
