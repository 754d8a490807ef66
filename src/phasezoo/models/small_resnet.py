"""A residual network for small images."""

from __future__ import annotations

from phasezoo.models.resnet import ResNet


class SmallResNet(ResNet):
    """One basic block with batch norm per stage."""

    def __init__(self, shape: tuple[int, ...], classes: int, width: int, stages: int) -> None:
        super().__init__(shape, classes, width, (1,) * stages)
