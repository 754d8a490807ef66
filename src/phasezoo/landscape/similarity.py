"""How alike models are, as functions and as vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.landscape.cka import cka_as_published, cka_standard_error, debiased_cka, linear_cka
from phasezoo.landscape.condensed import Spread
from phasezoo.landscape.distance import cosines, distances
from phasezoo.landscape.features import condensed_features
from phasezoo.landscape.network import Network
from phasezoo.models.flat import Weights
from phasezoo.spec.metrics import Similarity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Pairs of models compared, each [pairs]; by the names of the stored variables.

    A model whose logits are the same for every sample, or not finite, is similar to none: CKA and
    disagreement with it are not a number. So are those of a layer that is the same for every
    sample, in that layer.

    Attributes:
        cka: linear CKA of the logits, over all samples at once.
        cka_standard_error: of `cka`, by the jackknife over samples.
        cka_debiased: from unbiased estimates of HSIC.
        cka_as_published: mean over batches of 128.
        cka_layers: [pairs, layers], `cka` of the outputs of layers.
        cka_layers_debiased: [pairs, layers], `cka_debiased` of them.
        cka_layers_as_published: [pairs, layers], `cka_as_published` of them.
        disagreement: share of samples whose largest logit differs; none of a single number.
        cosine_similarity: of the parameters.
        l2_distance: of the parameters.
    """

    cka: Floats
    cka_standard_error: Floats
    cka_debiased: Floats
    cka_as_published: Floats
    cka_layers: Floats
    cka_layers_debiased: Floats
    cka_layers_as_published: Floats
    disagreement: Floats
    cosine_similarity: Floats
    l2_distance: Floats


def compare(
    network: Network,
    models: Sequence[Weights],
    pairs: Sequence[tuple[int, int]],
    inputs: Tensor,
    options: Similarity,
) -> Comparison:
    """Compare pairs of models on the same inputs.

    Args:
        network: the architecture.
        models: of one architecture; those that diverged may be among them.
        pairs: positions of models.
        inputs: [N, ...], at least 4 of them.
        options: the layers to compare beside the logits.

    Raises:
        ValueError: no such layer, or too few inputs.
    """

    def of_pairs(matrix: Tensor) -> Floats:
        first, second = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
        return matrix.cpu().numpy()[first, second].astype(np.float64)

    answers = [_answers(network, model, inputs, options.layers) for model in models]
    predicted, functions, *layers = (torch.stack(of) for of in zip(*answers, strict=True))
    vectors = torch.stack([model.parameters for model in models])

    def of_layers(alignment: Callable[[Tensor], Tensor]) -> Floats:
        found = [of_pairs(alignment(layer)) for layer in layers]
        return np.array(found).reshape(len(layers), len(pairs)).T

    return Comparison(
        cka=of_pairs(linear_cka(functions)),
        cka_standard_error=of_pairs(cka_standard_error(functions)),
        cka_debiased=of_pairs(debiased_cka(functions)),
        cka_as_published=of_pairs(cka_as_published(functions)),
        cka_layers=of_layers(linear_cka),
        cka_layers_debiased=of_layers(debiased_cka),
        cka_layers_as_published=of_layers(cka_as_published),
        disagreement=of_pairs(disagreement(predicted)),
        cosine_similarity=of_pairs(cosines(vectors)),
        l2_distance=of_pairs(distances(vectors)),
    )


def _answers(
    network: Network, model: Weights, inputs: Tensor, layers: Sequence[str]
) -> list[Tensor]:
    """Classes that a model predicts, its logits and the outputs of its layers, condensed.

    They may be wide, a vocabulary or a layer of pixels, and are never held as a whole.
    """
    classes, found = condensed_features(network, model, inputs, layers, predictions)
    told = classes if found[0].telling else torch.full_like(classes, -1)
    return [told, *(condensed.features() for condensed in found)]


def predictions(logits: Tensor) -> Tensor:
    """The class of each sample [N] by logits [N, K]; -1 throughout where there is none to tell.

    That is where a logit is not a number, and where there is but one output, which is no class.
    """
    if logits.shape[1] < 2 or bool(logits.isnan().any()):
        return torch.full_like(logits[:, 0], -1, dtype=torch.int64)
    return logits.argmax(dim=1)


def disagreement(predicted: Tensor) -> Tensor:
    """Share of samples [M, M] that models put into different classes [M, N] (`predictions`)."""
    unknown = (predicted < 0).any(dim=1)
    shares = (predicted[:, None] != predicted).double().mean(dim=2)
    return shares.masked_fill(unknown[:, None] | unknown, torch.nan)


def is_collapsed(features: Tensor, rounding: float = 1e-5) -> bool:
    """Whether features [N, F] are the same for every sample, up to float32 rounding."""
    return Spread.of(features).collapsed(rounding)
