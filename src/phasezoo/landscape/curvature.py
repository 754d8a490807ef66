"""Eigenvalues, trace and density of the Hessian of a loss, of many models of one architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phasezoo.landscape.density import NO_DENSITY, Density, densities
from phasezoo.landscape.eigenvalues import Eigenvalues, all_converged, top_eigenvalues
from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.gauss_newton import exact_trace, is_linear_between_kinks
from phasezoo.landscape.lanczos import Floats, Krylov, lanczos, normal_like
from phasezoo.landscape.network import Network
from phasezoo.landscape.products import HessianProducts
from phasezoo.landscape.stack import Stack, models_per_stack
from phasezoo.landscape.trace import NO_TRACE, Trace, estimated_traces
from phasezoo.models.flat import Weights
from phasezoo.spec import metrics as spec

_GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Curvature:
    """Curvature of the loss at a model; loss per squared weight.

    Attributes:
        eigenvalues: [k] largest, descending.
        residuals: [k] norms of H v - lambda v of their Ritz pairs.
        converged: [k] whether the residual met the tolerance.
        trace: with its standard error, 0 where it is exact.
        trace_converged: whether the standard error met the target.
        trace_probes: random vectors that were drawn for it, 0 where it is exact.
        nodes: [n] of the density of eigenvalues, ascending; empty where it was not asked for.
        weights: [n], summing to 1.
    """

    eigenvalues: Floats
    residuals: Floats
    converged: NDArray[np.bool_]
    trace: Estimate
    trace_converged: bool
    trace_probes: int
    nodes: Floats
    weights: Floats


def curvature(
    network: Network,
    models: Sequence[Weights],
    inputs: Tensor,
    labels: Tensor,
    options: spec.Hessian,
    generators: Sequence[torch.Generator],
) -> list[Curvature]:
    """Curvature of the mean loss of one fixed sample at each model.

    The network is in evaluation mode: batch norm by its running statistics. Small networks are
    computed several at a time; what comes out for a model does not depend on the others beyond
    rounding. A model that is not finite has NaN everywhere and nothing converged.

    The trace is exact where the network is linear between kinks
    (`phasezoo.landscape.gauss_newton`), and estimated with random probes elsewhere.

    Args:
        network: the architecture.
        models: its weights.
        inputs: the sample, [N, ...], on the network's device.
        labels: [N].
        options: how it is estimated. `samples` and `sets` are the caller's to follow.
        generators: the only source of chance, one per model.

    Raises:
        ValueError: another number of generators than of models, or more eigenvalues asked for
            than the network has parameters.
    """
    if len(generators) != len(models):
        raise ValueError(
            f"generators: got {len(generators)}, allowed is one per model, {len(models)}"
        )
    if options.eigenvalues > network.parameters.size:
        allowed = f"at most the number of parameters, {network.parameters.size}"
        raise ValueError(f"eigenvalues: got {options.eigenvalues}, allowed are {allowed}")
    found = [_nothing(options) for _ in models]
    finite = [index for index, model in enumerate(models) if model.finite]
    exact = is_linear_between_kinks(network, inputs)
    size = models_per_stack(network, len(labels))
    for start in range(0, len(finite), size):
        chosen = finite[start : start + size]
        stack = Stack.of(network, [models[index] for index in chosen])
        chances = [generators[index] for index in chosen]
        results = _of_stack(stack, inputs, labels, options, chances, exact)
        for index, result in zip(chosen, results, strict=True):
            found[index] = result
    return found


def _of_stack(
    stack: Stack,
    inputs: Tensor,
    labels: Tensor,
    options: spec.Hessian,
    generators: Sequence[torch.Generator],
    exact: bool,
) -> list[Curvature]:
    limit = int(options.memory * _GIBIBYTE)
    product = HessianProducts(stack, inputs, labels, limit)
    rounding = 8 * torch.finfo(stack.parameters.dtype).eps
    k, tolerance = options.eigenvalues, options.tolerance
    starts = torch.stack(
        [normal_like(row, g) for row, g in zip(stack.parameters.detach(), generators, strict=True)]
    )
    done = all_converged(k, tolerance, rounding)
    spaces, basis = lanczos(product, starts, options.iterations, done, generators)
    tops = [top_eigenvalues(space, k, tolerance, rounding) for space in spaces]
    if exact:
        traces = [exact_trace(stack.model(i), inputs, limit) for i in range(len(stack))]
    else:
        target, most = options.trace_error, options.probes
        traces = estimated_traces(product, spaces, basis, target, most, generators)
    rules = [NO_DENSITY] * len(stack)
    if options.density:
        steps, probes = options.density.nodes, options.density.probes
        rules = densities(product, starts, steps, probes, generators)
    return [_joined(*parts) for parts in zip(tops, traces, rules, strict=True)]


def _joined(top: Eigenvalues, trace: Trace, density: Density) -> Curvature:
    return Curvature(
        eigenvalues=top.values,
        residuals=top.residuals,
        converged=top.converged,
        trace=trace.estimate,
        trace_converged=trace.converged,
        trace_probes=trace.probes,
        nodes=density.nodes,
        weights=density.weights,
    )


def _nothing(options: spec.Hessian) -> Curvature:
    """What stands for a model that is not finite."""
    size = options.density.nodes * options.density.probes if options.density else 0
    nothing = np.full(size, np.nan)
    top = top_eigenvalues(Krylov(finite=False), options.eigenvalues, options.tolerance, 0.0)
    return _joined(top, NO_TRACE, Density(nothing, nothing))
