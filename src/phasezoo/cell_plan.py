"""The plan of the jobs on cells: what training and measuring read and are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from phasezoo import paths
from phasezoo.spec import jobs
from phasezoo.spec.axis import Axis
from phasezoo.spec.base import Spec
from phasezoo.spec.downstream import Robustness
from phasezoo.spec.metrics import Family
from phasezoo.spec.study import Study
from phasezoo.spec.transfer import FineTuning
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import LOAD, TEMPERATURE, Number
from phasezoo.weights_plan import made_together, weights_manifest


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
        transfer = self.zoos[wildcards.zoo].transfer
        return paths.DATA_MANIFEST.format(dataset=transfer.dataset if transfer else "")

    def new_task_data_of(self, wildcards: Wildcards) -> str:
        """Manifest of the data set of a new task."""
        task = self.zoos[wildcards.zoo].new_task
        return paths.DATA_MANIFEST.format(dataset=task.dataset if task else "")

    def other_data_of(self, wildcards: Wildcards) -> list[str]:
        """Manifests of the data sets that robustness is measured on beside the own; may be none."""
        asked = self.zoos[wildcards.zoo].robustness
        others = read_beside(asked) if asked else ()
        return [paths.DATA_MANIFEST.format(dataset=name) for name in others]

    def beside(
        self, *inputs: Callable[[Wildcards], str | list[str]]
    ) -> Callable[[Wildcards], list[str]]:
        """What is read with some inputs of a rule: their stores and checksums.

        Rules depend on the manifests; what these describe is told as `ancient`, for storage that
        brings to a job only what is named.
        """

        def of_job(wildcards: Wildcards) -> list[str]:
            found = [given(wildcards) for given in inputs]
            lists = [[path] if isinstance(path, str) else path for path in found]
            return paths.beside(path for of_input in lists for path in of_input)

        return of_job

    def gpus(self, wildcards: Wildcards) -> int:
        """GPUs a job of this zoo asks for: one or none."""
        return int(self.zoos[wildcards.zoo].training.device == "gpu")

    def train_job(self, wildcards: Wildcards) -> str:
        """What `train` is told: one cell, or a share of them."""
        zoo = self.zoos[wildcards.zoo]
        epochs = paths.parse_numbers(wildcards.segment)
        before = _segment_before(zoo, epochs)
        share = jobs.TrainShareJob(
            recipe=zoo.recipe,
            data=self.study.data[zoo.dataset],
            zoo=wildcards.zoo,
            load_name=zoo.load.hyperparameter,
            loads=_share(zoo.load, wildcards.load),
            temperature_name=zoo.temperature.hyperparameter,
            temperatures=_share(zoo.temperature, wildcards.temperature),
            seeds=paths.parse_numbers(wildcards.block),
            architecture=zoo.architecture,
            optimisation=jobs.of_every_cell(zoo),
            at_once_from=zoo.training.at_once_from,
            epochs=epochs,
            resume=before[-1] if before else None,
            seen=zoo.training.seen,
        )
        several = len(share.loads) * len(share.temperatures) > 1
        return told(share if several else share.cells()[0])

    def import_job(self, wildcards: Wildcards) -> str:
        """What the manifest of imported weights says."""
        zoo = self.zoos[wildcards.zoo]
        load = zoo.load.meaning.parse(wildcards.load)
        temperature = zoo.temperature.meaning.parse(wildcards.temperature)
        block = paths.parse_numbers(wildcards.block)
        segment = paths.parse_numbers(wildcards.segment)
        return told(import_job(zoo, wildcards.zoo, load, temperature, block, segment))

    def resumed(self, wildcards: Wildcards) -> list[str]:
        """Manifest of the segment before this one; empty for the first."""
        before = _segment_before(self.zoos[wildcards.zoo], paths.parse_numbers(wildcards.segment))
        labels = {
            name: getattr(wildcards, name) for name in ("zoo", "load", "temperature", "block")
        }
        segment = paths.numbers_label(before)
        return [paths.WEIGHTS_MANIFEST.format(**labels, segment=segment)] if before else []

    def measured_weights(self, wildcards: Wildcards) -> list[str]:
        """Manifests of the cells of a share at one epoch, load by load in the order of the share.

        Where two blocks are compared, first all of the one, then all of the other.
        """
        segment = _segment_of(self.zoos[wildcards.zoo], int(wildcards.epoch))
        return self._weights(wildcards, [segment])

    def merged_weights(self, wildcards: Wildcards) -> list[str]:
        """The same for merging, which reads late checkpoints where they are; segment by segment."""
        zoo = self.zoos[wildcards.zoo]
        if len(paths.parse_blocks(wildcards.blocks)) > 1:  # pairs need no others
            return self.measured_weights(wildcards)
        epoch = int(wildcards.epoch)
        wanted = {epoch, *(zoo.merging.late_at(epoch) if zoo.merging else ())}
        return self._weights(wildcards, [s for s in zoo.training.checkpoints if wanted & set(s)])

    def started_weights(self, wildcards: Wildcards) -> list[str]:
        """The same for spectra, which reads the initial weights too where they are saved."""
        zoo = self.zoos[wildcards.zoo]
        wanted = {int(wildcards.epoch), 0}
        return self._weights(wildcards, [s for s in zoo.training.checkpoints if wanted & set(s)])

    def measure_job(self, family: str) -> Callable[[Wildcards], str]:
        """What the rule of a metric family is told, as a function of its wildcards."""

        def of_job(wildcards: Wildcards) -> str:
            zoo = self.zoos[wildcards.zoo]
            first, *second = paths.parse_blocks(wildcards.blocks)
            options = self._family(wildcards, family)
            return told(
                jobs.MeasureJob(
                    zoo=wildcards.zoo,
                    load_name=zoo.load.hyperparameter,
                    loads=_share(zoo.load, wildcards.loads),
                    temperature_name=zoo.temperature.hyperparameter,
                    temperatures=_share(zoo.temperature, wildcards.temperatures),
                    seeds=first,
                    partners=second[0] if second else (),
                    pairs=_pairs_in_blocks(zoo, family),
                    seen=zoo.training.seen if family == "merging" else None,
                    epoch=int(wildcards.epoch),
                    architecture=zoo.architecture,
                    # which other epochs are measured does not change this measurement
                    options=options.model_copy(update={"epochs": (int(wildcards.epoch),)}),
                )
            )

        return of_job

    def _family(self, wildcards: Wildcards, family: str) -> Family:
        zoo = self.zoos[wildcards.zoo]
        return next(f for f in zoo.families if f.family == family)

    def _weights(self, wildcards: Wildcards, segments: Iterable[tuple[int, ...]]) -> list[str]:
        zoo = self.zoos[wildcards.zoo]
        return [
            weights_manifest(zoo, wildcards.zoo, load, temperature, block, segment)
            for block in paths.parse_blocks(wildcards.blocks)
            for segment in segments
            for load in made_together(zoo, LOAD, block, wildcards.loads)
            for temperature in made_together(zoo, TEMPERATURE, block, wildcards.temperatures)
        ]


def import_job(
    zoo: Zoo,
    name: str,
    load: Number,
    temperature: Number,
    block: tuple[int, ...],
    segment: tuple[int, ...],
) -> jobs.ImportJob:
    """What an imported block over one segment should be."""
    return jobs.ImportJob(
        place=place(zoo, name, zoo.load.meaning.label(load), block),
        temperature=temperature,
        architecture=jobs.at_load(zoo, load),
        epochs=segment,
    )


def place(zoo: Zoo, name: str, load: str, block: tuple[int, ...]) -> jobs.Place:
    """Where a job works, from labels."""
    return jobs.Place(
        zoo=name,
        load_name=zoo.load.hyperparameter,
        load=zoo.load.meaning.parse(load),
        temperature_name=zoo.temperature.hyperparameter,
        seeds=block,
    )


def told(job: Spec) -> str:
    """A job as the line of JSON that its step is told."""
    return job.model_dump_json()


def _pairs_in_blocks(zoo: Zoo, family: str) -> Literal["within", "disjoint"]:
    return "disjoint" if zoo.pairs == "disjoint" and family in jobs.WITH_PAIRS else "within"


def read_beside(family: Family) -> tuple[str, ...]:
    """Names of the data sets that a family reads beside the zoo's own."""
    match family:
        case FineTuning():
            return (family.dataset,)
        case Robustness():
            return tuple(dict.fromkeys(n for n in (family.shifted, family.foreign) if n))
        case _:
            return ()


def _share(axis: Axis, label: str) -> tuple[Number, ...]:
    return tuple(axis.meaning.parse(value) for value in label.split("+"))


def _segment_of(zoo: Zoo, epoch: int) -> tuple[int, ...]:
    return next(s for s in zoo.training.checkpoints if epoch in s)


def _segment_before(zoo: Zoo, epochs: tuple[int, ...]) -> tuple[int, ...]:
    position = zoo.training.checkpoints.index(epochs)
    return zoo.training.checkpoints[position - 1] if position else ()
