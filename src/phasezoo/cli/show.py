"""What the command line prints of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from phasezoo import paths
from phasezoo.cli.status import ZooStatus
from phasezoo.phases.coverage import text_map
from phasezoo.spec import Study
from phasezoo.store import measurements
from phasezoo.store.audit import Audit, State
from phasezoo.store.manifest import read_manifest
from phasezoo.store.whole import read_json


def study_summary(study: Study) -> None:
    """Print, per zoo of the run, what was made and found; then what to open."""
    console = Console(highlight=False, soft_wrap=True)
    for name in study.zoos_of_run:
        manifest = read_manifest(Path(paths.ZOO_MANIFEST.format(zoo=name)))
        found = read_json(Path(paths.COVERAGE.format(zoo=name)))["epochs"]
        epoch = max(found, key=int)
        phases = measurements.read(Path(paths.PHASES.format(zoo=name)))
        labels = phases.sel(epoch=int(epoch))
        console.print(f"\n{name}: phases at epoch {epoch}")
        console.print(text_map(labels))
        console.print(_coverage_lines(found[epoch]))
        tree = manifest["tree"]
        console.print(
            f"made: {paths.ZOO.format(zoo=name)} ({study.zoos[name].models} models, "
            f"{tree['files']} files, {tree['bytes'] / 1e6:.1f} MB)"
        )
    for name in study.regions_of_run:
        console.print(f"\n{name}: made: {paths.REGIONS.format(regions=name)}")
    console.print(f"open: {Path(paths.REPORT).resolve().as_uri()}")


def _coverage_lines(found: Mapping[str, Any]) -> str:
    """Cells per phase, in brackets the certain ones, and what is lacking."""
    certain = found["certain"]
    cells = ", ".join(f"{p} {count} ({certain[p]})" for p, count in found["per_phase"].items())
    lines = [
        f"cells per phase (certain ones): {cells}; missing {found['missing']}, "
        f"near a border (*) {found['near_border']}"
    ]
    lines += [f"too few certain cells of {p}: {what}" for p, what in found["lacking"].items()]
    return "\n".join(lines)


def audit_lines(found: Audit, removed: list[str]) -> list[str]:
    """What an audit found, a line each, and a last line that counts."""
    lines = [f"{f.state}: {f.path}{f': {f.detail}' if f.detail else ''}" for f in found.findings]
    lines += [f"removed: {path}" for path in removed]
    counts = ", ".join(f"{len(found.of(state))} {state}" for state in State)
    lines.append(f"{found.checked} artefacts checked: {counts}")
    if found.lasting:
        lines.append("what was imported cannot be made again: bring it with `phasezoo import`")
    if found.of(State.ALTERED) and not removed:
        lines.append("`phasezoo verify --mend` removes what is bad; the next run makes it again")
    return lines


def status_table(rows: list[ZooStatus]) -> None:
    """Print how far every zoo is made, then what to know of it."""
    table = Table(title="Zoos", title_justify="left")
    for heading in ("zoo", "trained blocks", "measured", "published"):
        table.add_column(heading, justify="left" if heading == "zoo" else "right")
    for row in rows:
        size = f"{row.bytes / 1e6:.1f} MB" if row.published else "no"
        done = (f"{row.trained} of {row.blocks}", f"{row.measured} of {row.measurements}")
        table.add_row(row.zoo, *done, size)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.zoo}: {row.note}")
