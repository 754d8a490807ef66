"""Residual blocks."""

from __future__ import annotations

from torch import Tensor, nn

from phasezoo.models.norms import Kind, norm_of


def shortcut_of(
    channels_in: int, channels: int, stride: int, norm: Kind = "batch", size: int = 1
) -> nn.Module:
    """The identity, or a `size` x `size` convolution and a norm where the shape changes."""
    if stride == 1 and channels_in == channels:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, size, stride, padding=size // 2, bias=False),
        norm_of(norm, channels),
    )


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with norms beside a shortcut."""

    def __init__(
        self, channels_in: int, channels: int, stride: int, norm: Kind = "batch", shortcut: int = 1
    ) -> None:
        super().__init__()
        self.channels_out = channels
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.norm1 = norm_of(norm, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, padding=1, bias=False)
        self.norm2 = norm_of(norm, channels)
        self.shortcut = shortcut_of(channels_in, channels, stride, norm, shortcut)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, channels, H / stride, W / stride] of inputs [N, channels_in, H, W]."""
        features = self.norm1(self.conv1(inputs)).relu()
        features = self.norm2(self.conv2(features))
        out: Tensor = (features + self.shortcut(inputs)).relu()
        return out


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolutions with batch norms beside a shortcut.

    The stride is that of the 3 x 3 convolution, as in torchvision (ResNet v1.5).
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        out = self.channels_out = 4 * channels
        self.conv1 = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(out)
        self.shortcut = shortcut_of(channels_in, out, stride)

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, 4 channels, H / stride, W / stride] of inputs [N, channels_in, H, W]."""
        features = self.norm1(self.conv1(inputs)).relu()
        features = self.norm2(self.conv2(features)).relu()
        features = self.norm3(self.conv3(features))
        out: Tensor = (features + self.shortcut(inputs)).relu()
        return out
