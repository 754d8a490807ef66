"""The plan of the jobs on cells: what training and measuring read and are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from phasezoo import paths
from phasezoo.spec import jobs
from phasezoo.spec.base import Spec
from phasezoo.spec.zoo import Study, Zoo
from phasezoo.vocabulary import Number


class Wildcards(Protocol):
    """Snakemake's wildcards: labels as attributes."""

    def __getattr__(self, name: str) -> str: ...


class CellPlan:
    """Inputs and jobs of the rules that work on cells."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.zoos = study.zoos

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
        return told(
            jobs.TrainJob(
                recipe=zoo.recipe,
                data=self.study.data[zoo.dataset],
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

        def of_job(wildcards: Wildcards) -> str:
            zoo = self.zoos[wildcards.zoo]
            options = next(f for f in zoo.families if f.family == family)
            return told(
                jobs.MeasureJob(
                    place=self._place(wildcards),
                    temperatures=_temperatures(zoo, wildcards),
                    epoch=int(wildcards.epoch),
                    architecture=jobs.at_load(zoo, zoo.load.meaning.parse(wildcards.load)),
                    # which other epochs are measured does not change this measurement
                    options=options.model_copy(update={"epochs": (int(wildcards.epoch),)}),
                )
            )

        return of_job

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


def told(job: Spec) -> str:
    """A job as the line of JSON that its step is told."""
    return job.model_dump_json()


def _temperatures(zoo: Zoo, wildcards: Wildcards) -> tuple[Number, ...]:
    return tuple(zoo.temperature.meaning.parse(label) for label in wildcards.share.split("+"))


def _segment_of(zoo: Zoo, epoch: int) -> tuple[int, ...]:
    return next(s for s in zoo.training.checkpoints if epoch in s)


def _segment_before(zoo: Zoo, epochs: tuple[int, ...]) -> tuple[int, ...]:
    position = zoo.training.checkpoints.index(epochs)
    return zoo.training.checkpoints[position - 1] if position else ()
