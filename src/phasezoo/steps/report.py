"""The report over the zoos of a study."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from phasezoo import paths
from phasezoo.report.figures import phase_map
from phasezoo.report.page import ZooResults, page
from phasezoo.spec.jobs import ReportJob
from phasezoo.store import measurements
from phasezoo.store.manifest import read_manifest


def report(job: ReportJob, root: Path, output: Path, pictures: Sequence[Path]) -> None:
    """Write the page, and the phase map of every zoo as a picture of its own.

    Args:
        job: which zoos.
        root: of the study, where `results` and `zoos` lie.
        output: the page.
        pictures: one per zoo.
    """
    zoos = [_results(root, name) for name in job.zoos]
    output.write_text(page(zoos), encoding="utf-8")
    for zoo, picture in zip(zoos, pictures, strict=True):
        phase_map(zoo).savefig(picture, dpi=150, metadata={"Software": None})


def _results(root: Path, name: str) -> ZooResults:
    manifest = root / paths.ZOO_MANIFEST.format(zoo=name)
    content = read_manifest(manifest)
    found = json.loads((root / paths.COVERAGE.format(zoo=name)).read_text(encoding="utf-8"))
    provenance = manifest.with_suffix(".provenance.json")
    return ZooResults(
        name=name,
        title=content["spec"]["zoo"]["title"],
        metrics=measurements.read(root / paths.METRICS.format(zoo=name)),
        merging=measurements.read(root / paths.MERGING.format(zoo=name)),
        transfer=measurements.read(root / paths.TRANSFER.format(zoo=name)),
        phases=measurements.read(root / paths.PHASES.format(zoo=name)),
        coverage=found["epochs"][max(found["epochs"], key=int)],
        manifest=content,
        provenance=json.loads(provenance.read_text("utf-8")) if provenance.exists() else {},
    )
