"""VGG networks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from torch import Tensor, nn
from torch.nn import functional

from phasezoo.models.norms import Kind, norm_of
from phasezoo.models.shapes import image


class ConvBlock(nn.Module):
    """A 3 x 3 convolution with bias, a norm or none, and ReLU."""

    def __init__(self, channels_in: int, channels: int, norm: Kind) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, 3, padding=1)
        self.norm = norm_of(norm, channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, channels, H, W] of inputs [N, channels_in, H, W]."""
        out: Tensor = self.norm(self.conv(inputs)).relu()
        return out


class VGG(nn.Module):
    """Stages of w, 2w, 4w, 8w, 8w channels, each halved in size, two hidden layers and a head.

    The hidden layers have 8w units, as in the width study of Git Re-Basin (Ainsworth et al. 2023,
    cifar10_vgg_run.py), which puts 32 x 32 images through it: one pixel is left before them.
    Where larger images leave more, their mean is taken, so that permutations of channels stay
    symmetries.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        width: int,
        convolutions: Sequence[int],
        norm: Kind,
    ) -> None:
        super().__init__()
        sizes = [width * 2 ** min(stage, 3) for stage in range(len(convolutions))]
        channels = [n for n, count in zip(sizes, convolutions, strict=True) for _ in range(count)]
        ends = [image("vgg", shape, least=32)[0], *channels]
        self.blocks = nn.ModuleList(ConvBlock(a, b, norm) for a, b in pairwise(ends))
        self.hidden = nn.ModuleList(nn.Linear(channels[-1], channels[-1]) for _ in range(2))
        self.head = nn.Linear(channels[-1], classes)
        self.pooled_after = frozenset(accumulate(convolutions))  # so many blocks
        self.norm = norm

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of inputs [N, C, H, W]."""
        features = inputs
        for done, block in enumerate(self.blocks, start=1):
            features = block(features)
            if done in self.pooled_after:
                features = functional.max_pool2d(features, 2)
        features = features.mean(dim=(2, 3))  # [N, 8w]
        for layer in self.hidden:
            features = layer(features).relu()
        logits: Tensor = self.head(features)
        return logits
