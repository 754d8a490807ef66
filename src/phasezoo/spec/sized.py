"""What the specs of all network families share: one size, that a load axis may set."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from phasezoo.spec.base import PositiveInt, Spec, refused
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


class Transformer(Sized):
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
