from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cli.calling import Call, Said
from phasezoo.cli.app import run
from steps.tiny import Tiny, made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Two finished zoos, made once; a test that changes them puts them back."""
    return made(tmp_path_factory.getbasetemp() / "tiny")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command line, run in this process as if it were called in a folder."""

    def called(*arguments: str, cwd: Path | None = None) -> Said:
        monkeypatch.chdir(cwd or Path.cwd())
        monkeypatch.setattr(sys, "argv", ["phasezoo", *arguments])
        with pytest.raises(SystemExit) as end:
            run()
        said = capsys.readouterr()
        return Said(int(end.value.code or 0), said.out, said.err)

    return called
