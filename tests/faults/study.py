"""A study that faults happen to, and what is asked of it afterwards."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from phasezoo.store.manifest import IGNORED, provenance_of, store_of
from phasezoo.store.whole import DRAFT, checksum_of
from workflow.project import Project

FOLDERS = ("data", "runs", "measured", "results", "zoos")
SNAKEMAKE = ("snakemake", "--cores", "2")
_STATES = Path(".snakemake")
_HOW_MADE = re.compile(rb'<section aria-labelledby="[^"]*-provenance">.*?</section>', re.DOTALL)
_STARTED = re.compile(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    jobid: (\d+)$", re.MULTILINE)
_FINISHED = re.compile(r"^Finished jobid: (\d+) ", re.MULTILINE)


@dataclass(frozen=True)
class Progress:
    """What Snakemake has said of its jobs: rule by job id, in order, and those that are done."""

    started: dict[str, str]
    done: frozenset[str]

    @property
    def running(self) -> list[str]:
        return sorted(rule for job, rule in self.started.items() if job not in self.done)


class Workflow:
    """Snakemake in a process group of its own, so that it can be killed with its jobs or alone."""

    def __init__(self, project: Study, *options: str, command: tuple[str, ...] = SNAKEMAKE) -> None:
        self._path = project.root.with_name(f"{project.root.name}.said")  # its disk may be full
        self._before = len(self._read())
        with self._path.open("a") as file:
            self.process = subprocess.Popen(
                (*command, *options),
                cwd=project.root,
                env=environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _read(self) -> str:
        return self._path.read_text() if self._path.exists() else ""

    @property
    def said(self) -> str:
        """What a user has seen on the terminal."""
        return self._read()[self._before :]

    @property
    def progress(self) -> Progress:
        said = self.said
        started = {job: rule for rule, job in _STARTED.findall(said)}
        return Progress(started, frozenset(_FINISHED.findall(said)))

    def until(self, happened: Callable[[Progress], bool]) -> bool:
        """Wait for something, or for the end; tells whether it happened."""
        while not (found := happened(self.progress)) and self.process.poll() is None:
            time.sleep(0.02)
        return found

    def kill(self, with_jobs: bool) -> None:
        """As a machine that goes down, or as somebody who kills the one process he sees."""
        (os.killpg if with_jobs else os.kill)(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def jobs(self, step: str) -> list[int]:
        """Processes of this workflow that run a step."""
        return [pid for pid in _group(self.process.pid) if f"\0step\0{step}\0" in _command(pid)]

    def wait(self) -> str:
        """Wait for it and for every job of it; what it said."""
        self.process.wait()
        while _group(self.process.pid):
            time.sleep(0.05)
        return self.said


def _group(leader: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(group) == leader and state not in "ZX":
                found.append(int(entry.parent.name))
    return found


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def environment() -> dict[str, str]:
    tools = str(Path(sys.executable).parent)
    return os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Study(Project):
    """A project to which something happens."""

    def copy(self, root: Path) -> Study:
        """All of it elsewhere, shards that are one file kept one."""
        root.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", self.root, root], check=True)
        return Study(root)

    def start(self, *options: str, command: tuple[str, ...] = SNAKEMAKE) -> Workflow:
        return Workflow(self, *options, command=command)

    def fails(self, *options: str, command: tuple[str, ...] = SNAKEMAKE) -> str:
        """Run the workflow, which must fail; what it said, without a traceback of ours."""
        workflow = self.start(*options, command=command)
        said = workflow.wait()
        assert workflow.process.returncode != 0, said
        assert "phasezoo/" not in "".join(re.findall(r"Traceback.*?^\S*Error", said, re.M | re.S))
        for log in (self.root / "logs").rglob("*.log"):
            assert "Traceback" not in log.read_text(errors="replace"), log.read_text()
        return said

    def unlock(self) -> None:
        done = self.run("snakemake", "--unlock")
        assert done.returncode == 0, done.stdout + done.stderr

    def contents(self) -> dict[str, str]:
        """sha256 by path of every file that was made, but for when and where it was made."""
        files = (p for folder in FOLDERS for p in (self.root / folder).rglob("*") if p.is_file())
        return {
            path.relative_to(self.root).as_posix(): _digest(path)
            for path in files
            if path.name not in {IGNORED, "index.html.sha256"} and ".provenance." not in path.name
        }

    def finished(self) -> list[Path]:
        """Artefacts that Snakemake has recorded as made, without what lies beside them."""
        records = _STATES / "metadata", _STATES / "incomplete"
        known, begun = (
            {entry.name for entry in (self.root / folder).glob("*")} for folder in records
        )
        names = [base64.urlsafe_b64decode(name).decode() for name in known - begun]
        beside = (".provenance.json", ".sha256")
        return [self.root / name for name in names if not name.endswith(beside)]

    def trained(self) -> dict[Path, float]:
        """Manifests of finished training jobs, and when they were seen to be finished."""
        runs = self.root / "runs"
        made = (p for p in self.finished() if p.is_relative_to(runs) and p.suffix == ".json")
        return {path: time.time() for path in made}

    def remove(self, artefact: str) -> int:
        """Lose an artefact with all that goes with it; returns its bytes."""
        path = self.root / artefact
        beside = checksum_of(path), store_of(path), provenance_of(path)
        parts = [path, *(p for p in beside if p.exists())]
        size = sum(size_of(part) for part in parts)
        for part in parts:
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        return size

    def verified(self, *options: str) -> tuple[int, dict]:
        """Exit code and answer of `phasezoo verify --json`."""
        done = self.run("phasezoo", "verify", "--json", *options)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    def check_whole(self, oracle: Study) -> None:
        """Complete, verified, without leftovers, and the same to the byte as the undisturbed."""
        code, answer = self.verified()
        assert code == 0
        assert answer["findings"] == []
        found = (p for folder in FOLDERS for p in (self.root / folder).rglob(f"*{DRAFT}*"))
        assert list(found) == []  # folders too, which may be empty
        assert self.planned() == {}
        assert self.contents() == oracle.contents()


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    return sum(p.stat().st_size for p in [path, *path.rglob("*")] if p.is_file())


def _digest(path: Path) -> str:
    content = path.read_bytes()
    if path.name == "index.html":
        content = _HOW_MADE.sub(b"", content)
    return hashlib.sha256(content).hexdigest()


def only_root() -> pytest.MarkDecorator:
    """For what needs a mount."""
    return pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted by root only")
