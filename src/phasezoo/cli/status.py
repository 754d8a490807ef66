"""How far a zoo is made, and whether today's training code made it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phasezoo import paths
from phasezoo.inventory import trained
from phasezoo.plan import Plan
from phasezoo.provenance import code_digest, recipe_digest
from phasezoo.store.manifest import provenance_of, read_manifest
from phasezoo.store.whole import AlteredError, read_json


@dataclass(frozen=True)
class ZooStatus:
    """One zoo: stores of weights, measurements, the published store.

    Attributes:
        zoo: its name, or that of a region study.
        blocks: stores of weights that the spec declares: a block of seeds of a cell or of a share.
        trained: those that are there.
        other_recipe: of them, those trained by code that is not today's.
        unknown_recipe: of them, those of which it is not known.
        measurements: files that the spec declares.
        measured: those that are there.
        published: whether the store is there; of a region study, what is joined of it.
        bytes: of the published store, as its manifest says; of what is joined of a region study.
        section: of the spec that declares it.
    """

    zoo: str
    blocks: int
    trained: int
    other_recipe: int
    unknown_recipe: int
    measurements: int
    measured: int
    published: bool
    bytes: int
    section: str = "zoos"

    @property
    def note(self) -> str:
        """What a user should know of the code that trained it."""
        if self.other_recipe:
            return (
                f"recipe differs from the one the zoo was made with ({self.other_recipe} of "
                f"{self.trained} blocks); raise {self.section}.{self.zoo}.recipe to train again"
            )
        return f"recipe unknown for {self.unknown_recipe} blocks" if self.unknown_recipe else ""

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {**asdict(self), "note": self.note}


def zoo_status(plan: Plan, name: str, root: Path) -> ZooStatus:
    """Look at what is there of a zoo; reads small files only."""
    declared = plan.weights_of(name)
    there = trained(plan, name, root)
    recipes = [_recipe(root / path) for path in there if not path.startswith("imported/")]
    measured = plan.measured_of(name)
    manifest = root / paths.ZOO_MANIFEST.format(zoo=name)
    return ZooStatus(
        zoo=name,
        blocks=len(declared),
        trained=len(there),
        other_recipe=sum(code not in (None, recipe_digest()) for code in recipes),
        unknown_recipe=sum(code is None for code in recipes),
        measurements=len(measured),
        measured=sum((root / path).exists() for path in measured),
        published=manifest.exists(),
        bytes=read_manifest(manifest)["tree"]["bytes"] if manifest.exists() else 0,
    )


def region_status(plan: Plan, name: str, root: Path) -> ZooStatus:
    """The same of a region study: what was tuned, measured on each target, and joined."""
    there, measured = trained(plan, name, root), plan.measured_of_regions(name)
    recipes = [_recipe(root / path) for path in there]
    today, joined = code_digest("tune_regions"), root / paths.REGIONS.format(regions=name)
    return ZooStatus(
        zoo=name,
        blocks=len(plan.tuned_of(name)),
        trained=len(there),
        other_recipe=sum(code not in (None, today) for code in recipes),
        unknown_recipe=sum(code is None for code in recipes),
        measurements=len(measured),
        measured=sum((root / path).exists() for path in measured),
        published=joined.exists(),
        bytes=joined.stat().st_size if joined.exists() else 0,
        section="regions",
    )


def _recipe(manifest: Path) -> str | None:
    """The digest of the code that trained a block; None where it is not known."""
    try:
        return str(read_json(provenance_of(manifest))["code"])
    except (AlteredError, KeyError):
        return None
