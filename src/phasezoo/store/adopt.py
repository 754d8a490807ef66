"""Taking over what another clone of a study has made, so that two can be published as one."""

from __future__ import annotations

import shutil
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from pathlib import Path

from phasezoo.plan import Plan
from phasezoo.store.audit import audit
from phasezoo.store.manifest import ManifestError, provenance_of, read_manifest, store_of
from phasezoo.store.whole import checksum_of, digest, draft_of
from phasezoo.vocabulary import PhasezooError

RECORDS = Path(".snakemake/metadata")


@dataclass(frozen=True)
class Comparison:
    """What another clone has: artefacts new here, the number of equal ones, and conflicts."""

    new: list[str]
    same: int
    conflicts: list[str]


def compare(root: Path, other: Path, plan: Plan) -> Comparison:
    """Compare another clone with this one, artefact by artefact, as far as this spec declares.

    Data sets, weights and measurements are compared; what is joined from them is made again. An
    artefact of the other clone that is altered, differs from the one here, was trained from
    another spec or has no record of Snakemake's is a conflict.

    Raises:
        PhasezooError: the other folder has nothing of this study.
    """
    declared = plan.sources()
    if not any((other / path).exists() for path in declared):
        raise PhasezooError(f"{other}: has nothing that is declared here; allowed is a clone")
    there = [path for path in declared if (other / path).exists()]
    found = audit(other, there, there, ())
    conflicts = [f"{f.path}: {f.state}: {f.detail}" for f in found.findings]
    spoiled = {finding.path for finding in found.findings}
    new, same, recorded = [], 0, _recorded_outputs(other)
    for path in (p for p in there if p not in spoiled and not p.endswith(".zarr")):
        if not (root / path).exists():
            problem = _made_from_another_spec(other / path, plan.spec_of(path))
            if path not in recorded and not path.startswith("imported/"):
                # later changes of its spec would go unseen
                problem = f"no record of how it was made; pull {RECORDS} there"
            conflicts += [f"{path}: {problem}"] if problem else []
            new += [] if problem else [path]
        elif digest(root / path) == digest(other / path):
            same += 1
        else:
            conflicts.append(f"{path}: here and there are two of them that differ")
    return Comparison(new, same, conflicts)


def _made_from_another_spec(path: Path, wanted: dict[str, object] | None) -> str:
    """Why weights are not those that the spec here declares; empty if they are."""
    if wanted is None:
        return ""
    try:
        made = read_manifest(path)["spec"]
    except ManifestError as problem:
        return str(problem)
    keys = [key for key in {*wanted, *made} if wanted.get(key) != made.get(key)]
    return f"made from another {', '.join(sorted(keys))}" if keys else ""


def adopt(root: Path, other: Path, found: Comparison) -> None:
    """Copy the new artefacts, manifests last, and the workflow's records of how they were made."""
    for path in found.new:
        source, target = other / path, root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".json":
            draft = draft_of(store_of(target))
            shutil.copytree(store_of(source), draft)
            draft.rename(store_of(target))
            _copy(provenance_of(source), provenance_of(target))
        else:
            _copy(checksum_of(source), checksum_of(target))
        _copy(source, target)
    adopted = {*found.new, *(path.replace(".json", ".zarr") for path in found.new)}
    for output, record in _recorded_outputs(other).items():
        if output in adopted:
            target = root / record.relative_to(other)
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(record, target)


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        draft = draft_of(target)
        shutil.copy2(source, draft)
        draft.replace(target)


def _recorded_outputs(root: Path) -> dict[str, Path]:
    """Snakemake's records in a clone, by the output that each is about."""
    records = (path for path in (root / RECORDS).rglob("*") if path.is_file())
    return {_recorded(path.relative_to(root / RECORDS)): path for path in records}


def _recorded(name: Path) -> str:
    """The output that a record of Snakemake's is about; long names are cut up into folders."""
    text = "".join(part.removeprefix("@") for part in name.parts)
    try:
        return urlsafe_b64decode(text).decode()
    except ValueError:
        return ""
