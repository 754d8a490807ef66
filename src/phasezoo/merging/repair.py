"""REPAIR: the statistics of a merged network's units set to those of the networks it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.merging.activations import Moments, Sites, moments, samples_of
from phasezoo.models.applied import applied
from phasezoo.models.flat import Weights

_BATCH_NORM = nn.BatchNorm1d | nn.BatchNorm2d
_AFFINE = nn.Linear | nn.Conv2d | nn.LayerNorm | _BATCH_NORM


def unit_moments(network: Network, models: Sequence[Weights], inputs: Tensor) -> list[Moments]:
    """Means and deviations of the units of each model that `repair` puts right."""
    layers = repaired_layers(network.module)
    sites = Sites({f"{layer}.out": None for layer in layers}, {})
    return [moments(network, model, inputs, sites) for model in models]


def repair(
    network: Network,
    models: Sequence[Weights],
    shares: Sequence[float],
    inputs: Tensor,
    each: Sequence[Moments] | None = None,
) -> Weights:
    """The weighted mean of models, with the means and deviations of its units put right.

    Averaging lets the variance of activations collapse, the more the deeper (Jordan et al. 2023).
    For every unit of the layers of `repaired_layers`, mean and standard deviation over `inputs`
    become the weighted means of those of the models, and the change is taken into the weights and
    biases of the layers. Statistics of batch norm are re-estimated in the same pass, and what its
    layers put out in evaluation mode is put right, whose running variances are over n - 1 of n
    samples; with batch norm alone that is all there is to put right.

    Means and variances of the merged network are taken in one pass, each layer seeing those before
    it put right. Up to `objective.chunk` inputs that is exact; of more, each chunk is put right by
    its own moments on its way, and the weights by those of all of them. A model and itself give the
    model back.

    Args:
        network: the architecture.
        models: aligned or not.
        shares: of the models, 1 in sum.
        inputs: of the training set.
        each: the `unit_moments` of the models, if they are known.
    """
    parameters = sum_of([model.parameters for model in models], shares)
    layers = repaired_layers(network.module)
    each = unit_moments(network, models, inputs) if each is None else each
    wanted = {layer: _Wanted(*_mixed(each, shares, f"{layer}.out"), seen=[]) for layer in layers}
    with _put_right(layers, wanted):
        weights = _passed(network, parameters, inputs)
    tensors = network.parameters.unflatten(weights.parameters.clone())
    statistics = network.buffers.unflatten(weights.buffers)
    for name, layer in layers.items():
        of = {**_of_layer(tensors, name), **_of_layer(statistics, name)}
        _change(layer, of, wanted[name])
    return Weights(network.parameters.flatten(tensors), weights.buffers)


def _change(layer: nn.Module, of: Mapping[str, Tensor], wanted: _Wanted) -> None:
    """Take into the weight and bias of a layer what puts its units right, from what was seen."""
    weight, bias = of["weight"], of["bias"]
    mean, variance = wanted.pooled()
    if isinstance(layer, _BATCH_NORM):
        slope = weight.double() / (of["running_var"].double() + layer.eps).sqrt()
        mean = bias + slope * (mean - of["running_mean"])
        variance = slope.square() * variance
    factor = _ratio(wanted.deviation.cpu(), variance)
    weight.mul_(factor.view(-1, *[1] * (weight.dim() - 1)).to(weight))
    bias.copy_((bias.double() - mean) * factor + wanted.mean.cpu())


def _of_layer(tensors: Mapping[str, Tensor], layer: str) -> dict[str, Tensor]:
    """The tensors of one layer by their own names."""
    start = f"{layer}."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


@torch.no_grad()
def _passed(network: Network, parameters: Tensor, inputs: Tensor) -> Weights:
    """The weights with statistics, if the network has some, once all inputs went through it."""
    if network.has_statistics:
        return network.with_statistics(parameters, inputs)
    function = applied(network.module, network.parameters.unflatten(parameters.to(network.device)))
    for chunk in inputs.tensor_split(-(-len(inputs) // network.objective.chunk)):
        network.objective.answers(function, chunk)
    return Weights(parameters, torch.empty(0))


def repaired_layers(module: nn.Module) -> dict[str, nn.Module]:
    """Layers that scale and shift each unit they put out, all but the head."""
    return {
        name: layer
        for name, layer in module.named_modules()
        if isinstance(layer, _AFFINE) and layer.bias is not None and name != "head"
    }


def sum_of(vectors: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Vectors [P] times their shares, one after the other."""
    total = torch.zeros_like(vectors[0])
    for vector, share in zip(vectors, shares, strict=True):
        total = total + share * vector if share else total
    return total


def _mixed(each: Sequence[Moments], shares: Sequence[float], site: str) -> tuple[Tensor, Tensor]:
    means, deviations = ([getattr(of, name)[site] for of in each] for name in Moments.NAMES)
    return sum_of(means, shares), sum_of(deviations, shares)


@dataclass(frozen=True)
class _Wanted:
    """Mean and deviation [n] that the units of a layer are to have, and what was seen of them.

    Seen are the moments of each chunk: of what batch norm takes in, which has no statistics of its
    own in it, of what other layers put out.
    """

    mean: Tensor
    deviation: Tensor
    seen: list[tuple[int, Tensor, Tensor]]  # samples, their mean and their variance

    def __call__(self, layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """The output of a layer, put right."""
        samples = samples_of(output).double()
        mean, variance = _moments(samples)
        taken = isinstance(layer, _BATCH_NORM)
        of = _moments(samples_of(given[0]).double()) if taken else (mean, variance)
        self.seen.append((len(samples), *of))
        right = (samples - mean) * _ratio(self.deviation, variance) + self.mean
        if output.dim() == 4:
            n, _, *pixels = output.shape
            return right.view(n, *pixels, -1).movedim(-1, 1).to(output)
        return right.view(output.shape).to(output)

    def pooled(self) -> tuple[Tensor, Tensor]:
        """Mean and variance over the samples of all chunks, on the CPU as weights are."""
        counts, means, variances = zip(*self.seen, strict=True)
        shares = torch.tensor(counts, dtype=torch.float64) / sum(counts)
        of_chunks, within = torch.stack(means).cpu(), torch.stack(variances).cpu()
        mean = shares @ of_chunks
        return mean, shares @ (within + (of_chunks - mean).square())


def _moments(samples: Tensor) -> tuple[Tensor, Tensor]:
    return samples.mean(dim=0), samples.var(dim=0, correction=0)


def _ratio(deviation: Tensor, variance: Tensor) -> Tensor:
    """Factor that makes one of the other; units that never change are left as wide as they are."""
    return torch.where(variance > 0, deviation / variance.sqrt(), 1.0)


@contextmanager
def _put_right(layers: dict[str, nn.Module], wanted: dict[str, _Wanted]) -> Iterator[None]:
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hooks.enter_context(layer.register_forward_hook(wanted[name]))
        yield
