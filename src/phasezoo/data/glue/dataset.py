"""A set of GLUE as labelled arrays."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from phasezoo import rng
from phasezoo.data.archive import ArchiveError
from phasezoo.data.download import download_folder
from phasezoo.data.extra import extra
from phasezoo.data.glue.sets import SETS
from phasezoo.data.glue.tables import Labelled, read
from phasezoo.data.glue.tokens import roberta_encoding
from phasezoo.data.sides import sides
from phasezoo.data.vision.files import bring
from phasezoo.spec.glue import Glue
from phasezoo.spec.labelled_text import LABELLED_TEXT


def glue(spec: Glue) -> xr.Dataset:
    """The labelled texts of a set, in the tokens of RoBERTa.

    Returns:
        Dataset over `sample`, the place of a text among the labelled ones of its authors, those for
        development last: token [sample, position] uint16, label [sample] int16, split [sample]
        int8.

    Raises:
        ExtraError: `tokenizers` is not installed.
        DownloadError: a file cannot be had.
        ArchiveError: a file is not what it is known to be.
    """
    extra("tokenizers", "glue")  # before anything is downloaded
    about, folder = SETS[spec.set], download_folder()
    encoding = roberta_encoding(folder)
    files = bring("glue", about.files, folder)
    try:
        found = read(about, files, spec.numbers)
    except ArchiveError as problem:
        raise ArchiveError(f"glue {spec.set}: {problem}") from None
    kept = _kept(found.train, spec)
    texts = [*(found.train[i] for i in kept), *found.test]
    place = np.concatenate([kept, len(found.train) + np.arange(len(found.test))])
    return xr.Dataset(
        {
            "token": (("sample", "position"), encoding([t.texts for t in texts], spec.context)),
            "label": ("sample", np.array([t.label for t in texts], dtype=np.int16)),
            "split": sides(len(kept), len(found.test)),
        },
        coords={"sample": place.astype(np.int32)},
        attrs={
            "title": about.title,
            "references": f"{about.references}; Wang et al. 2019, arXiv:1804.07461",
            "license": "not stated",
            "kind": LABELLED_TEXT,
            "classes": " ".join(spec.classes),
            "vocabulary": encoding.vocabulary,
            "end_of_document": encoding.end,
            "tokens": "byte-pair encoding of RoBERTa (Liu et al. 2019)",
            "spec": spec.model_dump_json(),
        },
    )


def _kept(train: list[Labelled], spec: Glue) -> NDArray[np.int64]:
    """Places of the training texts that are kept, each class in its share."""
    everything = np.arange(len(train))
    if spec.keep is None:
        return everything
    chosen, _ = train_test_split(
        everything,
        train_size=spec.keep,
        stratify=[text.label for text in train],
        random_state=rng.small_seed_of(spec.source, spec.set, "keep"),
    )
    kept: NDArray[np.int64] = np.sort(chosen)
    return kept
