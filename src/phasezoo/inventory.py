"""What of a study is there, as far as it decides what may run."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path

from phasezoo import paths
from phasezoo.plan import Plan


def lost_data(plan: Plan, root: Path) -> list[str]:
    """Data sets of the run that are gone while something made from them is there.

    They are made again in a run of their own. They get the bytes they had, but Snakemake compares
    checksums between runs and not within one: in the same run it would train again whatever had
    been trained on them.
    """
    lost = []
    for name in plan.study.run:
        for dataset in plan.data_made_from(name):
            manifest = root / paths.DATA_MANIFEST.format(dataset=dataset)
            pair = (manifest, manifest.with_suffix(".zarr"))
            gone = not all(path.exists() for path in pair)
            if gone and _made(plan.made_from(name, dataset), root):
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
    """Manifests of the weights of a zoo or region study that are there."""
    return [manifest for manifest in _weights(plan, name) if (root / manifest).exists()]


def _weights(plan: Plan, name: str) -> list[str]:
    """Manifests of what was trained or tuned for a zoo or region study."""
    return plan.tuned_of(name) if name in plan.study.regions else plan.weights_of(name)


def wanting_imports(plan: Plan, root: Path) -> dict[str, list[str]]:
    """Per zoo of the run or of a start, imported blocks that are missing or not of this spec."""
    found: dict[str, list[str]] = {}
    for manifest in dict.fromkeys(path for name in plan.study.run for path in _read(plan, name)):
        if manifest.startswith("imported/") and not _of_this_spec(plan, root, manifest):
            found.setdefault(manifest.split("/")[1], []).append(manifest)
    return found


def _read(plan: Plan, name: str) -> list[str]:
    """Manifests of the weights that a zoo has, or that a region study starts from."""
    return plan.starts_of(name) if name in plan.study.regions else plan.weights_of(name)


def _of_this_spec(plan: Plan, root: Path, manifest: str) -> bool:
    try:
        made = json.loads((root / manifest).read_text(encoding="utf-8"))["spec"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(made == plan.spec_of(manifest))


def _made(found: Iterable[str], root: Path) -> bool:
    """Whether anything of it is there; what was imported was not made here."""
    return any((root / path).exists() for path in found if not path.startswith("imported/"))
