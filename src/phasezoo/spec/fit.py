"""Whether a zoo and its data sets suit each other."""

from __future__ import annotations

from collections.abc import Mapping

from phasezoo.spec.base import refused
from phasezoo.spec.data import DataSpec
from phasezoo.spec.equation import EquationPoints
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
    _check_batches(key, zoo, data)
    images = data[zoo.dataset].kind == "images"
    if zoo.training.augmentation and not images:
        allowed = f"nothing, because {zoo.dataset} has no images"
        raise refused(f"{key}.training.augmentation", "an augmentation", allowed)
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


def _check_batches(key: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    if zoo.temperature.hyperparameter == "batch_size":
        samples = data[zoo.dataset].training_samples
        largest = zoo.temperature.all_values[-1]
        if largest > samples:
            allowed = f"at most {samples}, the training samples of {zoo.dataset}"
            raise refused(f"{key}.temperature.values", largest, allowed)


def _check_transfer(key: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    """Test samples of the second task must not have been trained on in the first."""
    transfer = zoo.transfer
    if transfer is None:
        return
    _check_data(f"{key}.dataset", zoo, transfer.dataset, data)
    first, second = data[zoo.dataset], data[transfer.dataset]
    if not divided_alike(first, second):
        same = "split_seed" if second.kind == "text" else "train and split_seed"
        allowed = f"a data set with the {same} of {zoo.dataset}"
        raise refused(f"{key}.dataset", transfer.dataset, allowed)
    if isinstance(second, EquationPoints) and second.coefficient is None:
        allowed = "one with a coefficient, because no grid axis sets it here"
        raise refused(f"{key}.dataset", transfer.dataset, allowed)
    classes = [class_count(of) for of in (first, second)]
    if transfer.head == "kept" and None not in classes and classes[0] != classes[1]:
        allowed = f"fresh, because the classes are {classes[0]} of {zoo.dataset}, here {classes[1]}"
        raise refused(f"{key}.head", transfer.head, allowed)
    if transfer.head == "fresh" and second.kind == "text":
        allowed = f"kept, because the head of {zoo.architecture.name} is its embedding"
        raise refused(f"{key}.head", transfer.head, allowed)


def class_count(data: DataSpec) -> int | None:
    """Number of classes of a data set, where it has some and they are known before it is here."""
    classes = getattr(data, "classes", None)
    return classes if classes is None or isinstance(classes, int) else len(classes)


def divided_alike(first: DataSpec, second: DataSpec) -> bool:
    """Whether neither tests on what the other trains on: other samples, or one split."""
    return first.origin != second.origin or first.division == second.division
