"""A copy of the workflow in a folder of its own, and what Snakemake would do there."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
WORKFLOW = ("Snakefile", "rules", "profiles", "envs", ".dvcignore", ".gitignore")


@cache
def _server() -> ForkServerContext:
    """Makes processes that have imported Snakemake, and what its rules import."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["workflow.warm"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY / "tests"), prepend=os.pathsep)
        forkserver.ensure_running()
    return found


def _forked(root: Path, command: tuple[str, ...]) -> tuple[int | None, str]:
    """Exit status of Snakemake's command line in a folder, and what it said."""
    with NamedTemporaryFile("r") as said:
        process = _server().Process(target=_snakemake, args=(root, command, said.name))
        process.start()
        process.join()
        return process.exitcode, said.read()


def _snakemake(root: Path, command: tuple[str, ...], said: str) -> None:
    from snakemake.cli import main

    os.chdir(root)
    with open(said, "w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    main(command[1:])


@dataclass(frozen=True)
class Project:
    """A folder with the workflow, a spec and whatever has been made there."""

    root: Path

    @classmethod
    def create(cls, root: Path, params: dict) -> Project:
        root.mkdir(parents=True)
        for name in WORKFLOW:
            source = REPOSITORY / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, root / name)
        project = cls(root)
        project.write(params)
        return project

    def write(self, params: dict) -> None:
        (self.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str, code: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, with the tools of this environment first on the path."""
        tools = str(Path(sys.executable).parent)
        environment = os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
        if code:
            environment["PYTHONPATH"] = str(code)
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )

    def make(self, *options: str) -> str:
        """Run the workflow to its end; returns what it said."""
        done = self.run("snakemake", "--cores", "2", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def planned(self, code: Path | None = None) -> Counter[str]:
        """Jobs that a dry run announces, per rule; `all` left out.

        Of the package itself, which a server has imported, it takes a fork; of other `code` a
        process from the start.
        """
        command = ("snakemake", "--dry-run", "--cores", "2")
        if code:
            done = self.run(*command, code=code)
            status, said = done.returncode, done.stdout + done.stderr
        else:
            status, said = _forked(self.root, command)
        assert status == 0, said
        stats = re.search(r"Job stats:\njob +count\n[- ]+\n(.*?)\n\n", said, re.DOTALL)
        if not stats:
            assert "Nothing to be done" in said, said
            return Counter()
        rows = (line.split() for line in stats[1].splitlines())
        return Counter({rule: int(count) for rule, count in rows if rule not in {"all", "total"}})

    def manifests(self) -> dict[str, str]:
        """Every manifest and result by path, as text or hexadecimal bytes."""
        found = {}
        for pattern in ("data/*.json", "runs/**/*.json", "zoos/*.json", "results/*/*.json"):
            for path in self.root.glob(pattern):
                if ".provenance" not in path.name and ".zarr/" not in path.as_posix():
                    found[path.relative_to(self.root).as_posix()] = path.read_text()
        for pattern in ("measured/**/*.nc", "results/**/*.nc"):
            for path in self.root.glob(pattern):
                found[path.relative_to(self.root).as_posix()] = path.read_bytes().hex()
        return found
