"""A throw-away Slurm for tests, and what it says about the jobs of a project."""

from __future__ import annotations

import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from workflow.project import Project

SCRIPT = Path(__file__).parent / "cluster.sh"
DAEMONS = ("munged", "slurmctld", "slurmd", "slurmdbd", "mariadbd")
PLUGIN = "snakemake_executor_plugin_slurm"
# Snakemake waits without end for a job whose end it misses; a test should fail instead
SNAKEMAKE = (
    *("timeout", "--kill-after=30", "900", "snakemake", "--profile", "profiles/slurm"),
    *("--default-resources", "slurm_partition=main"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)


@dataclass(frozen=True)
class Job:
    """A job as Slurm's accounting has it."""

    identity: str
    state: str
    allocated: dict[str, str]
    comment: str

    @property
    def rule(self) -> str:
        return self.comment.removeprefix("rule_").split("_wildcards_")[0]


@dataclass(frozen=True)
class Cluster:
    """A running Slurm, which commands find through the environment."""

    folder: Path

    def jobs(self, project: Project) -> list[Job]:
        """All jobs that were submitted from the folder of a project, in order."""
        fields = "JobID,State,AllocTRES,Comment,WorkDir"
        said = _say("sacct", "-X", "--parsable2", "--noheader", f"--format={fields}")
        rows = [line.split("|") for line in said.splitlines()]
        return [
            Job(identity, state.split()[0], _resources(tres), comment)
            for identity, state, tres, comment, folder in rows
            if folder == str(project.root)
        ]

    def devices(self, project: Project) -> dict[str, set[str]]:
        """CUDA_VISIBLE_DEVICES of every task of every job of a project."""
        rows = [line.split(" ") for line in (self.folder / "tasks").read_text().splitlines()]
        jobs = (job.identity for job in self.jobs(project))
        return {job: {given for one, _, given in rows if one == job} for job in jobs}

    def kill(self, rule: str, project: Project) -> None:
        """Cancel the first running job of a rule, as an operator or a failing node would."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            said = _say("squeue", "--noheader", "--states=RUNNING", "--format=%i|%k|%Z")
            rows = [line.split("|") for line in said.splitlines()]
            found = [job for job, comment, folder in rows if _is(rule, comment, folder, project)]
            if found:
                _say("scancel", found[0])
                return
            time.sleep(0.2)
        raise TimeoutError(f"no running job of {rule}")


def missing() -> list[str]:
    """What a Slurm of this machine lacks."""
    path = "/usr/sbin:/sbin:/usr/bin:/bin"
    programs = [
        name for name in DAEMONS if not (shutil.which(name) or shutil.which(name, path=path))
    ]
    return programs if find_spec(PLUGIN) else [*programs, PLUGIN.replace("_", "-")]


def _say(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _resources(tres: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in tres.split(",") if pair)


def _is(rule: str, comment: str, folder: str, project: Project) -> bool:
    return comment.startswith(f"rule_{rule}_") and folder == str(project.root)
