"""Manifests: what a directory holds, written last, so that files are the edges of the DAG.

A manifest says only what follows from the content, so two runs with the same result have the same
manifest. How it was made (versions, machine, time) lies in a `.provenance.json` beside it, which
nothing depends on.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from phasezoo.provenance import machine, versions
from phasezoo.store.variables import SCHEMA_VERSION
from phasezoo.store.whole import (
    AlteredError,
    alone,
    digest,
    draft_of,
    flush,
    naming,
    read_json,
    write_json,
)
from phasezoo.vocabulary import PhasezooError

IGNORED = ".snakemake_timestamp"


class ManifestError(PhasezooError):
    """An artefact is not what its manifest says."""


@dataclass(frozen=True)
class Tree:
    """Digest and size of a directory.

    `sha256` is over the sorted lines "digest path" of all files, like the output of sha256sum.
    """

    sha256: str
    files: int
    bytes: int


def tree_of(directory: Path) -> Tree:
    """Digest every file below a directory; Snakemake's own time stamp does not count."""
    lines, total = [], 0
    for path in sorted(p for p in directory.rglob("*") if p.is_file() and p.name != IGNORED):
        lines.append(f"{digest(path)} {path.relative_to(directory).as_posix()}\n")
        total += path.stat().st_size
    return Tree(hashlib.sha256("".join(lines).encode()).hexdigest(), len(lines), total)


def store_of(manifest: Path) -> Path:
    """The directory that a manifest describes: the same name with `.zarr`."""
    return manifest.with_suffix(".zarr")


def provenance_of(manifest: Path) -> Path:
    """Where it lies how a directory was made."""
    return manifest.with_suffix(".provenance.json")


def read_manifest(manifest: Path) -> dict[str, Any]:
    """The content of a manifest.

    Raises:
        ManifestError: there is none, or it is no manifest, or it was altered.
    """
    try:
        content = read_json(manifest)
        Tree(**content["tree"])
    except (AlteredError, KeyError, TypeError) as problem:
        raise ManifestError(
            f"{manifest}: not a manifest ({problem}); `phasezoo verify --mend` removes what is bad"
        ) from None
    return content


def verify(manifest: Path) -> None:
    """Recompute a manifest.

    Raises:
        ManifestError: the directory is missing or altered.
    """
    declared, found = Tree(**read_manifest(manifest)["tree"]), tree_of(store_of(manifest))
    if declared != found:
        raise ManifestError(
            f"{store_of(manifest)}: altered; got {found.files} files, {found.bytes} bytes, "
            f"sha256 {found.sha256[:12]}, allowed are {declared.files}, {declared.bytes}, "
            f"{declared.sha256[:12]}"
        )


@contextmanager
def writing(
    manifest: Path,
    spec: Mapping[str, Any],
    noted: Mapping[str, str] | None = None,
    **made_with: str,
) -> Iterator[Path]:
    """Write a directory and its manifest, or neither.

    Yields an empty directory beside the final one; when the block ends well it is moved into
    place and the manifest is written last, each by an atomic rename. `made_with` (code digest,
    device) goes into the provenance, and so does `noted`, as it is when the block ends.
    """
    began, started = monotonic(), datetime.now(UTC)
    draft = draft_of(store_of(manifest))
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with naming(store_of(manifest)):
            yield draft
            tree = asdict(tree_of(draft))
            for path in (p for p in draft.rglob("*") if p.is_file()):
                flush(path)
        provenance = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(monotonic() - began, 2),
            "versions": versions(),
            "machine": machine(),
            **made_with,
            **(noted or {}),
        }
        with alone(manifest):
            _settle(draft, manifest)
            write_json(provenance_of(manifest), provenance)
            write_json(manifest, {"schema": SCHEMA_VERSION, "tree": tree, "spec": dict(spec)})
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _settle(draft: Path, manifest: Path) -> None:
    """Move a directory into its place; without a manifest while there is none, or another."""
    manifest.unlink(missing_ok=True)
    shutil.rmtree(store_of(manifest), ignore_errors=True)
    draft.rename(store_of(manifest))
