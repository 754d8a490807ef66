"""A residual network for small images."""

from __future__ import annotations

from torch import Tensor, nn


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm, and a 1 x 1 projection where the shape changes."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [N, channels, H / stride, W / stride] of inputs [N, channels_in, H, W]."""
        features = self.norm1(self.conv1(inputs)).relu()
        features = self.norm2(self.conv2(features))
        out: Tensor = (features + self.shortcut(inputs)).relu()
        return out


class SmallResNet(nn.Module):
    """A 3 x 3 stem, one basic block per stage (w, 2w, 4w, ... channels), pooling, linear head."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, stages: int) -> None:
        super().__init__()
        channels = [width * 2**stage for stage in range(stages)]
        self.stem = nn.Conv2d(shape[0], width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.ModuleList(
            BasicBlock(channels[max(0, stage - 1)], channels[stage], stride=2 if stage else 1)
            for stage in range(stages)
        )
        self.head = nn.Linear(channels[-1], classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of inputs [N, C, H, W]."""
        features = self.norm(self.stem(inputs)).relu()
        for block in self.blocks:
            features = block(features)
        logits: Tensor = self.head(features.mean(dim=(2, 3)))
        return logits
