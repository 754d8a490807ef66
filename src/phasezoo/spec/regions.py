"""Spec of a region study: models tuned from one pre-trained network, and where they end up.

After "Knowledge is a Region in Weight Space for Fine-tuned Language Models" (arXiv:2302.04863).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.architecture import Architecture
from phasezoo.spec.axis import AxisValue
from phasezoo.spec.base import (
    Absent,
    Float,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Spec,
    Text,
    refused,
    require_unique,
)
from phasezoo.spec.training import Optimisation

START, OTHER_START = "start", "other_start"  # which pre-trained network; in paths too
Groups = dict[Text, tuple[Text, ...]]  # data sets by the name of what they share
Trained = Literal["all", "biases", "head"]
Few = PositiveInt | Literal["all"]


class StartModel(Spec):
    """A model of a declared zoo, by its labels."""

    zoo: Text
    load: AxisValue
    temperature: AxisValue
    seed: NonNegativeInt
    epoch: NonNegativeInt


class Tuning(Spec):
    """How a network is tuned to a data set; everything of it is trained."""

    epochs: PositiveInt
    optimisation: Optimisation

    @model_validator(mode="after")
    def _all_set(self) -> Self:
        check_optimisation(self.optimisation, self.epochs)
        return self


class Probe(Spec):
    """The head that is fitted to a frozen body, so that models of other tasks can be judged.

    Attributes:
        penalty: half of it times the squared weights is added to the mean loss.
        iterations: of the fit, at most.
        samples: of the training set that it is fitted to, at most; None takes all.
    """

    penalty: PositiveFloat
    iterations: PositiveInt = 500
    samples: Annotated[PositiveInt, Field(ge=2)] | None = None


class Inside(Spec):
    """Groups of models inside and outside of a region.

    Attributes:
        most: members of a group, at most; larger ones are drawn from.
    """

    most: Annotated[PositiveInt, Field(ge=2)] = 50


class Doubt(Spec):
    """What intervals and levels of chance are taken from; it measures nothing again.

    Attributes:
        resamples: of seeds, of members of groups, of families, data sets and pairs.
        permutations: of the labels of clusters, at most: fewer where there are no more.
    """

    resamples: Annotated[PositiveInt, Field(ge=100)] = 2000
    permutations: Annotated[PositiveInt, Field(ge=100)] = 1000


class Lines(Spec):
    """Straight lines through two tuned models.

    Attributes:
        pairs: of models, for each target and each level.
        points: between the two, ends included.
        outward: how far a line goes on beyond its ends, in lengths between them, ascending;
            10 logarithmic steps to 31 beyond either end are the published ones.
    """

    pairs: PositiveInt
    points: Annotated[PositiveInt, Field(ge=3)]
    outward: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        require_unique("outward", self.outward, "length")
        if list(self.outward) != sorted(self.outward):
            raise refused("outward", self.outward, "lengths that increase")
        return self


class Efficient(Spec):
    """Tuning few parameters from several starting points, among them the centroid.

    Attributes:
        epochs: of each tuning, the same for all starting points.
        optimisation: of each tuning.
        trained: what is trained: all biases and the head (BitFit), or the head alone.
        samples: of the training set that are shown; a stratified share, or all.
        seeds: of head, order and share.
        scales: of the mean task vector, of which held-out training data choose one.
        held_out: share of the samples shown that chooses.
    """

    epochs: PositiveInt
    optimisation: Optimisation
    trained: Annotated[tuple[Literal["biases", "head"], ...], Field(min_length=1)]
    samples: Annotated[tuple[Few, ...], Field(min_length=1)]
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2)]
    scales: Annotated[tuple[NonNegativeFloat, ...], Field(min_length=1)]
    held_out: Annotated[Float, Field(gt=0, lt=1)] = 0.2

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key in ("trained", "samples", "seeds", "scales"):
            require_unique(key, getattr(self, key), key.removesuffix("s"))
        check_optimisation(self.optimisation, self.epochs)
        return self


class Regions(Spec):
    """A region study.

    Attributes:
        start: the pre-trained network.
        other_start: a second one of the same shape, to see whether clusters go by the start.
        architecture: of the tuned models, where it is another than that of the start; the bodies
            of both have the same tensors, by name.
        families: data sets by what is asked of their samples.
        domains: the same data sets by what their samples are, if anything is to be said of that.
        seeds: blocks of seeds of head and order; one job tunes a block on a data set.
    """

    title: Text
    recipe: PositiveInt  # raise it to tune again after a change of the training code
    references: tuple[Text, ...]
    licence: Text
    start: StartModel
    other_start: StartModel | None = Absent
    architecture: Architecture | None = Absent
    families: Groups
    domains: Groups | None = Absent
    seeds: tuple[tuple[NonNegativeInt, ...], ...]
    device: Literal["cpu", "gpu"] = "cpu"
    tuning: Tuning
    probe: Probe
    groups: Inside = Inside()
    lines: Lines
    efficient: Efficient
    doubt: Doubt = Doubt()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.families) < 2:
            raise refused("families", list(self.families), "at least two, to tell them apart")
        for name, datasets in self.families.items():
            if not datasets:
                raise refused(f"families.{name}", [], "at least one data set")
        require_unique("families", self.datasets, "data set")
        if self.domains is not None:
            self._check_domains(self.domains)
        if not self.seeds or not all(self.seeds):
            raise refused("seeds", self.seeds, "at least one seed in every block")
        require_unique("seeds", self.all_seeds, "seed")
        if len(self.all_seeds) < 2:
            raise refused("seeds", self.seeds, "at least two seeds, for there to be clusters")
        if self.other_start == self.start:
            raise refused("other_start", self.start.model_dump(), "another model than start")
        return self

    def _check_domains(self, domains: Groups) -> None:
        found = [name for of in domains.values() for name in of]
        if sorted(found) != sorted(self.datasets):
            raise refused("domains", found, f"each of {list(self.datasets)} once")

    @property
    def datasets(self) -> tuple[str, ...]:
        """All data sets, family after family."""
        return tuple(name for of in self.families.values() for name in of)

    @property
    def family_of(self) -> Mapping[str, str]:
        """The family of each data set."""
        return {name: family for family, of in self.families.items() for name in of}

    @property
    def domain_of(self) -> Mapping[str, str]:
        """The domain of each data set, if domains are told."""
        return {name: domain for domain, of in (self.domains or {}).items() for name in of}

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """All seeds, block after block."""
        return tuple(seed for block in self.seeds for seed in block)

    @property
    def starts(self) -> dict[str, StartModel]:
        """The pre-trained networks by name."""
        other = {} if self.other_start is None else {OTHER_START: self.other_start}
        return {START: self.start, **other}


def check_optimisation(optimisation: Optimisation, epochs: int) -> None:
    """Raise where a training that no grid axis sets lacks a number, or its cycle another length."""
    optimiser = optimisation.optimiser
    settings = {
        "optimiser.learning_rate": optimiser.learning_rate,
        "optimiser.weight_decay": optimiser.weight_decay,
        "batch_size": optimisation.batch_size,
    }
    for name, value in settings.items():
        if value is None:
            allowed = "a number, because no grid axis sets it here"
            raise refused(f"optimisation.{name}", value, allowed)
    cycle = getattr(optimisation.schedule, "epochs", epochs)
    if cycle != epochs:
        raise refused("optimisation.schedule.epochs", cycle, f"{epochs}, the epochs that it spans")
