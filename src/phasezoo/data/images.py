"""Images as labelled arrays: fixed stratified split, normalisation, optional label noise."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from phasezoo import rng
from phasezoo.data.question import asked
from phasezoo.data.sides import sides
from phasezoo.data.source import Source, load_source
from phasezoo.data.vision.sets import Normalisation
from phasezoo.spec.data import Images
from phasezoo.spec.published import Published

Indices = NDArray[np.int64]


def images(spec: Images) -> xr.Dataset:
    """The labelled images of a spec.

    Returns:
        Dataset over `sample`: image [sample, channel, row, column] uint8, label and given_label
        [sample] int16 (`given_label` carries the noise and is what training sees), split [sample]
        int8; mean and standard_deviation [channel], in raw units: the published ones, or those of
        the training images.
    """
    source = load_source(spec)
    train, test = _split(source, spec)
    source = asked(source, spec)
    kept = np.concatenate([train, test])
    whole = np.array_equal(kept, np.arange(len(source.labels)))
    labels, pixels = source.labels[kept], source.images if whole else source.images[kept]
    given = labels.copy()
    given[: len(train)] = _noisy(labels[: len(train)], len(source.classes), spec)
    scale = source.normalisation or _normalisation(pixels[: len(train)])
    return xr.Dataset(
        {
            "image": (("sample", "channel", "row", "column"), pixels),
            "label": ("sample", labels.astype(np.int16)),
            "given_label": ("sample", given.astype(np.int16)),
            "split": sides(len(train), len(test)),
            "mean": ("channel", np.array(scale.mean, np.float32)),
            "standard_deviation": ("channel", np.array(scale.standard_deviation, np.float32)),
        },
        coords={"sample": kept.astype(np.int32)},
        attrs={
            "title": source.title,
            "references": source.references,
            "license": source.licence,
            "classes": " ".join(source.classes),
            "spec": spec.model_dump_json(),
            **({"files": json.dumps(dict(source.files))} if source.files else {}),
        },
    )


def _normalisation(images: NDArray[np.uint8]) -> Normalisation:
    """Of the training images, channel by channel, which takes less memory."""
    planes = (images[:, channel].astype(np.float64) for channel in range(images.shape[1]))
    found = [(plane.mean().item(), plane.std().item()) for plane in planes]
    mean, deviation = zip(*found, strict=True)
    return Normalisation(mean, deviation)


def _split(source: Source, spec: Images) -> tuple[Indices, Indices]:
    """Indices of the training and the test set, each class in its share or as published."""
    everything = np.arange(len(source.labels))
    if isinstance(spec, Published):
        train, test = everything[: source.train], everything[source.train :]
        seeds: tuple[int, ...] = ()
    else:
        train, test = train_test_split(
            everything,
            train_size=spec.train,
            stratify=source.labels,
            random_state=rng.small_seed_of(spec.source, "split", spec.split_seed),
        )
        seeds = (spec.split_seed,)
    if spec.keep is not None and spec.keep < len(train):
        train, _ = train_test_split(
            train,
            train_size=spec.keep,
            stratify=source.labels[train],
            random_state=rng.small_seed_of(spec.source, "keep", *seeds),
        )
    return np.sort(train), np.sort(test)


def _noisy(labels: Indices, classes: int, spec: Images) -> Indices:
    """`labels` with a share of them replaced by another class, each other class equally likely."""
    noise = spec.label_noise
    if noise is None:
        return labels
    random = np.random.default_rng(rng.seed_of(spec.source, "label noise", noise.seed))
    changed = random.permutation(len(labels))[: round(noise.fraction * len(labels))]
    noisy = labels.copy()
    noisy[changed] = (labels[changed] + random.integers(1, classes, len(changed))) % classes
    return noisy
