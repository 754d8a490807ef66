"""Whether the data sets that models are used on suit a zoo."""

from __future__ import annotations

from collections.abc import Mapping

from phasezoo.spec.base import refused
from phasezoo.spec.data import DataSpec, Digits
from phasezoo.spec.letters import Letters
from phasezoo.spec.published import Published
from phasezoo.spec.zoo import Zoo

Known = tuple[tuple[int, int, int], int]  # shape [C, H, W] of the images, number of classes


def check_uses(key: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    """Raise where a zoo is to be used in a way, or on a data set, that does not suit its own.

    Args:
        key: of the zoo.
        zoo: its spec.
        data: the declared data sets, by name.
    """
    kind = data[zoo.dataset].kind
    if zoo.robustness:
        _check_kind(f"{key}.robustness", kind, ("images",), "only images are disturbed")
        _check_other(f"{key}.robustness.shifted", zoo, zoo.robustness.shifted, data, classes=True)
        _check_other(f"{key}.robustness.foreign", zoo, zoo.robustness.foreign, data)
    if zoo.ensembling:
        _check_kind(f"{key}.ensembling", kind, ("images", "text"), "probabilities are averaged")
    if zoo.new_task:
        because = f"the head of {zoo.architecture.name} is its embedding, which no probe leaves out"
        _check_kind(f"{key}.new_task", kind, ("images", "points"), because)
        _check_shape(f"{key}.new_task.dataset", zoo, zoo.new_task.dataset, data)
        _check_head(key, zoo, data)


def _check_kind(key: str, kind: str, kinds: tuple[str, ...], because: str) -> None:
    if kind not in kinds:
        allowed = f"nothing for a zoo of {kind}, because {because}"
        raise refused(key, "a mapping", allowed)


def _check_other(
    key: str, zoo: Zoo, name: str | None, data: Mapping[str, DataSpec], classes: bool = False
) -> None:
    """Another data set of images of one size, none of whose test images were trained on."""
    if name is None:
        return
    images = [other for other, spec in data.items() if spec.kind == "images"]
    if name not in images:
        raise refused(key, name, f"the declared data sets of images {', '.join(images)}")
    first, other = data[zoo.dataset], data[name]
    if first.origin == other.origin and first.division != other.division:
        raise refused(key, name, f"a data set with the train and split_seed of {zoo.dataset}")
    _check_shape(key, zoo, name, data)
    known, own = _known(other), _known(first)
    if classes and known and own and known[1] != own[1]:
        allowed = f"a data set of {own[1]} classes, as {zoo.dataset}, not of {known[1]}"
        raise refused(key, name, allowed)


def _check_shape(key: str, zoo: Zoo, name: str, data: Mapping[str, DataSpec]) -> None:
    known, own = _known(data[name]), _known(data[zoo.dataset])
    if known and own and known[0] != own[0]:
        wanted, got = (" x ".join(map(str, shape)) for shape in (own[0], known[0]))
        raise refused(key, name, f"images of {wanted}, as {zoo.dataset} has, not of {got}")


def _check_head(key: str, zoo: Zoo, data: Mapping[str, DataSpec]) -> None:
    """A head for other classes is a fresh one."""
    task = zoo.new_task
    if task is None or task.head == "fresh":
        return
    known, own = _known(data[task.dataset]), _known(data[zoo.dataset])
    if known and own and known[1] != own[1]:
        allowed = f"fresh, because {task.dataset} has {known[1]} classes and not {own[1]}"
        raise refused(f"{key}.new_task.head", task.head, allowed)


def _known(spec: DataSpec) -> Known | None:
    """What is known of the images of a data set before they are here."""
    match spec:
        case Digits():
            return (1, 8, 8), 10
        case Letters():
            return spec.shape, spec.letters
        case Published():
            return spec.numbers.shape, spec.numbers.classes
        case _:
            return None
