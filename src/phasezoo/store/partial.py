"""What a measuring job has finished, kept until all of it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phasezoo.provenance import versions
from phasezoo.store.manifest import read_manifest
from phasezoo.store.whole import DRAFT

Rows = Mapping[str, NDArray[np.float64]]


class Partial:
    """Finished loads of a job that measures several, beside its output.

    They are found again by the digest of the job and its code, of the models and of the versions,
    so what was measured otherwise is never taken over. To `phasezoo verify` they are leftovers.
    """

    def __init__(self, output: Path, job: str, manifests: Sequence[Path]) -> None:
        trees = [read_manifest(manifest)["tree"]["sha256"] for manifest in manifests]
        told = "\n".join([job, *trees, *map(str, sorted(versions().items()))])
        self._key = hashlib.sha256(told.encode()).hexdigest()[:16]
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
