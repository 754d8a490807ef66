"""What a job over several cells has finished, kept beside its output until all of it is.

It is found again by the digest of all that decides it, so what was made otherwise is never taken
over. To `phasezoo verify` it is a leftover.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasezoo.provenance import versions
from phasezoo.store.links import link_tree
from phasezoo.store.manifest import read_manifest, store_of, tree_of
from phasezoo.store.whole import DRAFT, draft_of

Rows = Mapping[str, NDArray[np.float64]]


class Partial:
    """Finished loads of a job that measures several."""

    def __init__(self, output: Path, job: str, manifests: Sequence[Path]) -> None:
        self._key = _key(job, manifests)
        self._output = output

    def read(self, load: float) -> dict[str, NDArray[np.float64]] | None:
        """The rows of a load, if they are there."""
        try:
            with np.load(self._path(load), allow_pickle=False) as found:
                return {str(name): found[name] for name in found.files}
        except (OSError, ValueError, EOFError):
            return None

    def write(self, load: float, rows: Rows) -> None:
        """Keep the rows of a load, where there is room: it is the output that must be written."""
        path = self._path(load)
        draft = path.with_name(f"{path.name}.tmp")
        try:
            self._output.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez(file, allow_pickle=False, **rows)
            draft.replace(path)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all that is kept of this output, also by jobs of another spec."""
        for path in self._output.parent.glob(f".{self._output.name}{DRAFT}*.npz*"):
            path.unlink(missing_ok=True)

    def _path(self, load: float) -> Path:
        return self._output.with_name(f".{self._output.name}{DRAFT}{self._key}-{load:g}.npz")


class PartialWeights:
    """Finished cells of a job that trains several, each a folder named by the digest of its tree.

    They are links to the files of the draft, which is gone after a failure, and take no room.
    """

    def __init__(self, manifest: Path, job: str, inputs: Sequence[Path]) -> None:
        """Look where cells may lie.

        Args:
            manifest: of the weights that the job writes.
            job: all that it is told, its code and its device.
            inputs: manifests of what it reads.
        """
        store = store_of(manifest)
        self._all = f".{store.name}{DRAFT}cells-"
        self._folder = store.with_name(f"{self._all}{_key(job, inputs)}")

    def take(self, cell: tuple[str, str], target: Path) -> bool:
        """Put a cell into its place in a draft, if it is there and whole; says whether it was."""
        with suppress(OSError):  # another process that finishes the same job removes them
            for found in self._folder.joinpath(*cell).glob("[0-9a-f]*"):
                link_tree(found, target)
                if tree_of(target).sha256 == found.name:
                    return True
                shutil.rmtree(target)
        shutil.rmtree(target, ignore_errors=True)
        return False

    def keep(self, cell: tuple[str, str], source: Path) -> None:
        """Keep a cell, where there is room: it is the output that must be written."""
        kept = self._folder.joinpath(*cell, tree_of(source).sha256)
        draft = draft_of(kept)
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            link_tree(source, draft)
            draft.rename(kept)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)

    def remove(self) -> None:
        """Remove all that is kept of this output, also by jobs of another spec."""
        for folder in self._folder.parent.glob(f"{self._all}*"):
            shutil.rmtree(folder, ignore_errors=True)


def _key(job: str, manifests: Sequence[Path]) -> str:
    trees = [read_manifest(manifest)["tree"]["sha256"] for manifest in manifests]
    told = "\n".join([job, *trees, *map(str, sorted(versions().items()))])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
