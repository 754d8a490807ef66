"""What of a study is there, as far as it decides what may run."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from phasezoo import paths
from phasezoo.cell_plan import read_beside
from phasezoo.plan import Plan


def lost_data(plan: Plan, root: Path) -> list[str]:
    """Data sets of the run that are gone while something made from them is there.

    They are made again in a run of their own. They get the bytes they had, but Snakemake compares
    checksums between runs and not within one: in the same run it would train again whatever had
    been trained on them.
    """
    lost = []
    for name in plan.study.run:
        for dataset in plan.data_of_zoo(plan.zoos[name]):
            manifest = root / paths.DATA_MANIFEST.format(dataset=dataset)
            pair = (manifest, manifest.with_suffix(".zarr"))
            if not all(path.exists() for path in pair) and _made(plan, name, dataset, root):
                lost += [path.relative_to(root).as_posix() for path in pair]
    return list(dict.fromkeys(lost))


def unwritable(root: Path) -> str:
    """Which folder of the study cannot be written, and why; empty if all can."""
    for name in (folder for folder in paths.FOLDERS if folder != "imported"):
        folder = root / name
        if folder.exists() and not os.access(folder, os.W_OK):
            return f"{name}: cannot be written: {_why(folder)}; work where it can, or mount it so"
    return ""


def _why(folder: Path) -> str:
    frozen = os.statvfs(folder).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if frozen else errno.EACCES)


def trained(plan: Plan, name: str, root: Path) -> list[str]:
    """Manifests of the weights of a zoo that are there."""
    return [manifest for manifest in plan.weights_of(name) if (root / manifest).exists()]


def wanting_imports(plan: Plan, root: Path) -> dict[str, list[str]]:
    """Per zoo of the run, manifests of imported blocks that are missing or not of this spec."""
    found = {
        name: [
            manifest
            for manifest in plan.weights_of(name)
            if manifest.startswith("imported/") and not _of_this_spec(plan, root, manifest)
        ]
        for name in plan.study.run
    }
    return {name: wanting for name, wanting in found.items() if wanting}


def _of_this_spec(plan: Plan, root: Path, manifest: str) -> bool:
    try:
        made = json.loads((root / manifest).read_text(encoding="utf-8"))["spec"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(made == plan.spec_of(manifest))


def _made(plan: Plan, name: str, dataset: str, root: Path) -> bool:
    """Whether anything of a zoo is there that was made from a data set."""
    zoo, found = plan.zoos[name], plan.measured_of(name)
    if dataset == zoo.dataset:
        found += plan.weights_of(name)
    else:
        readers = {family.family for family in zoo.families if dataset in read_beside(family)}
        found = [path for path in found if Path(path).stem in readers]
    return any((root / path).exists() for path in found if not path.startswith("imported/"))
