"""Whether a region study, the zoo that it starts from and its data sets suit each other."""

from __future__ import annotations

from collections.abc import Mapping

from phasezoo.spec.architecture import Architecture
from phasezoo.spec.base import refused
from phasezoo.spec.data import DataSpec
from phasezoo.spec.fit import class_count, divided_alike
from phasezoo.spec.regions import OTHER_START, START, Regions, StartModel
from phasezoo.spec.zoo import Zoo

CLASSLESS = ("points", "text")  # kinds of data sets whose samples have no classes


def check_regions(
    name: str, regions: Regions, zoos: Mapping[str, Zoo], data: Mapping[str, DataSpec]
) -> None:
    """Raise where a start is no declared model, or its body cannot be tuned to a data set.

    Args:
        name: of the region study.
        regions: its spec.
        zoos: the declared zoos, by name.
        data: the declared data sets, by name.
    """
    key = f"regions.{name}"
    if name in zoos:
        raise refused(key, name, "a name that no zoo has")
    for called, start in regions.starts.items():
        _check_start(f"{key}.{called}", start, zoos)
    _check_alike(key, regions, zoos, data)
    for family, datasets in regions.families.items():
        for dataset in datasets:
            _check_dataset(f"{key}.families.{family}", dataset, regions, zoos, data)
    _check_divisions(key, regions, zoos, data)


def start_architecture(start: StartModel, zoos: Mapping[str, Zoo]) -> Architecture:
    """The architecture of a start."""
    zoo = zoos[start.zoo]
    return zoo.architecture.at(zoo.load.hyperparameter, start.load)


def tuned_architecture(regions: Regions, zoos: Mapping[str, Zoo]) -> Architecture:
    """The architecture of the models that are tuned, with the size of their start."""
    first = start_architecture(regions.start, zoos)
    if regions.architecture is None:
        return first
    if regions.architecture.size is not None or first.size is None:
        return regions.architecture
    return regions.architecture.at(regions.architecture.size_name, first.size)


def _check_start(key: str, start: StartModel, zoos: Mapping[str, Zoo]) -> None:
    if start.zoo not in zoos:
        raise refused(f"{key}.zoo", start.zoo, f"the declared zoos {', '.join(zoos)}")
    zoo = zoos[start.zoo]
    allowed = {
        "load": zoo.load.all_values,
        "temperature": zoo.temperature.all_values,
        "seed": zoo.all_seeds,
        "epoch": zoo.training.saved_epochs,
    }
    for label, values in allowed.items():
        got = getattr(start, label)
        if got not in values:
            raise refused(f"{key}.{label}", got, f"those of {start.zoo}: {list(values)}")


def _check_alike(
    key: str, regions: Regions, zoos: Mapping[str, Zoo], data: Mapping[str, DataSpec]
) -> None:
    """Two starts have bodies of one shape, or nothing of them could be compared."""
    if regions.other_start is None:
        return
    starts = (regions.start, regions.other_start)
    architectures = [start_architecture(start, zoos) for start in starts]
    shapes = [_shape(data[zoos[start.zoo].dataset]) for start in starts]
    if architectures[0] != architectures[1] or shapes[0] != shapes[1]:
        got = f"{architectures[1].name} of size {architectures[1].size}"
        allowed = f"{architectures[0].name} of size {architectures[0].size}, as {START} is, with"
        raise refused(f"{key}.{OTHER_START}", got, f"{allowed} inputs of the same shape")


def _check_dataset(
    key: str,
    dataset: str,
    regions: Regions,
    zoos: Mapping[str, Zoo],
    data: Mapping[str, DataSpec],
) -> None:
    if dataset not in data:
        raise refused(key, dataset, f"the declared data sets {', '.join(data)}")
    found, architecture = data[dataset], tuned_architecture(regions, zoos)
    if found.kind in CLASSLESS:
        raise refused(key, dataset, f"a data set with classes, not one of {found.kind}")
    if architecture.takes != found.kind:
        allowed = f"a data set of {architecture.takes}, which {architecture.name} takes"
        raise refused(key, dataset, f"{allowed}, not of {found.kind}")
    start = zoos[regions.start.zoo].dataset
    wanted, shape = _shape(data[start]), _shape(found)
    if None not in (wanted, shape) and wanted != shape:
        raise refused(key, dataset, f"inputs of shape {wanted} as in {start}, not {shape}")
    _check_samples(key.split(".families")[0], dataset, regions, found)


def _check_samples(key: str, dataset: str, regions: Regions, found: DataSpec) -> None:
    """A share of the training set has every class, and is no more than there is."""
    fewest = getattr(found, "fewest", None) or class_count(found) or 2
    most = found.training_samples
    for samples in regions.efficient.samples:
        if samples != "all" and not fewest <= samples <= most - fewest:
            allowed = f"{fewest} to {most - fewest} for {dataset}, with every class on either side"
            raise refused(f"{key}.efficient.samples", samples, f"{allowed}; or all")
    batch = regions.tuning.optimisation.batch_size
    if isinstance(batch, int) and batch > most:
        allowed = f"at most {most}, the training samples of {dataset}"
        raise refused(f"{key}.tuning.optimisation.batch_size", batch, allowed)


def _check_divisions(
    key: str, regions: Regions, zoos: Mapping[str, Zoo], data: Mapping[str, DataSpec]
) -> None:
    """No test sample was trained on by a start, or by a model tuned elsewhere."""
    pretrained = [zoos[start.zoo].dataset for start in regions.starts.values()]
    names = list(dict.fromkeys([*pretrained, *regions.datasets]))
    for place, dataset in enumerate(names):
        for other in names[:place]:
            if not divided_alike(data[other], data[dataset]):
                family = regions.family_of.get(dataset)
                where = f"families.{family}" if family else OTHER_START
                same = "split_seed" if "text" in data[dataset].kind else "train and split_seed"
                allowed = f"a data set with the {same} of {other}, whose test samples it shares"
                raise refused(f"{key}.{where}", dataset, allowed)


def _shape(data: DataSpec) -> tuple[int, ...] | None:
    """Of one input, where it is known before the data are here."""
    context = getattr(data, "context", None)
    return getattr(data, "shape", None) if context is None else (context,)
