"""The table of what alignments took, beside the log of a job.

Times are told apart from results, so that two runs give the same bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from phasezoo.merging.alignment import Alignment
from phasezoo.steps.cells import Cell
from phasezoo.steps.log import say

COLUMNS = ("load", "temperature", "epoch", "seeds", "for", "way", "sweeps", "converged", "seconds")


class AlignmentTimes:
    """Says in the log, and in a table if there is one, what each alignment of a job took.

    A row tells the cell, the epoch, the seeds that were aligned (``0+1``), what for (`barrier`,
    `path` of an arm, `soup`), the way, sweeps, whether it came to rest, and seconds of wall-clock
    time. Of a job that goes on after a failure, it is those since then.

    Args:
        path: of the table, columns apart by tabs; None: only the log tells.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\t".join(COLUMNS) + "\n", encoding="utf-8")

    def add(
        self, cell: Cell, positions: Sequence[int], purpose: str, way: str, found: Alignment
    ) -> None:
        """One alignment of the models at some positions of a cell."""
        seeds = "+".join(str(cell.seeds[i]) for i in positions)
        names = " ".join(cell.names(cell.seeds[positions[0]])[:-1])
        say(f"aligned by {way} in {found.seconds:.3g} s for a {purpose}: {names} seeds={seeds}")
        told = (len(found.objective) - 1, int(found.converged), f"{found.seconds:.4g}")
        row = (cell.load, cell.temperature, cell.job.epoch, seeds, purpose, way, *told)
        if self._path:
            with self._path.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter="\t", lineterminator="\n").writerow(row)
