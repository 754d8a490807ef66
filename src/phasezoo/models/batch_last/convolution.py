"""Convolutions of a stack of small networks as a few products of matrices.

Features [M, N, C, H, W] of M models lie in memory as [M, W, C, H, N]: what a kernel sees for an
output column are then consecutive rows of one matrix. A product of matrices gives several output
columns of all samples at once, by weights repeated along a diagonal, because factors of a few rows
leave a processor idle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

HEIGHT = 16  # of the left factor of a product; lower ones are bound by memory


@dataclass(frozen=True)
class Kernel:
    """A square kernel: its size, stride and zero padding."""

    size: int
    stride: int
    padding: int

    def places(self, length: int) -> int:
        """Places of the kernel along a side."""
        return (length + 2 * self.padding - self.size) // self.stride + 1

    def seen(self, tile: int) -> int:
        """Columns of the input that a tile of output columns depends on."""
        return self.stride * (tile - 1) + self.size

    def within(self, offset: int, length: int) -> tuple[slice, slice]:
        """The places at which one row of the kernel is no padding, and what it sees there."""
        first = max(0, -(-(self.padding - offset) // self.stride))
        last = min(self.places(length) - 1, (length - 1 + self.padding - offset) // self.stride)
        start = self.stride * first + offset - self.padding
        stop = self.stride * last + offset - self.padding + 1
        return slice(first, last + 1), slice(start, stop, self.stride)


def in_memory(features: Tensor) -> Tensor:
    """Features [M, N, C, H, W] as [M, W, C, H, N], without gaps; no copy where they lie so."""
    return features.permute(0, 4, 2, 3, 1).contiguous()


def by_name(stored: Tensor) -> Tensor:
    """The inverse of `in_memory`, a view."""
    return stored.permute(0, 4, 2, 3, 1)


def convolve(features: Tensor, weights: Tensor, kernel: Kernel) -> Tensor:
    """What ``conv2d`` gives for each model of a stack, with first derivatives only.

    Args:
        features: [M, N, C, H, W].
        weights: [M, O, C, k, k].
        kernel: its size, stride and padding.

    Returns:
        [M, N, O, H', W'].
    """
    found: Tensor = _Convolution.apply(features, weights, kernel)  # type: ignore[no-untyped-call]
    return found


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor, kernel: Kernel) -> Tensor:
        stored = in_memory(features)
        ctx.save_for_backward(stored, weights)
        ctx.kernel = kernel
        return by_name(_forward(stored, weights, kernel))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        stored, weights = ctx.saved_tensors
        slope = in_memory(slope)
        to_features = to_weights = None
        if ctx.needs_input_grad[0]:
            to_features = by_name(_to_features(slope, weights, stored.shape, ctx.kernel))
        if ctx.needs_input_grad[1]:
            to_weights = _to_weights(slope, stored, ctx.kernel)
        return to_features, to_weights, None


def _forward(stored: Tensor, weights: Tensor, kernel: Kernel) -> Tensor:
    """Output [M, W', O, H', N] of features [M, W, C, H, N]."""
    models, width, _, height, samples = stored.shape
    places, channels, out = kernel.places(width), weights.shape[1], kernel.places(height)
    tile = _tile(places, channels)
    found = stored.new_empty(models, places // tile, tile * channels, out * samples)
    bands = _bands(weights, kernel, tile)[:, None].expand(-1, places // tile, -1, -1)
    for band, tiles, of_model in zip(bands, _tiles(stored, kernel, tile), found, strict=True):
        torch.bmm(band, tiles, out=of_model)
    return found.view(models, places, channels, out, samples)


def _to_features(slope: Tensor, weights: Tensor, shape: tuple[int, ...], kernel: Kernel) -> Tensor:
    """The slope [M, W, C, H, N] of features from slopes [M, W', O, H', N]."""
    if kernel.stride == 1:  # a convolution of the slopes with the kernel turned round
        turned = weights.flip(3, 4).transpose(1, 2)
        return _forward(slope, turned, Kernel(kernel.size, 1, kernel.size - 1 - kernel.padding))
    models, width, channels, height, samples = shape
    places, size, around = slope.shape[1], kernel.size, kernel.padding
    matrices = weights.permute(0, 4, 3, 2, 1).flatten(1, 3)
    found = slope.new_zeros(models, width + 2 * around, channels, height, samples)
    for matrix, of_model, target in zip(matrices, slope.flatten(3), found, strict=True):
        parts = torch.bmm(matrix.expand(places, -1, -1), of_model)
        parts = parts.view(places, size, size, channels, -1, samples)
        for i, j in product(range(size), range(size)):
            at, seen = kernel.within(j, height)
            reached = target[i : i + kernel.stride * places : kernel.stride, :, seen]
            reached += parts[:, i, j, :, at]
    return found[:, around : around + width].contiguous()


def _to_weights(slope: Tensor, stored: Tensor, kernel: Kernel) -> Tensor:
    """The slope of the weights [M, O, C, k, k]."""
    models, places, channels, _, _ = slope.shape
    tile = _tile(places, channels)
    sides = slope.view(models, places // tile, tile * channels, -1)
    products = [
        torch.bmm(side, tiles.mT).sum(dim=0)
        for side, tiles in zip(sides, _tiles(stored, kernel, tile), strict=True)
    ]
    shape = models, tile, channels, kernel.seen(tile), kernel.size, stored.shape[2]
    bands = torch.stack(products).view(shape)
    return _diagonal(bands, kernel).sum(dim=1).permute(0, 2, 4, 3, 1)


def _tile(places: int, channels: int) -> int:
    """Output columns of one product: as many as give it a left factor of some height."""
    tile = 1
    while tile * channels < HEIGHT and places % (2 * tile) == 0:
        tile *= 2
    return tile


def _tiles(stored: Tensor, kernel: Kernel, tile: int) -> Iterator[Tensor]:
    """What each tile of output columns sees, [W' / t, d k C, H' N], of one model after the other.

    Overlapping views of one matrix that is written anew for every model, so that it stays in the
    cache; its borders are zero throughout.
    """
    _, width, channels, height, samples = stored.shape
    around, size, out = kernel.padding, kernel.size, kernel.places(height)
    columns = stored.new_empty(width + 2 * around, size, channels, out, samples)
    inner = columns[around : around + width]
    if around:
        columns[:around] = columns[-around:] = 0
    targets = []
    for offset in range(size):
        at, seen = kernel.within(offset, height)
        if at.start > 0:
            inner[:, offset, :, : at.start] = 0
        if at.stop < out:
            inner[:, offset, :, at.stop :] = 0
        targets.append((inner[:, offset, :, at], seen))
    length = out * samples
    column = size * channels * length
    tiles = columns.as_strided(
        (kernel.places(width) // tile, kernel.seen(tile) * size * channels, length),
        (kernel.stride * tile * column, length, 1),
    )
    for of_model in stored:
        for target, seen in targets:
            target.copy_(of_model[:, :, seen])
        yield tiles


def _bands(weights: Tensor, kernel: Kernel, tile: int) -> Tensor:
    """Weights [M, O, C, k, k] as matrices [M, t O, d k C] that give a tile of outputs at once."""
    models, channels, inputs, size, _ = weights.shape
    if tile == 1:
        return weights.permute(0, 1, 4, 3, 2).flatten(2)
    bands = weights.new_zeros(models, tile, channels, kernel.seen(tile), size, inputs)
    ordered = weights.permute(0, 4, 1, 3, 2)[:, None]
    _diagonal(bands, kernel).copy_(ordered)
    return bands.view(models, tile * channels, -1)


def _diagonal(bands: Tensor, kernel: Kernel) -> Tensor:
    """The places of a kernel in bands [M, t, O, d, kh, C]: a view [M, t, kw, O, kh, C]."""
    models, tile, channels, _, size, inputs = bands.shape
    model, column, channel, seen, row, one = bands.stride()
    return bands.as_strided(
        (models, tile, size, channels, size, inputs),
        (model, column + kernel.stride * seen, seen, channel, row, one),
    )
