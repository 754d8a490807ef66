"""What the command line prints of a study."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from phasezoo import paths
from phasezoo.data.source import SOURCES
from phasezoo.phases.coverage import text_map
from phasezoo.spec import Study
from phasezoo.spec.zoo import Axis
from phasezoo.store import measurements
from phasezoo.store.manifest import read_manifest


def zoo_table(study: Study) -> None:
    """Print the declared zoos as a table."""
    table = Table(title="Zoos", title_justify="left")
    for heading in ("zoo", "architecture", "load", "temperature", "seeds", "models", "data"):
        table.add_column(heading, justify="right" if heading == "models" else "left")
    table.add_column("download")
    table.add_column("in run")
    for name, zoo in study.zoos.items():
        download = SOURCES[study.data[zoo.dataset].source].download
        table.add_row(
            name,
            zoo.architecture.name,
            _axis(zoo.load),
            _axis(zoo.temperature),
            str(len(zoo.all_seeds)),
            str(zoo.models),
            zoo.dataset,
            "needed" if download else "none",
            "yes" if name in study.run else "",
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def _axis(axis: Axis) -> str:
    return f"{axis.meaning.long_name} " + " ".join(map(axis.meaning.label, axis.all_values))


def study_summary(study: Study) -> None:
    """Print, per zoo of the run, what was made and found; then what to open."""
    console = Console(highlight=False, soft_wrap=True)
    for name in study.run:
        manifest = read_manifest(Path(paths.ZOO_MANIFEST.format(zoo=name)))
        found = json.loads(Path(paths.COVERAGE.format(zoo=name)).read_text("utf-8"))["epochs"]
        epoch = max(found, key=int)
        phases = measurements.read(Path(paths.PHASES.format(zoo=name)))
        labels = phases["phase"].sel(epoch=int(epoch))
        console.print(f"\n{name}: phases at epoch {epoch}")
        console.print(text_map(labels))
        counts = found[epoch]["per_phase"].items()
        cells = ", ".join(f"{phase} {count}" for phase, count in counts)
        absent = ", ".join(found[epoch]["absent"]) or "none"
        console.print(
            f"cells per phase: {cells}; missing {found[epoch]['missing']}, "
            f"unclassified {found[epoch]['unclassified']}; phases absent: {absent}"
        )
        tree = manifest["tree"]
        console.print(
            f"made: {paths.ZOO.format(zoo=name)} ({study.zoos[name].models} models, "
            f"{tree['files']} files, {tree['bytes'] / 1e6:.1f} MB)"
        )
    console.print(f"open: {Path(paths.REPORT).resolve().as_uri()}")
