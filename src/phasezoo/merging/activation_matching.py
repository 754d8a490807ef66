"""Activation matching: units that do the same on data are the same."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor

from phasezoo.landscape.network import Network
from phasezoo.merging.activations import (
    Activations,
    Moments,
    Sites,
    activations,
    chunks_of,
    moments,
    sites_of,
)
from phasezoo.merging.alignment import Alignment, require_alignable
from phasezoo.merging.assignment import best_of, groups_of
from phasezoo.merging.gains import Gains
from phasezoo.merging.permutation import PermutationSpec
from phasezoo.merging.pieces import Flat, Pieces, nested
from phasezoo.models.flat import Weights

Statistic = Literal["correlation", "product"]


def activation_matching(
    network: Network,
    spec: PermutationSpec,
    models: Sequence[Weights],
    generator: torch.Generator,
    *,
    inputs: Tensor,
    statistic: Statistic,
) -> Alignment:
    """Bring every model to do on `inputs` what the first does, unit by unit.

    Every permutation maximises <P, C> by one linear assignment, independent of all others, where C
    [n, n] is a mean over samples, summed over the places where its units are seen (`sites_of`): of
    activations as they are, E[a b] (Ainsworth et al. 2023, section 3.1, as coded), or of their
    correlations (Li et al. 2015; Jordan et al. 2023), in which dead units count nothing. The
    activations are streamed; kept is C, in float64.

    The objective is the sum of <P, C> over permutations, before and after.

    Args:
        network: the architecture.
        spec: its permutations.
        models: the first stays.
        generator: not used, nothing is left to chance.
        inputs: [N, ...], of the network.
        statistic: what is maximised.

    Raises:
        ValueError: there are fewer than two models, or one has numbers that are not finite.
        AlignmentError: the units of a permutation are seen nowhere.
    """
    require_alignable(models)
    start = perf_counter()
    sites = sites_of(network, spec)
    scales = [
        moments(network, model, inputs, sites) if statistic == "correlation" else None
        for model in models
    ]
    totals, still = _totals(network, models, inputs, sites, scales)
    groups = groups_of(sites.spec, still)
    found: list[Flat] = [still]
    for gains in totals:
        best: Flat = {}
        for group in groups:
            best |= best_of(gains, group)
        found.append(best)
    return Alignment(
        permutations=tuple(nested(sites.spec, by) for by in found),
        objective=tuple(
            sum(_value(gains, by) for gains, by in zip(totals, step, strict=True))
            for step in ([still] * len(totals), found[1:])
        ),
        converged=True,
        seconds=perf_counter() - start,
    )


def _totals(
    network: Network,
    models: Sequence[Weights],
    inputs: Tensor,
    sites: Sites,
    scales: Sequence[Moments | None],
) -> tuple[list[Activations], Flat]:
    """The matrix of every permutation, of the first model with each of the others."""
    streams = (activations(network, model, inputs, sites) for model in models)
    counts = map(len, chunks_of(network, inputs))
    totals: list[Activations] = [{} for _ in models[1:]]
    still: Flat = {}
    for count, *chunks in zip(counts, *streams, strict=True):
        scaled = [_scaled(chunk, of, count) for chunk, of in zip(chunks, scales, strict=True)]
        A, *others = (Pieces(sites.spec, of) for of in scaled)
        still = still or A.identity()
        for total, B in zip(totals, others, strict=True):
            gains = Gains(A, B)
            for name in still:
                mean = gains[name].cpu().double() / len(inputs)
                total[name] = total[name] + mean if name in total else mean
    # activations that overflow say nothing
    finite = [{name: of.nan_to_num(0, 0, 0) for name, of in total.items()} for total in totals]
    return finite, still


def _scaled(chunk: Activations, scale: Moments | None, inputs: int) -> Activations:
    """Activations less their mean, over their deviation; 0 of those that never change.

    Divided by the root of the samples of an input, so that products are means over those.
    """
    found = chunk
    if scale:
        found = {
            site: ((of - scale.mean[site]) / scale.deviation[site]).nan_to_num(0, 0, 0).float()
            for site, of in chunk.items()
        }
    return {site: of * (inputs / len(of)) ** 0.5 for site, of in found.items()}


def _value(gains: Activations, by: Flat) -> float:
    return sum(gains[name][torch.arange(len(by[name])), by[name]].sum().item() for name in gains)
