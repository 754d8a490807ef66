"""The plan of a study: what each rule reads and what it is told, for given wildcards.

The rules stay free of logic; everything they ask is a method here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator

from phasezoo import paths
from phasezoo.answer_plan import GROUPS, AnswerPlan, Group
from phasezoo.cell_plan import Wildcards, read_beside, told
from phasezoo.spec import jobs
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import LOAD, TEMPERATURE
from phasezoo.weights_plan import made_together, shares, zoo_weights


class _Labels:
    """Wildcards, as Snakemake would give them."""

    def __init__(self, **labels: str) -> None:
        self._labels = labels

    def __getattr__(self, name: str) -> str:
        return self._labels[name]


class Plan(AnswerPlan):
    """Targets of a study, and the jobs that make data and join results."""

    def targets(self) -> list[str]:
        """What `release` asks for: every zoo of the run, published, and the report."""
        return [*self.published(), paths.REPORT]

    def constraints(self) -> dict[str, str]:
        """Regular expressions of the declared labels: no rule makes what is not declared."""
        zoos = self.zoos.values()
        known: dict[str, set[str]] = {
            "dataset": set(self.study.data),
            "zoo": set(self.zoos),
            "load": {label for z in zoos for label in _trained(z, LOAD)},
            "temperature": {label for z in zoos for label in _trained(z, TEMPERATURE)},
            "loads": {share for z in zoos for share in shares(z.load)},
            "temperatures": {share for z in zoos for share in shares(z.temperature)},
            "block": {paths.numbers_label(b) for z in zoos for b in z.seeds if b not in z.imported},
            "blocks": {b for z in zoos for f in z.families for b in _blocks(z, f.family)},
            "segment": {paths.numbers_label(s) for z in zoos for s in z.training.checkpoints},
            "epoch": {str(epoch) for z in zoos for f in z.families for epoch in f.epochs},
        }
        return {name: _any_of(labels) for name, labels in known.items()}

    def datasets(self) -> list[str]:
        """The data sets of the run, stores and manifests; others may be gigabytes to download."""
        forms = (paths.DATA, paths.DATA_MANIFEST)
        of_run = [name for zoo in self.study.run for name in self.data_of_zoo(self.zoos[zoo])]
        return [form.format(dataset=name) for name in dict.fromkeys(of_run) for form in forms]

    def pictures(self) -> list[str]:
        """The phase map of every zoo of the run."""
        return [paths.PHASE_MAP.format(zoo=name) for name in self.study.run]

    def everything(self) -> list[str]:
        """Every artefact of the run by name, in the order in which they are made.

        Snakemake does not miss an intermediate file while what was made from it is there, so
        `all` names them, stores and manifests alike.
        """
        return self.artefacts(self.study.run, report=True)

    def of_zoo(self, name: str) -> Iterator[str]:
        """Every artefact of one zoo, its data sets included."""
        zoo, labels = self.zoos[name], _Labels(zoo=name)
        data = [paths.DATA_MANIFEST.format(dataset=d) for d in self.data_of_zoo(zoo)]
        for manifest in (*data, *self.weights_of(name)):
            yield manifest
            yield manifest.removesuffix(".json") + ".zarr"
        for group in self.groups(zoo):
            yield from self.measurements(group)(labels)
            yield paths.RESULT.format(zoo=name, group=group)
        yield paths.PHASES.format(zoo=name)
        yield paths.COVERAGE.format(zoo=name)
        for answer in self.answers(zoo):
            yield paths.RESULT.format(zoo=name, group=answer)
        yield paths.ZOO_MANIFEST.format(zoo=name)
        yield paths.ZOO.format(zoo=name)

    def artefacts(self, zoos: Iterable[str], report: bool) -> list[str]:
        """Every artefact of some zoos, and of the report if wanted."""
        found = [path for name in zoos for path in self.of_zoo(name)]
        page = [paths.REPORT, *self.pictures()] if report else []
        return list(dict.fromkeys([*found, *page]))

    def sources(self) -> list[str]:
        """Data sets, weights and measurements of all zoos: what takes time to make."""
        joined = ("results/", "zoos/")
        found = [path for name in self.zoos for path in self.of_zoo(name)]
        return [path for path in dict.fromkeys(found) if not path.startswith(joined)]

    def folders(self, zoos: Iterable[str] | None) -> list[str]:
        """Folders in which nothing else should lie: of some zoos, or of all."""
        if not zoos:
            return list(paths.FOLDERS)
        return [f"{kind}/{name}" for kind in ("runs", "measured", "results") for name in zoos]

    def measured_of(self, name: str) -> list[str]:
        """All measurements that a zoo declares."""
        groups = self.groups(self.zoos[name])
        return [path for group in groups for path in self._collect(name, group).parts()]

    def spec_of(self, manifest: str) -> dict[str, object] | None:
        """The spec that the manifest of weights should have; None for anything else."""
        origin, *labels = manifest.removesuffix(".json").split("/")
        if origin not in ("runs", "imported"):
            return None
        names = ("zoo", "load", "temperature", "block", "segment")
        wildcards = _Labels(**dict(zip(names, labels, strict=True)))
        told = self.train_job if origin == "runs" else self.import_job
        job: dict[str, object] = json.loads(told(wildcards))
        return job

    def data_job(self, wildcards: Wildcards) -> str:
        """What `data` is told."""
        name = wildcards.dataset
        return told(jobs.DataJob(name=name, spec=self.study.data[name]))

    def measurements(self, group: Group) -> Callable[[Wildcards], list[str]]:
        """Every measurement that `collect` joins, as a function of its wildcards."""
        return lambda wildcards: self._collect(wildcards.zoo, group).parts()

    def collect_job(self, group: Group) -> Callable[[Wildcards], str]:
        """What `collect` is told, as a function of its wildcards."""
        return lambda wildcards: told(self._collect(wildcards.zoo, group))

    def _collect(self, name: str, group: Group) -> jobs.CollectJob:
        zoo = self.zoos[name]
        return jobs.CollectJob(
            zoo=name,
            load_name=zoo.load.hyperparameter,
            loads=zoo.load.all_values,
            temperature_name=zoo.temperature.hyperparameter,
            temperatures=zoo.temperature.all_values,
            load_shares=tuple(shares(zoo.load)),
            temperature_shares=tuple(shares(zoo.temperature)),
            seeds=zoo.seeds,
            pairs=zoo.pairs,
            group=group,
            families={f.family: f.epochs for f in zoo.families if f.family in GROUPS[group]},
        )

    def all_weights(self, wildcards: Wildcards) -> list[str]:
        """Manifests of all weights of a zoo."""
        return self.weights_of(wildcards.zoo)

    def weights_of(self, name: str) -> list[str]:
        """The same, of a zoo by name."""
        return zoo_weights(self.zoos[name], name)

    def results(self, wildcards: Wildcards) -> list[str]:
        """The results that `publish` takes in, one per group."""
        groups = self.published_groups(self.zoos[wildcards.zoo])
        return [paths.RESULT.format(zoo=wildcards.zoo, group=group) for group in groups]

    def published_groups(self, zoo: Zoo) -> list[str]:
        """Groups of the published store beside its weights: joined, labelled, and asked."""
        return [*self.groups(zoo), "phases", *self.answers(zoo)]

    def publish_job(self, wildcards: Wildcards) -> str:
        """What `publish` is told."""
        zoo = self.zoos[wildcards.zoo]
        groups = tuple(self.published_groups(zoo))
        return told(jobs.PublishJob(name=wildcards.zoo, zoo=zoo, groups=groups))

    def report_job(self) -> str:
        """What `report` is told."""
        zoos = {
            name: tuple(g for g in self.published_groups(self.zoos[name]) if g != "phases")
            for name in self.study.run
        }
        return told(jobs.ReportJob(zoos=zoos))

    def published(self) -> list[str]:
        """Manifests of the zoos of the run."""
        return [paths.ZOO_MANIFEST.format(zoo=name) for name in self.study.run]

    def reported(self) -> list[str]:
        """What the report reads with the manifests of the zoos."""
        found = []
        for manifest, name in zip(self.published(), self.study.run, strict=True):
            results = self.results(_Labels(zoo=name))
            found += [paths.provenance(manifest), *results, *paths.beside(results)]
            found += [paths.COVERAGE.format(zoo=name)]
        return found

    def data_of_zoo(self, zoo: Zoo) -> list[str]:
        """Names of the data sets that a zoo is trained and used on."""
        beside = [name for family in zoo.families for name in read_beside(family)]
        return list(dict.fromkeys([zoo.dataset, *beside]))


def _trained(zoo: Zoo, axis: str) -> Iterator[str]:
    """Labels along an axis in the paths of what training jobs make."""
    for share in shares(zoo.load if axis == LOAD else zoo.temperature):
        for block in zoo.seeds:
            yield from made_together(zoo, axis, block, share)


def _blocks(zoo: Zoo, family: str) -> list[str]:
    return jobs.measured_blocks(zoo.seeds, zoo.pairs, family)


def _any_of(labels: set[str]) -> str:
    """A regular expression of some texts; of nothing, one that nothing fits."""
    return "|".join(map(re.escape, sorted(labels))) or r"(?!)"
