"""The plan of a study: what each rule reads and what it is told, for given wildcards.

The rules stay free of logic; everything they ask is a method here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from phasezoo import paths
from phasezoo.spec import jobs
from phasezoo.spec.base import Spec
from phasezoo.spec.zoo import Study, Zoo
from phasezoo.vocabulary import Number


class Wildcards(Protocol):
    """Snakemake's wildcards: labels as attributes."""

    def __getattr__(self, name: str) -> str: ...


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


class Plan:
    """Jobs, inputs and targets of a study."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.zoos = study.zoos

    def targets(self) -> list[str]:
        """What `all` asks for: every zoo of the run, published, and the report."""
        published = [paths.ZOO_MANIFEST.format(zoo=name) for name in self.study.run]
        return [*published, paths.REPORT]

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

    # data and training -------------------------------------------------------------------

    def data_job(self, wildcards: Wildcards) -> str:
        """What `data` is told."""
        name = wildcards.dataset
        return _told(jobs.DataJob(name=name, spec=self.study.data[name]))

    def data_of(self, wildcards: Wildcards) -> str:
        """Manifest of the data set that a zoo is trained on."""
        return paths.DATA_MANIFEST.format(dataset=self.zoos[wildcards.zoo].dataset)

    def transfer_data_of(self, wildcards: Wildcards) -> str:
        """Manifest of the data set that a zoo's models are fine-tuned on."""
        return paths.DATA_MANIFEST.format(dataset=self.zoos[wildcards.zoo].transfer.dataset)

    def gpus(self, wildcards: Wildcards) -> int:
        """GPUs a job of this zoo asks for: one or none."""
        return int(self.zoos[wildcards.zoo].training.device == "gpu")

    def train_job(self, wildcards: Wildcards) -> str:
        """What `train` is told."""
        zoo = self.zoos[wildcards.zoo]
        temperature = zoo.temperature.meaning.parse(wildcards.temperature)
        epochs = paths.parse_numbers(wildcards.segment)
        before = _segment_before(zoo, epochs)
        return _told(
            jobs.TrainJob(
                recipe=zoo.recipe,
                place=self._place(wildcards),
                temperature=temperature,
                architecture=jobs.at_load(zoo, zoo.load.meaning.parse(wildcards.load)),
                optimisation=jobs.at_temperature(zoo, temperature),
                epochs=epochs,
                resume=before[-1] if before else None,
            )
        )

    def resumed(self, wildcards: Wildcards) -> list[str]:
        """Manifest of the segment before this one; empty for the first."""
        before = _segment_before(self.zoos[wildcards.zoo], paths.parse_numbers(wildcards.segment))
        labels = {
            name: getattr(wildcards, name) for name in ("zoo", "load", "temperature", "block")
        }
        segment = paths.numbers_label(before)
        return [paths.WEIGHTS_MANIFEST.format(**labels, segment=segment)] if before else []

    # measuring ---------------------------------------------------------------------------

    def measured_weights(self, wildcards: Wildcards) -> list[str]:
        """Manifests of the cells of a share at one epoch, in the order of the share."""
        zoo = self.zoos[wildcards.zoo]
        return self._weights(wildcards, _segment_of(zoo, int(wildcards.epoch)))

    def merged_weights(self, wildcards: Wildcards) -> list[str]:
        """The same for merging, which reads several late checkpoints; segment by segment."""
        zoo = self.zoos[wildcards.zoo]
        wanted = {int(wildcards.epoch), *zoo.merging.last_checkpoints}
        segments = [s for s in zoo.training.checkpoints if wanted & set(s)]
        return [path for segment in segments for path in self._weights(wildcards, segment)]

    def measure_job(self, family: str) -> Callable[[Wildcards], str]:
        """What the rule of a metric family is told, as a function of its wildcards."""

        def told(wildcards: Wildcards) -> str:
            zoo = self.zoos[wildcards.zoo]
            options = next(f for f in zoo.families if f.family == family)
            return _told(
                jobs.MeasureJob(
                    place=self._place(wildcards),
                    temperatures=_temperatures(zoo, wildcards),
                    epoch=int(wildcards.epoch),
                    architecture=jobs.at_load(zoo, zoo.load.meaning.parse(wildcards.load)),
                    # which other epochs are measured does not change this measurement
                    options=options.model_copy(update={"epochs": (int(wildcards.epoch),)}),
                )
            )

        return told

    # joining -----------------------------------------------------------------------------

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

        def told(wildcards: Wildcards) -> str:
            zoo = self.zoos[wildcards.zoo]
            return _told(
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

        return told

    def phases_job(self, wildcards: Wildcards) -> str:
        """What `phases` is told."""
        return _told(jobs.PhasesJob(zoo=wildcards.zoo, criteria=self.zoos[wildcards.zoo].phases))

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
        return _told(jobs.PublishJob(name=wildcards.zoo, zoo=self.zoos[wildcards.zoo]))

    def report_job(self) -> str:
        """What `report` is told."""
        return _told(jobs.ReportJob(zoos=self.study.run))

    def published(self) -> list[str]:
        """Manifests of the zoos of the run."""
        return [paths.ZOO_MANIFEST.format(zoo=name) for name in self.study.run]

    # parts -------------------------------------------------------------------------------

    def _place(self, wildcards: Wildcards) -> jobs.Place:
        zoo = self.zoos[wildcards.zoo]
        return jobs.Place(
            zoo=wildcards.zoo,
            load_name=zoo.load.hyperparameter,
            load=zoo.load.meaning.parse(wildcards.load),
            temperature_name=zoo.temperature.hyperparameter,
            seeds=paths.parse_numbers(wildcards.block),
        )

    def _weights(self, wildcards: Wildcards, segment: tuple[int, ...]) -> list[str]:
        return [
            paths.WEIGHTS_MANIFEST.format(
                zoo=wildcards.zoo,
                load=wildcards.load,
                temperature=temperature,
                block=wildcards.block,
                segment=paths.numbers_label(segment),
            )
            for temperature in wildcards.share.split("+")
        ]


def _told(job: Spec) -> str:
    return job.model_dump_json()


def _temperatures(zoo: Zoo, wildcards: Wildcards) -> tuple[Number, ...]:
    return tuple(zoo.temperature.meaning.parse(label) for label in wildcards.share.split("+"))


def _segment_of(zoo: Zoo, epoch: int) -> tuple[int, ...]:
    return next(s for s in zoo.training.checkpoints if epoch in s)


def _segment_before(zoo: Zoo, epochs: tuple[int, ...]) -> tuple[int, ...]:
    position = zoo.training.checkpoints.index(epochs)
    return zoo.training.checkpoints[position - 1] if position else ()
