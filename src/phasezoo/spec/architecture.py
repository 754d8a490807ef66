"""Spec of network families, without the hyperparameters that the axes set."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field

from phasezoo.spec.base import PositiveInt
from phasezoo.spec.language_models import Gpt2 as Gpt2
from phasezoo.spec.language_models import Gpt2Classifier as Gpt2Classifier
from phasezoo.spec.language_models import Roberta as Roberta
from phasezoo.spec.sized import Sized, Transformer


class Mlp(Sized):
    """Fully connected: `hidden_layers` layers of `width` units, ReLU, no normalisation."""

    name: Literal["mlp"]
    hidden_layers: PositiveInt
    width: PositiveInt | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; the hidden ones before ReLU."""
        return (*(f"hidden.{i}" for i in range(self.hidden_layers)), "head")


class Pinn(Sized):
    """Physics-informed network u(x, t): `hidden_layers` layers of `width` units, tanh.

    That of the convection study (Krishnapriyan et al. 2021) has 4 layers of 50 units.
    """

    takes: ClassVar[str] = "points"
    name: Literal["pinn"]
    hidden_layers: PositiveInt
    width: PositiveInt | None = None
    initial: Literal["torch", "xavier"] = "torch"  # the study's code leaves it to torch

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; the hidden ones before tanh."""
        return (*(f"hidden.{i}" for i in range(self.hidden_layers)), "head")


class SmallResNet(Sized):
    """Residual network for small images: one basic block per stage, channels double per stage."""

    name: Literal["small-resnet"]
    stages: Annotated[PositiveInt, Field(le=4)]
    width: PositiveInt | None = None  # channels of the first stage

    @property
    def blocks(self) -> tuple[int, ...]:
        """Residual blocks of each stage."""
        return (1,) * self.stages

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; `norm` is the stem before ReLU."""
        return _residual_layers(self.blocks)


class ResNet(Sized):
    """The residual networks of the zoo paper: stages of w, 2w, 4w, 8w channels; w = 64 is usual.

    The stem is one 3 x 3 convolution of stride 1, without pooling; ResNet-50 has bottlenecks.
    """

    name: Literal["resnet-18", "resnet-50"]
    width: PositiveInt | None = None  # w

    @property
    def blocks(self) -> tuple[int, ...]:
        """Residual blocks of each stage (He et al. 2016, table 1)."""
        return (2, 2, 2, 2) if self.name == "resnet-18" else (3, 4, 6, 3)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; `norm` is the stem before ReLU."""
        return _residual_layers(self.blocks)


class ResNet20(Sized):
    """The residual network of merging studies: stages of w, 2w, 4w channels; w = 16 is 1x."""

    name: Literal["resnet-20"]
    norm: Literal["batch", "layer"]  # layer: over the channels of a pixel, as in Git Re-Basin
    width: PositiveInt | None = None  # w

    @property
    def blocks(self) -> tuple[int, ...]:
        """Residual blocks of each stage."""
        return (3, 3, 3)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; `norm` is the stem before ReLU."""
        return _residual_layers(self.blocks)


def _residual_layers(blocks: tuple[int, ...]) -> tuple[str, ...]:
    return ("norm", *(f"blocks.{i}" for i in range(sum(blocks))), "head")


class Vgg(Sized):
    """VGG for images from 32 x 32 on: stages of w, 2w, 4w, 8w, 8w channels; w = 64 is 1x."""

    name: Literal["vgg-11", "vgg-16"]
    norm: Literal["none", "batch", "layer"]  # layer: over the channels of a pixel
    width: PositiveInt | None = None  # w

    @property
    def convolutions(self) -> tuple[int, ...]:
        """Convolutions of each stage (Simonyan and Zisserman 2015, table 1, A and D)."""
        return (1, 1, 2, 2, 2) if self.name == "vgg-11" else (2, 2, 3, 3, 3)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared; `hidden` ones before ReLU."""
        blocks = (f"blocks.{i}" for i in range(sum(self.convolutions)))
        return (*blocks, "hidden.0", "hidden.1", "head")


class Vit(Transformer):
    """Vision transformer.

    Depth, heads and patch size of the zoo paper are not published. Its largest dimension, 192, is
    that of ViT-Ti with depth 12 and 3 heads (Touvron et al. 2021, table 1), and 3 divides all of
    6, 12, 24, 48, 60, 96 and 192; with patches of 4, images of 32 x 32 become 64 tokens. These
    three numbers are this project's choice.
    """

    size_name: ClassVar[str] = "embedding_dim"
    name: Literal["vit"]
    patch_size: PositiveInt  # a divisor of the sides of the images
    embedding_dim: PositiveInt | None = None


_Any = Mlp | Pinn | SmallResNet | ResNet | ResNet20 | Vgg | Vit | Gpt2 | Gpt2Classifier | Roberta
Architecture = Annotated[_Any, Field(discriminator="name")]

KINDS: tuple[type[Sized], ...] = get_args(_Any)
SIZES = frozenset(kind.size_name for kind in KINDS)  # loads that architectures have


def _names(kind: type[Sized]) -> tuple[str, ...]:
    return get_args(kind.model_fields["name"].annotation)


TAKES = {name: kind.takes for kind in KINDS for name in _names(kind)}  # the kind of their data
