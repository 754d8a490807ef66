"""Spec of network families, without the hyperparameters that the axes set."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from phasezoo.spec.base import PositiveInt, Spec, refused
from phasezoo.spec.labelled_text import LABELLED_TEXT
from phasezoo.vocabulary import Number


class Sized(Spec):
    """A family with one size: the field `size_name`, None where the load axis sets it."""

    size_name: ClassVar[str] = "width"
    takes: ClassVar[str] = "images"  # the kind of data sets it is for

    @property
    def size(self) -> int | None:
        """The size, where no axis sets it."""
        return getattr(self, self.size_name)  # type: ignore[no-any-return]

    def at(self, hyperparameter: str, load: Number) -> Self:
        """The architecture at one load.

        A load that is no size, such as a coefficient of an equation, leaves it as it is.
        """
        if hyperparameter != self.size_name:
            return self
        return self.model_copy(update={hyperparameter: load})

    def refusal(self, size: int) -> str | None:
        """What a size must be instead, if it cannot be `size`."""
        return None

    @model_validator(mode="after")
    def _size_fits(self) -> Self:
        if self.size is not None and (allowed := self.refusal(self.size)):
            raise refused(self.size_name, self.size, allowed)
        return self


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


class _Transformer(Sized):
    """Blocks of attention and a perceptron; the size is shared out among heads."""

    depth: PositiveInt  # blocks
    heads: PositiveInt

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared."""
        return (*(f"blocks.{i}" for i in range(self.depth)), "norm", "head")

    def refusal(self, size: int) -> str | None:
        """Each head has size / heads dimensions."""
        return f"multiples of {self.heads}, the heads" if size % self.heads else None


class Vit(_Transformer):
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


class Gpt2(_Transformer):
    """GPT-2; context and vocabulary are those of the data.

    Depth, heads and dimensions of the zoo paper are not published. This project's choice is depth
    12 and 12 heads, those of GPT-2 small, and the 11 dimensions 72, 96, 144, 192, 288, 384, 576,
    768, 1152, 1536, 2304: all are multiples of 12, 768 is GPT-2 small, and with 50,257 tokens and
    a context of 1,024 the largest has 883 million parameters, near the 900 million that the paper
    names; 11 dimensions x 8 batch sizes x 3 seeds are its 264 models.
    """

    takes: ClassVar[str] = "text"
    size_name: ClassVar[str] = "model_dim"
    name: Literal["gpt-2"]
    model_dim: PositiveInt | None = None


class Gpt2Classifier(_Transformer):
    """GPT-2 with a head of classes on the mean over positions; the context is that of the data.

    Its body has the tensors of `gpt-2` by name, so that a model of that kind can be its start.
    """

    takes: ClassVar[str] = LABELLED_TEXT
    size_name: ClassVar[str] = "model_dim"
    name: Literal["gpt-2-classifier"]
    vocabulary: PositiveInt  # tokens of the data
    model_dim: PositiveInt | None = None


_Any = Mlp | Pinn | SmallResNet | ResNet | ResNet20 | Vgg | Vit | Gpt2 | Gpt2Classifier
Architecture = Annotated[_Any, Field(discriminator="name")]

KINDS: tuple[type[Sized], ...] = get_args(_Any)
SIZES = frozenset(kind.size_name for kind in KINDS)  # loads that architectures have


def _names(kind: type[Sized]) -> tuple[str, ...]:
    return get_args(kind.model_fields["name"].annotation)


TAKES = {name: kind.takes for kind in KINDS for name in _names(kind)}  # the kind of their data
