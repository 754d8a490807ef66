"""What of a study is missing, altered or not declared, and how to be rid of what is bad."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from phasezoo import paths
from phasezoo.store.manifest import IGNORED, ManifestError, provenance_of, store_of, verify
from phasezoo.store.whole import DRAFT, AlteredError, check_file, checksum_of, read_json
from phasezoo.vocabulary import PhasezooError

LEFT = "half written by a job that was killed"
LABELS = paths.COVERAGE.rpartition("/")[2]


class State(StrEnum):
    """What is the matter with an artefact."""

    MISSING = "missing"  # declared, and not there
    ALTERED = "altered"  # there, and not what was written
    LEFTOVER = "leftover"  # half written by a job that was killed
    ORPHANED = "orphaned"  # there, and not declared


@dataclass(frozen=True, order=True)
class Finding:
    """One artefact that is not as it should be."""

    state: State
    path: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """How many artefacts were looked at, and what was found."""

    checked: int
    findings: list[Finding]

    def of(self, state: State) -> list[Finding]:
        """The findings of one state."""
        return [finding for finding in self.findings if finding.state is state]

    @property
    def bad(self) -> list[Finding]:
        """What must be made again."""
        return [f for f in self.findings if f.state in (State.MISSING, State.ALTERED)]

    @property
    def lasting(self) -> list[Finding]:
        """What no run can make again, because it was trained elsewhere."""
        return [finding for finding in self.bad if finding.path.startswith("imported/")]


def audit(
    root: Path, declared: Sequence[str], known: Iterable[str], folders: Sequence[str]
) -> Audit:
    """Recompute every checksum of what is declared, and look for what is not.

    Args:
        root: of the study.
        declared: artefacts that should be there: manifests (with their stores) and files.
        known: more artefacts that may be there.
        folders: relative to the root, to look in for anything else.
    """
    artefacts = [path for path in dict.fromkeys(declared) if not path.endswith(".zarr")]
    with ThreadPoolExecutor() as pool:
        checked = list(pool.map(lambda path: _check(root, path), artefacts))
    strays = _strays(root, {*declared, *known}, folders)
    return Audit(len(artefacts), sorted({*(f for found in checked for f in found), *strays}))


def _check(root: Path, path: str) -> list[Finding]:
    """The findings on one declared artefact."""
    here = root / path
    if here.suffix != ".json" or here.name == LABELS:
        return _check_file(here, path)
    store = store_of(here)
    there = [p for p in (here, store) if p.exists()]
    if len(there) == 1:
        half = f"{there[0].relative_to(root)} is there alone"
        return [Finding(State.MISSING, path, half)]
    if not there:
        return [Finding(State.MISSING, path, "")]
    found = []
    try:
        verify(here)
    except ManifestError as problem:
        found.append(Finding(State.ALTERED, path, str(problem)))
    provenance = provenance_of(here)
    if provenance.exists():
        try:
            read_json(provenance)
        except AlteredError as problem:
            where = str(provenance.relative_to(root))
            found.append(Finding(State.ALTERED, where, str(problem)))
    return found


def _check_file(here: Path, path: str) -> list[Finding]:
    if not here.exists():
        return [Finding(State.MISSING, path, "")]
    try:
        read_json(here) if here.suffix == ".json" else check_file(here)
    except AlteredError as problem:
        return [Finding(State.ALTERED, path, str(problem))]
    return []


def _strays(root: Path, known: set[str], folders: Sequence[str]) -> list[Finding]:
    """Files below `folders` that belong to no known artefact; a store counts as one."""
    found: set[Finding] = set()
    files = (p for folder in folders for p in _files(root / folder))
    for path in (p.relative_to(root).as_posix() for p in files):
        if DRAFT in path:
            draft = (
                path[: path.index("/", path.index(DRAFT))]
                if "/" in path[path.index(DRAFT) :]
                else path
            )
            found.add(Finding(State.LEFTOVER, draft, LEFT))
        elif (whole := _artefact(path)) not in known:
            found.add(Finding(State.ORPHANED, whole, "not declared in the spec"))
    return [*found, *_empty_drafts(root, folders)]


def _empty_drafts(root: Path, folders: Sequence[str]) -> set[Finding]:
    """Folders of jobs that were killed before they wrote anything."""
    drafts = (p for folder in folders for p in (root / folder).rglob(f".*{DRAFT}*") if p.is_dir())
    paths = (path.relative_to(root).as_posix() for path in drafts if path.name.startswith("."))
    return {Finding(State.LEFTOVER, path, LEFT) for path in paths if path.count(DRAFT) == 1}


def _files(folder: Path) -> Iterable[Path]:
    return (p for p in folder.rglob("*") if p.is_file() and p.name != IGNORED)


def _artefact(path: str) -> str:
    """The artefact that a file belongs to: its store, the file of its checksum, its manifest."""
    store, inside, _ = path.partition(".zarr/")
    if inside:
        return f"{store}.zarr"
    if path.endswith(".provenance.json"):
        return path.replace(".provenance.json", ".json")
    return path.removesuffix(".sha256")


def mend(root: Path, found: Audit) -> list[str]:
    """Remove what is altered or half written; returns what was removed.

    What was imported cannot be made again, and what is not declared may be somebody's work: both
    stay. So does a store whose manifest is missing: a reader may have pulled it alone, and the
    next run that wants it makes it again anyway.

    Raises:
        PhasezooError: a workflow holds the folder.
    """
    if any((root / ".snakemake/locks").glob("*")):
        raise PhasezooError(
            f"{root}: a workflow runs here, or was killed; wait for it, or `snakemake --unlock`"
        )
    removed = []
    for finding in found.findings:
        if finding.state in (State.ALTERED, State.LEFTOVER) and finding not in found.lasting:
            removed += [path for path in _all_of(root / finding.path) if _remove(path)]
    return [path.relative_to(root).as_posix() for path in removed]


def _all_of(path: Path) -> list[Path]:
    """Everything that goes with an artefact."""
    if path.name.endswith(".provenance.json") or DRAFT in path.name:
        return [path]
    if path.suffix == ".json" and path.name != LABELS:
        return [path, store_of(path), provenance_of(path)]
    return [path, checksum_of(path)]


def _remove(path: Path) -> bool:
    if not path.exists():
        return False
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return True
