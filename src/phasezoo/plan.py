"""The plan of a study: what each rule reads and what it is told, for given wildcards.

The rules stay free of logic; everything they ask is a method here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from phasezoo import paths
from phasezoo.cell_plan import CellPlan, Wildcards, told
from phasezoo.spec import jobs

Group = Literal["metrics", "merging", "transfer"]

GROUPS: Mapping[Group, tuple[str, ...]] = {
    "metrics": ("evaluation", "hessian", "connectivity", "similarity"),
    "merging": ("merging",),
    "transfer": ("transfer",),
}


class _Named:
    """Wildcards with just a zoo."""

    def __init__(self, zoo: str) -> None:
        self.zoo = zoo

    def __getattr__(self, name: str) -> str:
        raise AttributeError(name)


class Plan(CellPlan):
    """Targets of a study, and the jobs that make data and join results."""

    def targets(self) -> list[str]:
        """What `release` asks for: every zoo of the run, published, and the report."""
        published = [paths.ZOO_MANIFEST.format(zoo=name) for name in self.study.run]
        return [*published, paths.REPORT]

    def constraints(self) -> dict[str, str]:
        """Regular expressions of the declared labels: no rule makes what is not declared."""
        zoos = self.zoos.values()
        known: dict[str, set[str]] = {
            "dataset": set(self.study.data),
            "zoo": set(self.zoos),
            "load": {z.load.meaning.label(v) for z in zoos for v in z.load.all_values},
            "temperature": {
                z.temperature.meaning.label(v) for z in zoos for v in z.temperature.all_values
            },
            "share": {
                paths.share_label(z.temperature.meaning, share)
                for z in zoos
                for share in z.temperature.values
            },
            "block": {paths.numbers_label(block) for z in zoos for block in z.seeds},
            "segment": {paths.numbers_label(s) for z in zoos for s in z.training.checkpoints},
            "epoch": {str(epoch) for z in zoos for f in z.families for epoch in f.epochs},
        }
        return {name: "|".join(map(re.escape, sorted(labels))) for name, labels in known.items()}

    def datasets(self) -> list[str]:
        """All declared data sets, stores and manifests."""
        forms = (paths.DATA, paths.DATA_MANIFEST)
        return [form.format(dataset=name) for name in self.study.data for form in forms]

    def pictures(self) -> list[str]:
        """The phase map of every zoo of the run."""
        return [paths.PHASE_MAP.format(zoo=name) for name in self.study.run]

    def everything(self) -> list[str]:
        """Every artefact of the run by name.

        Snakemake does not miss an intermediate file while what was made from it is there, so
        `all` names them, stores and manifests alike.
        """
        found = [*self.targets(), *self.pictures()]
        for name in self.study.run:
            zoo, labels = self.zoos[name], _Named(zoo=name)
            manifests = [
                *(
                    paths.DATA_MANIFEST.format(dataset=d)
                    for d in (zoo.dataset, zoo.transfer.dataset)
                ),
                *self.all_weights(labels),
                paths.ZOO_MANIFEST.format(zoo=name),
            ]
            found += [*manifests, *(path.removesuffix(".json") + ".zarr" for path in manifests)]
            for group in GROUPS:
                found += [*self.measurements(group)(labels), f"results/{name}/{group}.nc"]
            found += [paths.PHASES.format(zoo=name), paths.COVERAGE.format(zoo=name)]
        return list(dict.fromkeys(found))

    def data_job(self, wildcards: Wildcards) -> str:
        """What `data` is told."""
        name = wildcards.dataset
        return told(jobs.DataJob(name=name, spec=self.study.data[name]))

    def measurements(self, group: Group) -> Callable[[Wildcards], list[str]]:
        """Every measurement that `collect` joins, as a function of its wildcards."""

        def found(wildcards: Wildcards) -> list[str]:
            zoo = self.zoos[wildcards.zoo]
            return [
                paths.MEASURED.format(
                    zoo=wildcards.zoo,
                    load=zoo.load.meaning.label(load),
                    share=paths.share_label(zoo.temperature.meaning, share),
                    block=paths.numbers_label(block),
                    epoch=epoch,
                    family=family.family,
                )
                for family in zoo.families
                if family.family in GROUPS[group]
                for epoch in family.epochs
                for load in zoo.load.all_values
                for share in zoo.temperature.values
                for block in zoo.seeds
            ]

        return found

    def collect_job(self, group: Group) -> Callable[[Wildcards], str]:
        """What `collect` is told, as a function of its wildcards."""

        def of_job(wildcards: Wildcards) -> str:
            zoo = self.zoos[wildcards.zoo]
            return told(
                jobs.CollectJob(
                    zoo=wildcards.zoo,
                    load_name=zoo.load.hyperparameter,
                    loads=zoo.load.all_values,
                    temperature_name=zoo.temperature.hyperparameter,
                    temperatures=zoo.temperature.all_values,
                    seeds=zoo.seeds,
                    group=group,
                )
            )

        return of_job

    def phases_job(self, wildcards: Wildcards) -> str:
        """What `phases` is told."""
        return told(jobs.PhasesJob(zoo=wildcards.zoo, criteria=self.zoos[wildcards.zoo].phases))

    def all_weights(self, wildcards: Wildcards) -> list[str]:
        """Manifests of every cell, block and segment of a zoo."""
        zoo = self.zoos[wildcards.zoo]
        return [
            paths.WEIGHTS_MANIFEST.format(
                zoo=wildcards.zoo,
                load=zoo.load.meaning.label(load),
                temperature=zoo.temperature.meaning.label(temperature),
                block=paths.numbers_label(block),
                segment=paths.numbers_label(segment),
            )
            for load, temperature in zoo.cells()
            for block in zoo.seeds
            for segment in zoo.training.checkpoints
        ]

    def publish_job(self, wildcards: Wildcards) -> str:
        """What `publish` is told."""
        return told(jobs.PublishJob(name=wildcards.zoo, zoo=self.zoos[wildcards.zoo]))

    def report_job(self) -> str:
        """What `report` is told."""
        return told(jobs.ReportJob(zoos=self.study.run))

    def published(self) -> list[str]:
        """Manifests of the zoos of the run."""
        return [paths.ZOO_MANIFEST.format(zoo=name) for name in self.study.run]
