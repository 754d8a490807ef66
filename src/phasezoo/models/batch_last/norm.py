"""Batch norm of a stack of small networks, with few passes over memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from phasezoo.models.batch_last.convolution import by_name, in_memory


def normalised(features: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """What batch norm gives for each model of a stack in training, with first derivatives only.

    Args:
        features: [M, N, C, H, W].
        scale: [M, C].
        shift: [M, C].
        epsilon: added to the variances.
    """
    found: Tensor = _Norm.apply(features, scale, shift, epsilon)  # type: ignore[no-untyped-call]
    return found


def moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Means and biased variances [M, C] of features [M, N, C, H, W]."""
    mean, centred = _centred(in_memory(features))
    return mean, _sums(centred.square_()) / _count(centred, mean)


def scaled(
    features: Tensor, mean: Tensor, variance: Tensor, scale: Tensor, shift: Tensor, epsilon: float
) -> Tensor:
    """What batch norm gives by statistics [M, C]; the rest as in `normalised`."""
    factor = scale * (variance + epsilon).rsqrt()
    found = in_memory(features) * _beside(factor)
    return by_name(found.add_(_beside(shift - mean * factor)))


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
        mean, centred = _centred(in_memory(features))
        variance = _sums(centred * centred) / _count(centred, mean)
        inverse = (variance + epsilon).rsqrt()
        found = (centred * _beside(scale * inverse)).add_(_beside(shift))
        ctx.save_for_backward(centred, scale, inverse)
        return by_name(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        centred, scale, inverse = ctx.saved_tensors
        slope = in_memory(slope)
        count = _count(slope, scale)
        total = _sums(slope)
        along = _sums(slope * centred) * inverse
        factor = scale * inverse
        found = slope * _beside(factor)
        found.addcmul_(centred, _beside(-factor * inverse * along / count))
        found.sub_(_beside(factor * total / count))
        return by_name(found), along, total, None


def _centred(stored: Tensor) -> tuple[Tensor, Tensor]:
    """Means [M, C] of features [M, W, C, H, N], and the features less these."""
    total = _sums(stored)
    mean = total / _count(stored, total)
    return mean, stored - _beside(mean)


def _count(stored: Tensor, values: Tensor) -> int:
    """Numbers for each model and channel."""
    return stored.numel() // values.numel()


def _beside(values: Tensor) -> Tensor:
    """Numbers [M, C] of channels beside features as they lie in memory, [M, W, C, H, N]."""
    return values[:, None, :, None, None]


def _sums(stored: Tensor) -> Tensor:
    """Sums of features [M, W, C, H, N] over all but models and channels, [M, C]."""
    return stored.flatten(3).sum(dim=3).sum(dim=1)
