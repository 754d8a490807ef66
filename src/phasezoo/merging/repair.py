"""REPAIR: the statistics of a merged network's units set to those of the networks it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from phasezoo.landscape.network import Network
from phasezoo.merging.activations import Moments, Sites, moments, samples_of
from phasezoo.models.flat import Weights

_AFFINE = nn.Linear | nn.Conv2d | nn.LayerNorm | nn.BatchNorm1d | nn.BatchNorm2d


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
    biases of the layers. Means and variances of the merged network are taken in one pass, each
    layer seeing those before it put right, and averaged over chunks of inputs. Statistics of batch
    norm are re-estimated in the same pass; with batch norm alone that is all there is to put right.

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
        weights = network.with_statistics(parameters, inputs)
        if not network.has_statistics:
            network.features(weights, inputs)
    tensors = network.parameters.unflatten(weights.parameters.clone())
    for layer, of in wanted.items():
        factor, mean = of.change()
        weight, bias = tensors[f"{layer}.weight"], tensors[f"{layer}.bias"]
        weight.mul_(factor.view(-1, *[1] * (weight.dim() - 1)).to(weight))
        bias.copy_((bias.double() - mean) * factor + of.mean)
    return Weights(network.parameters.flatten(tensors), weights.buffers)


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
    """Mean and deviation [n] that the units of a layer are to have, and what was seen of them."""

    mean: Tensor
    deviation: Tensor
    seen: list[tuple[Tensor, Tensor]]  # mean and variance of each chunk

    def __call__(self, layer: nn.Module, given: object, output: Tensor) -> Tensor:
        """The output of a layer, put right."""
        samples = samples_of(output).double()
        mean, variance = samples.mean(dim=0), samples.var(dim=0, correction=0)
        self.seen.append((mean, variance))
        right = (samples - mean) * _ratio(self.deviation, variance) + self.mean
        if output.dim() == 4:
            n, _, *pixels = output.shape
            return right.view(n, *pixels, -1).movedim(-1, 1).to(output)
        return right.view(output.shape).to(output)

    def change(self) -> tuple[Tensor, Tensor]:
        """The factor of the units and the mean that is taken away before it."""
        means, variances = zip(*self.seen, strict=True)
        mean, variance = torch.stack(means).mean(dim=0), torch.stack(variances).mean(dim=0)
        return _ratio(self.deviation, variance), mean


def _ratio(deviation: Tensor, variance: Tensor) -> Tensor:
    """Factor that makes one of the other; units that never change are left as wide as they are."""
    return torch.where(variance > 0, deviation / variance.sqrt(), 1.0)


@contextmanager
def _put_right(layers: dict[str, nn.Module], wanted: dict[str, _Wanted]) -> Iterator[None]:
    with ExitStack() as hooks:
        for name, layer in layers.items():
            hooks.enter_context(layer.register_forward_hook(wanted[name]))
        yield
