"""A data set as labelled arrays: fixed stratified split, normalisation, optional label noise."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from phasezoo import rng
from phasezoo.data.points import points
from phasezoo.data.source import Source, load_source
from phasezoo.spec.data import DataSpec, Samples
from phasezoo.spec.equation import EquationPoints
from phasezoo.vocabulary import Split

Indices = NDArray[np.int64]


def labelled(spec: DataSpec) -> xr.Dataset:
    """The labelled data set of a spec: images, or points of an equation."""
    match spec:
        case EquationPoints():
            return points(spec)
        case _:
            return images(spec)


def images(spec: Samples) -> xr.Dataset:
    """The labelled images of a spec.

    Returns:
        Dataset over `sample`: image [sample, channel, row, column] uint8, label and given_label
        [sample] int16 (`given_label` carries the noise and is what training sees), split [sample]
        int8; mean and standard_deviation [channel] of the training images, in raw units.
    """
    source = load_source(spec)
    train, test = _split(source, spec)
    kept = np.concatenate([train, test])
    labels, images = source.labels[kept], source.images[kept]
    given = labels.copy()
    given[: len(train)] = _noisy(labels[: len(train)], len(source.classes), spec)
    seen = images[: len(train)].astype(np.float64)
    return xr.Dataset(
        {
            "image": (("sample", "channel", "row", "column"), images),
            "label": ("sample", labels.astype(np.int16)),
            "given_label": ("sample", given.astype(np.int16)),
            "split": ("sample", _flags(len(train), len(test)), _SPLIT_FLAGS),
            "mean": ("channel", seen.mean(axis=(0, 2, 3)).astype(np.float32)),
            "standard_deviation": ("channel", seen.std(axis=(0, 2, 3)).astype(np.float32)),
        },
        coords={"sample": kept.astype(np.int32)},
        attrs={
            "title": source.title,
            "references": source.references,
            "license": source.licence,
            "classes": " ".join(source.classes),
            "spec": spec.model_dump_json(),
        },
    )


_SPLIT_FLAGS = {
    "flag_values": [int(s) for s in Split],
    "flag_meanings": " ".join(s.name.lower() for s in Split),
}


def _split(source: Source, spec: Samples) -> tuple[Indices, Indices]:
    """Indices of the training and the test set, each class in its share."""
    everything = np.arange(len(source.labels))
    train, test = train_test_split(
        everything,
        train_size=spec.train,
        stratify=source.labels,
        random_state=rng.small_seed_of(spec.source, "split", spec.split_seed),
    )
    if spec.keep is not None and spec.keep < len(train):
        train, _ = train_test_split(
            train,
            train_size=spec.keep,
            stratify=source.labels[train],
            random_state=rng.small_seed_of(spec.source, "keep", spec.split_seed),
        )
    return np.sort(train), np.sort(test)


def _flags(train: int, test: int) -> NDArray[np.int8]:
    return np.repeat(np.array([Split.TRAIN, Split.TEST], dtype=np.int8), [train, test])


def _noisy(labels: Indices, classes: int, spec: Samples) -> Indices:
    """`labels` with a share of them replaced by another class, each other class equally likely."""
    noise = spec.label_noise
    if noise is None:
        return labels
    random = np.random.default_rng(rng.seed_of(spec.source, "label noise", noise.seed))
    changed = random.permutation(len(labels))[: round(noise.fraction * len(labels))]
    noisy = labels.copy()
    noisy[changed] = (labels[changed] + random.integers(1, classes, len(changed))) % classes
    return noisy
