"""Residual networks: a stem, stages of blocks, pooling and a head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from phasezoo.models.norms import Kind, norm_of
from phasezoo.models.residual import BasicBlock, Bottleneck
from phasezoo.models.shapes import image

Block = BasicBlock | Bottleneck
Make = Callable[[int, int, int], Block]  # from channels in, channels within and stride


class ResNet(nn.Module):
    """A 3 x 3 stem, stages of w, 2w, 4w, ... channels, mean over pixels, linear head.

    Every stage after the first begins with a block of stride 2. The widths of bottlenecks are
    those within: they put out four times as many channels.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int,
        width: int,
        blocks: Sequence[int],
        make: Make = BasicBlock,
        norm: Kind = "batch",
    ) -> None:
        super().__init__()
        stages = _stages(width, blocks, make)
        self.stem = nn.Conv2d(image("resnet", shape)[0], width, 3, padding=1, bias=False)
        self.norm = norm_of(norm, width)
        self.blocks = nn.ModuleList(stages)
        self.head = nn.Linear(stages[-1].channels_out, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of inputs [N, C, H, W]."""
        features = self.norm(self.stem(inputs)).relu()
        for block in self.blocks:
            features = block(features)
        logits: Tensor = self.head(features.mean(dim=(-2, -1)))
        return logits


def _stages(width: int, blocks: Sequence[int], make: Make) -> list[Block]:
    made: list[Block] = []
    before = width
    for stage, count in enumerate(blocks):
        for index in range(count):
            made.append(make(before, width * 2**stage, 2 if stage and not index else 1))
            before = made[-1].channels_out
    return made


class ResNet20(ResNet):
    """Three stages of three basic blocks; batch norm, or layer norm over channels.

    Shortcuts that change the shape are 3 x 3 convolutions with a norm, as in the code of Git
    Re-Basin (Ainsworth et al. 2023, resnet20.py), not the zero padding of He et al. 2016, which
    permutations of channels do not fit. Convolutions of stride 2 pad both sides.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, norm: Kind) -> None:
        make = partial(BasicBlock, norm=norm, shortcut=3)
        super().__init__(shape, classes, width, (3, 3, 3), make, norm)
