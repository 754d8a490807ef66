"""A language data set as labelled arrays: windows of tokens, split by document."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from phasezoo import rng
from phasezoo.data.corpus import Corpus
from phasezoo.data.openwebtext import openwebtext
from phasezoo.data.sides import sides
from phasezoo.data.text_pydoc import pydoc
from phasezoo.spec.text import OpenWebText, Pydoc, TextSpec


def labelled_text(spec: TextSpec) -> xr.Dataset:
    """The labelled data set of a text.

    Returns:
        Dataset over `sample`: token [sample, position] uint16, of which a model is shown all but
        the last and predicts all but the first; document [sample] int32, in which a window begins;
        split [sample] int8. Where each token stands for one byte, byte [symbol] uint8 says which.

    Raises:
        CorpusError: the text is not what the spec says, or there is too little of it.
        DownloadError: a file cannot be had.
    """
    corpus = _corpus(spec)
    kept = _kept(spec)
    train, test = corpus.train, corpus.test
    variables: dict[str, Any] = {
        "token": (("sample", "position"), np.concatenate([train.tokens[kept], test.tokens])),
        "document": ("sample", np.concatenate([train.document[kept], test.document])),
        "split": sides(len(kept), spec.test),
    }
    if corpus.byte is not None:
        variables["byte"] = ("symbol", corpus.byte)
    sample = np.concatenate([kept, spec.train + np.arange(spec.test)]).astype(np.int32)
    return xr.Dataset(variables, coords={"sample": sample}, attrs=_attributes(corpus, spec))


def _corpus(spec: TextSpec) -> Corpus:
    match spec:
        case Pydoc():
            return pydoc(spec)
        case OpenWebText():
            return openwebtext(spec)


def _kept(spec: TextSpec) -> NDArray[np.int64]:
    """Numbers of the training windows that are kept, in their order."""
    if spec.keep is None:
        return np.arange(spec.train)
    generator = rng.generator(spec.source, "keep", spec.split_seed)
    chosen = torch.randperm(spec.train, generator=generator)[: spec.keep].sort().values
    numbers: NDArray[np.int64] = chosen.numpy()
    return numbers


def _attributes(corpus: Corpus, spec: TextSpec) -> dict[str, str | int]:
    return {
        "title": corpus.title,
        "references": corpus.references,
        "license": corpus.licence,
        "kind": "text",
        "vocabulary": corpus.vocabulary,
        "end_of_document": corpus.end,
        **corpus.facts,
        "spec": spec.model_dump_json(),
    }
