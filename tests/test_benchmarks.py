"""Nothing runs the benchmarks but who measures: they keep up with the package all the same."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))


def test_every_script_can_be_imported_and_does_nothing_then() -> None:
    """In a process of their own, because `oracles` is a module of the tests too."""
    code = f"import sys; sys.path.insert(0, 'benchmarks'); import {', '.join(SCRIPTS)}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_their_types_are_checked_with_those_of_the_package() -> None:
    """What mypy is given when it is called without names, as `make check` does."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"]
    assert {"src/phasezoo", "benchmarks"} <= set(settings["files"])
    assert not {"packages", "modules", "exclude"} & set(settings)  # they would narrow `files`
    assert "$(BIN)/mypy\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
