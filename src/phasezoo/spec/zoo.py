"""Spec of a zoo."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import model_validator

from phasezoo.spec.architecture import SIZES, Architecture
from phasezoo.spec.axis import Axis
from phasezoo.spec.base import (
    Absent,
    NonNegativeInt,
    PositiveInt,
    Spec,
    Text,
    refused,
    require_unique,
)
from phasezoo.spec.downstream import Ensembling, Pruning, Robustness
from phasezoo.spec.learning import Learning
from phasezoo.spec.merging import Merging
from phasezoo.spec.metrics import Family, Metrics
from phasezoo.spec.phases import Criteria
from phasezoo.spec.seen import ByLabels
from phasezoo.spec.training import Lbfgs, Training
from phasezoo.spec.transfer import NewTask, Transfer
from phasezoo.vocabulary import HYPERPARAMETERS, LOAD, TEMPERATURE, Number, Pairing


class Zoo(Spec):
    """All models of one architecture on one data set over a load x temperature grid."""

    title: Text
    recipe: PositiveInt  # raise it to train again after a change of the training code
    references: tuple[Text, ...]
    licence: Text
    architecture: Architecture
    dataset: Text
    load: Axis
    temperature: Axis
    seeds: tuple[tuple[NonNegativeInt, ...], ...]  # blocks: the seeds one job trains together
    imported: tuple[tuple[NonNegativeInt, ...], ...] = ()  # those that `phasezoo import` brought
    pairs: Pairing = "within"  # of seeds: within blocks, of neighbours in blocks, or of all seeds
    training: Training
    metrics: Metrics
    merging: Merging | None = None
    transfer: Transfer | None = None
    new_task: NewTask | None = Absent
    robustness: Robustness | None = Absent
    pruning: Pruning | None = Absent
    ensembling: Ensembling | None = Absent
    phases: Criteria
    learning: Learning | None = Absent

    @model_validator(mode="after")
    def _consistent(self) -> Zoo:
        for axis, where in ((self.load, LOAD), (self.temperature, TEMPERATURE)):
            if axis.meaning.axis != where:
                fits = [h.name for h in HYPERPARAMETERS.values() if h.axis == where]
                got, allowed = axis.hyperparameter, f"one of {', '.join(fits)}"
                raise refused(f"{where}.hyperparameter", got, allowed)
        self._check_seeds()
        self._check_seen()
        self._check_set_once()
        self._check_load()
        for family in self.families:
            own = family.family in type(self).model_fields
            prefix = family.family if own else f"metrics.{family.family}"
            self._check_saved(f"{prefix}.epochs", family.epochs)
        self._check_together()
        self._check_learning()
        for layer in self.metrics.similarity.layers:
            if layer not in self.architecture.layers:
                allowed = f"layers of the architecture: {', '.join(self.architecture.layers)}"
                raise refused("metrics.similarity.layers", layer, allowed)
        return self

    def _check_together(self) -> None:
        if self.merging:
            self._check_saved("merging.last_checkpoints", self.merging.last_checkpoints)
        m = self.metrics
        deciding = (m.evaluation.epochs, m.connectivity.epochs, m.similarity.epochs)
        if not set.intersection(*map(set, deciding)):
            allowed = "an epoch that evaluation, connectivity and similarity share, to have phases"
            raise refused("metrics.evaluation.epochs", m.evaluation.epochs, allowed)

    def _check_learning(self) -> None:
        """What is learned from is measured at every epoch that takes part."""
        m = self.metrics
        for epoch in self.learning.epochs if self.learning else ():
            for family, of in (("evaluation", m.evaluation), ("statistics", m.statistics)):
                if of is None or epoch not in of.epochs:
                    raise refused("learning.epochs", epoch, f"epochs of metrics.{family}")

    def _check_seeds(self) -> None:
        if not self.seeds or not all(self.seeds):
            raise refused("seeds", self.seeds, "at least one block with at least two seeds each")
        if self.pairs != "all" and min(map(len, self.seeds)) < 2:
            allowed = "at least two seeds in a block, for there to be pairs; or `pairs: all`"
            raise refused("seeds", self.seeds, allowed)
        if len(self.all_seeds) < 2:
            raise refused("seeds", self.seeds, "at least two seeds, for there to be pairs")
        if len({len(block) for block in self.seeds}) > 1:
            allowed = "blocks of one length, so that every shard has one shape"
            raise refused("seeds", self.seeds, allowed)
        require_unique("seeds", self.all_seeds, "seed")
        for block in self.imported:
            if block not in self.seeds:
                raise refused("imported", block, f"blocks of seeds: {list(map(list, self.seeds))}")

    def _check_seen(self) -> None:
        if isinstance(self.training.seen, ByLabels) and len(self.seeds[0]) < 2:
            allowed = "blocks of at least two seeds, whose first two share the training set"
            raise refused("seeds", self.seeds, f"{allowed}, because training.seen is by labels")

    def _check_set_once(self) -> None:
        optimiser = self.training.optimiser
        size = self.architecture.size_name
        settings = {
            size: (f"architecture.{size}", self.architecture.size),
            "batch_size": ("training.batch_size", self.training.batch_size),
            "learning_rate": ("training.optimiser.learning_rate", optimiser.learning_rate),
            "weight_decay": ("training.optimiser.weight_decay", optimiser.weight_decay),
        }
        on_axes = {self.load.hyperparameter, self.temperature.hyperparameter}
        if isinstance(optimiser, Lbfgs) and "weight_decay" in on_axes:
            allowed = "learning_rate, because lbfgs has no weight decay"
            raise refused("temperature.hyperparameter", "weight_decay", allowed)
        for name, (key, value) in settings.items():
            if name in on_axes and value is not None:
                raise refused(key, value, f"null, because {name} is a grid axis")
            if name not in on_axes and value is None:
                raise refused(key, value, f"a number, because {name} is no grid axis")

    def _check_load(self) -> None:
        """A load that is the size of an architecture is that of this one, and fits it."""
        of, name = self.architecture, self.load.hyperparameter
        if name in SIZES - {of.size_name}:
            raise refused("load.hyperparameter", name, f"{of.size_name}, the size of {of.name}")
        for value in self.load.all_values if name == of.size_name else ():
            if allowed := of.refusal(int(value)):
                raise refused("load.values", value, allowed)

    def _check_saved(self, key: str, epochs: tuple[int, ...]) -> None:
        require_unique(key, epochs, "epoch")
        saved = self.training.saved_epochs
        for epoch in epochs:
            if epoch not in saved:
                raise refused(key, epoch, f"the saved checkpoints {list(saved)}")

    @property
    def families(self) -> tuple[Family, ...]:
        """Everything that is measured on the zoo."""
        m = self.metrics
        declared = (m.evaluation, m.hessian, m.connectivity, m.similarity)
        numbers = (m.spectra, m.noise, m.learning_coefficient, m.statistics)
        used = (self.transfer, self.new_task, self.robustness, self.pruning, self.ensembling)
        own = (self.merging, *used)
        return tuple(f for f in (*declared, *numbers, *own) if f is not None)

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """All seeds, block after block."""
        return tuple(seed for block in self.seeds for seed in block)

    @property
    def models(self) -> int:
        """Number of models in the declared grid."""
        return len(self.load.all_values) * len(self.temperature.all_values) * len(self.all_seeds)

    def cells(self) -> Iterator[tuple[Number, Number]]:
        """Every (load, temperature) of the grid."""
        for load in self.load.all_values:
            for temperature in self.temperature.all_values:
                yield load, temperature
