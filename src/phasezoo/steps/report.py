"""The report over the zoos of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phasezoo import paths
from phasezoo.report.labelling import Labelling
from phasezoo.report.page import ZooResults, page
from phasezoo.report.phase_map import phase_map
from phasezoo.report.regions import RegionResults
from phasezoo.spec.jobs import ReportJob
from phasezoo.store import measurements
from phasezoo.store.manifest import provenance_of, read_manifest
from phasezoo.store.whole import read_json, whole


def report(job: ReportJob, root: Path, output: Path, pictures: Sequence[Path]) -> None:
    """Write the page, and the phase map of every zoo as a picture of its own.

    Args:
        job: which zoos and region studies.
        root: of the study, where `results` and `zoos` lie.
        output: the page.
        pictures: one per zoo.
    """
    zoos = [_results(root, name, groups) for name, groups in job.zoos.items()]
    regions = [_regions(root, name) for name in job.regions]
    with whole(output) as draft:
        draft.write_text(page(zoos, regions), encoding="utf-8")
    for zoo, picture in zip(zoos, pictures, strict=True):
        with whole(picture) as draft:
            phase_map(zoo).savefig(draft, format="png", dpi=100, metadata={"Software": None})


def _regions(root: Path, name: str) -> RegionResults:
    return RegionResults(name, measurements.read(root / paths.REGIONS.format(regions=name)))


def _results(root: Path, name: str, groups: Sequence[str]) -> ZooResults:
    manifest = root / paths.ZOO_MANIFEST.format(zoo=name)
    content = read_manifest(manifest)
    found = read_json(root / paths.COVERAGE.format(zoo=name))
    provenance = provenance_of(manifest)
    results = {
        group: measurements.read(root / paths.RESULT.format(zoo=name, group=group))
        for group in (*groups, "phases")
    }
    return ZooResults(
        name=name,
        title=content["spec"]["zoo"]["title"],
        metrics=results["metrics"],
        merging=results.get("merging"),
        transfer=results.get("transfer"),
        learning=results.get("learning"),
        explained=results.get("explained"),
        phases=results["phases"],
        labelling=Labelling.of(found),
        manifest=content,
        provenance=read_json(provenance) if provenance.exists() else {},
    )
