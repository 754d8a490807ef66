"""A data set of text classification as labelled arrays."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.data.corpus import CorpusError
from phasezoo.data.python_text.documents import Documents, documents
from phasezoo.data.python_text.families import CHANGES, Change
from phasezoo.data.sides import sides
from phasezoo.data.text_pydoc import END
from phasezoo.spec.labelled_text import LABELLED_TEXT, PythonText
from phasezoo.vocabulary import Split


@dataclass(frozen=True)
class _Windows:
    """The windows of one side, as bytes, with the numbers and the groups of their documents."""

    side: Split
    text: list[bytes]
    document: NDArray[np.int32]
    group: NDArray[np.int64]


@dataclass(frozen=True)
class _Samples:
    text: list[bytes]
    label: NDArray[np.int16]
    document: NDArray[np.int32]


def python_text(spec: PythonText) -> xr.Dataset:
    """The labelled windows of a domain.

    A document is cut into windows of `context` bytes without overlap; what is left at its end is
    left out. Each side has as many samples of each class, in turn. Windows are drawn in an order
    that does not depend on how many are asked for, so that a smaller set is the beginning of a
    larger one.

    Returns:
        Dataset over `sample`: token [sample, position] uint16, those of `pydoc` with this
        `split_seed`; label [sample] int16; document [sample] int32, its number among the names in
        the attribute `documents`; split [sample] int8; byte [symbol] uint8.

    Raises:
        CorpusError: the text is not what the spec says, or there is too little of it.
    """
    found = documents(spec.domain, spec.split_seed)
    _check_digest(spec, found)
    train, test = (
        _samples(_windows(found, side, spec.context), wanted, spec)
        for side, wanted in ((Split.TRAIN, spec.train), (Split.TEST, spec.test))
    )
    raw = np.frombuffer(b"".join(train.text + test.text), np.uint8)
    return xr.Dataset(
        {
            "token": (("sample", "position"), found.manual.token[raw.reshape(-1, spec.context)]),
            "label": ("sample", np.concatenate([train.label, test.label])),
            "document": ("sample", np.concatenate([train.document, test.document])),
            "split": sides(spec.train, spec.test),
            "byte": ("symbol", found.manual.byte),
        },
        coords={"sample": np.arange(spec.train + spec.test, dtype=np.int32)},
        attrs=_attributes(found, spec),
    )


def _check_digest(spec: PythonText, found: Documents) -> None:
    if spec.sha256 not in {None, found.sha256}:
        got = f"{found.sha256}, the text of Python {platform.python_version()}"
        allowed = f"{spec.sha256}, that of another; run that one, or bring the data set as it is"
        raise CorpusError(f"python-text: sha256: got {got}; allowed: {allowed}")


def _windows(found: Documents, side: Split, length: int) -> _Windows:
    text: list[bytes] = []
    document: list[int] = []
    for number, one in enumerate(found.documents):
        if one.side is side:
            raw = one.text.encode()
            cut = [raw[at : at + length] for at in range(0, len(raw) - length + 1, length)]
            text += cut
            document += [number] * len(cut)
    groups = np.array([one.group for one in found.documents])
    return _Windows(side, text, np.array(document, np.int32), groups[document])


def _samples(windows: _Windows, wanted: int, spec: PythonText) -> _Samples:
    change = CHANGES.get(spec.family)
    if change is None:
        return _by_group(windows, wanted, spec)
    return _changed(windows, wanted, spec, change)


def _chance(spec: PythonText, side: Split, *purpose: str) -> np.random.Generator:
    names = ("python-text", spec.domain, spec.family, side.name, spec.split_seed, *purpose)
    return np.random.default_rng(rng.seed_of(*names))


def _by_group(windows: _Windows, wanted: int, spec: PythonText) -> _Samples:
    """Windows as they are, labelled with the group of their document."""
    order = _chance(spec, windows.side, "order").permutation(len(windows.text))
    classes, of_each = len(spec.classes), wanted // len(spec.classes)
    drawn = [order[windows.group[order] == group] for group in range(classes)]
    _check_number(spec, windows.side, wanted, min(map(len, drawn)) * classes)
    chosen = np.stack([of[:of_each] for of in drawn], axis=1).ravel()  # the classes in turn
    return _Samples(
        [windows.text[i] for i in chosen],
        windows.group[chosen].astype(np.int16),
        windows.document[chosen],
    )


def _changed(windows: _Windows, wanted: int, spec: PythonText, change: Change) -> _Samples:
    """Every second window is changed."""
    able = np.array([i for i, text in enumerate(windows.text) if change.can(text)], dtype=np.int64)
    _check_number(spec, windows.side, wanted, len(able) // 2 * 2)
    chosen = able[_chance(spec, windows.side, "order").permutation(len(able))][:wanted]
    chance = _chance(spec, windows.side, "change")
    text = [windows.text[i] for i in chosen]
    for place in range(1, wanted, 2):
        others = _others(windows, int(chosen[place]))
        text[place] = change.changed(text[place], others, chance)
    label = (np.arange(wanted) % 2).astype(np.int16)
    return _Samples(text, label, windows.document[chosen])


def _others(windows: _Windows, number: int) -> Sequence[bytes]:
    """The windows of other documents than that of one window; documents lie one after another."""
    of = windows.document[number]
    first, last = np.searchsorted(windows.document, [of, of + 1])
    return windows.text[:first] + windows.text[last:]


def _check_number(spec: PythonText, side: Split, wanted: int, most: int) -> None:
    if wanted > most:
        name, what = side.name.lower(), f"{spec.family} in {spec.domain}"
        allowed = f"at most {most}, the windows of {spec.context} bytes on this side of the split"
        raise CorpusError(f"python-text: {name}: got {wanted}; allowed: {allowed} ({what})")


def _attributes(found: Documents, spec: PythonText) -> dict[str, str | int]:
    return {
        "title": f"Text of Python: {spec.family} in {spec.domain}",
        "references": "https://docs.python.org/3/",
        "license": "PSF-2.0",
        "kind": LABELLED_TEXT,
        "classes": " ".join(spec.classes),
        "vocabulary": len(found.manual.byte),
        "end_of_document": END,
        "documents": " ".join(one.name for one in found.documents),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "corpus_sha256": found.sha256,
        "spec": spec.model_dump_json(),
    }
