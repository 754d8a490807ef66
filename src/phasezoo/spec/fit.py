"""Whether a zoo and its data sets suit each other."""

from __future__ import annotations

from collections.abc import Mapping

from phasezoo.spec.base import refused
from phasezoo.spec.data import DataSpec
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.seen import ByLabels
from phasezoo.spec.zoo import Zoo
from phasezoo.vocabulary import COEFFICIENT


def check_fit(name: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    """Raise where the architecture, the axes or the second task of a zoo do not suit its data.

    Args:
        name: of the zoo.
        zoo: its spec.
        data: the declared data sets, by name.
    """
    key = f"zoos.{name}"
    _check_data(f"{key}.dataset", zoo, zoo.dataset, data)
    _check_coefficient(f"{key}.dataset", zoo, data[zoo.dataset])
    _check_batches(key, zoo, data[zoo.dataset])
    _check_seen(f"{key}.training.seen", zoo, data[zoo.dataset])
    images = data[zoo.dataset].kind == "images"
    if zoo.training.augmentation and not images:
        allowed = f"nothing, because {zoo.dataset} has no images"
        raise refused(f"{key}.training.augmentation", "an augmentation", allowed)
    if zoo.merging and zoo.merging.arms and zoo.merging.arms.judged and not images:
        allowed = f"nothing, because what {zoo.dataset} is made of has no classes"
        raise refused(f"{key}.merging.arms.judged", "a mapping", allowed)
    if zoo.transfer:
        _check_transfer(f"{key}.transfer", zoo, data)


def _check_data(key: str, zoo: Zoo, dataset: str, data: Mapping[str, DataSpec]) -> None:
    if dataset not in data:
        raise refused(key, dataset, f"the declared data sets {', '.join(data)}")
    takes, kind = zoo.architecture.takes, data[dataset].kind
    if takes != kind:
        allowed = f"a data set of {takes}, which {zoo.architecture.name} takes, not of {kind}"
        raise refused(key, dataset, allowed)


def _check_coefficient(key: str, zoo: Zoo, data: DataSpec) -> None:
    """The coefficient of an equation is set once: by the load, or by the data set."""
    by_load = zoo.load.hyperparameter == COEFFICIENT
    given = data.coefficient if isinstance(data, EquationPoints) else None
    if by_load and not isinstance(data, EquationPoints):
        allowed = f"points of an equation, because the load is {COEFFICIENT}"
        raise refused(key, zoo.dataset, allowed)
    if by_load and given is not None:
        allowed = f"one with `coefficient: null`, because {COEFFICIENT} is a grid axis"
        raise refused(key, zoo.dataset, allowed)
    if by_load and data.source == "wave":
        broken = [value for value in zoo.load.all_values if not float(value).is_integer()]
        if broken:
            allowed = "whole numbers, so that the solution vanishes at both ends"
            raise refused(key.replace("dataset", "load.values"), broken[0], allowed)
    if not by_load and isinstance(data, EquationPoints) and given is None:
        allowed = f"one with a coefficient, because {COEFFICIENT} is no grid axis"
        raise refused(key, zoo.dataset, allowed)


def _check_batches(key: str, zoo: Zoo, data: DataSpec) -> None:
    samples, seen = data.training_samples, zoo.training.seen
    what = f"the training samples of {zoo.dataset}"
    if seen:
        samples, what = seen.fewest(samples), "what a model sees of them under training.seen"
    sizes = {"training.batch_size": zoo.training.batch_size} if seen else {}
    if zoo.temperature.hyperparameter == "batch_size":
        sizes = {"temperature.values": int(zoo.temperature.all_values[-1])}
    for name, size in sizes.items():
        if isinstance(size, int) and size > samples:
            raise refused(f"{key}.{name}", size, f"at most {samples}, {what}")


def _check_seen(key: str, zoo: Zoo, data: DataSpec) -> None:
    """Points of an equation are one problem, and only images have one label each."""
    seen = zoo.training.seen
    if seen and data.kind == "points":
        allowed = f"nothing, because all points of {zoo.dataset} together state the equation"
        raise refused(key, f"by: {seen.by}", allowed)
    if isinstance(seen, ByLabels) and data.kind != "images":
        allowed = f"by: chance, because what {zoo.dataset} is made of has no classes"
        raise refused(key, "by: labels", allowed)


def _check_transfer(key: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    """Test samples of the second task must not have been trained on in the first."""
    transfer = zoo.transfer
    if transfer is None:
        return
    _check_data(f"{key}.dataset", zoo, transfer.dataset, data)
    first, second = data[zoo.dataset], data[transfer.dataset]
    if first.origin == second.origin and first.division != second.division:
        same = "split_seed" if second.kind == "text" else "train and split_seed"
        allowed = f"a data set with the {same} of {zoo.dataset}"
        raise refused(f"{key}.dataset", transfer.dataset, allowed)
    if isinstance(second, EquationPoints) and second.coefficient is None:
        allowed = "one with a coefficient, because no grid axis sets it here"
        raise refused(f"{key}.dataset", transfer.dataset, allowed)
    if transfer.head == "fresh" and second.kind == "text":
        allowed = f"kept, because the head of {zoo.architecture.name} is its embedding"
        raise refused(f"{key}.head", transfer.head, allowed)
