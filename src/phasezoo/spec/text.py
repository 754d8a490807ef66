"""Spec of language data sets: windows of a text, and on which side its documents lie."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from phasezoo.spec.base import NonNegativeInt, PositiveInt, Spec, refused
from phasezoo.spec.web import Sha256, WebAddress

OPENWEBTEXT_URL = "https://zenodo.org/record/3834942/files/openwebtext.tar.xz"
OPENWEBTEXT_SHA256 = "9fe39d154c5bc67da8c359415372b79510eb1e2edb0d035fe4f7fc3a732b9336"
GPT2_VOCABULARY = 50_257  # 256 bytes, 50,000 merges and an end of text (Radford et al. 2019)
OPENWEBTEXT_TOKENS = 9_040_017_095  # with GPT-2's vocabulary, an end after each document

Count = Annotated[PositiveInt, Field(le=10**9)]  # numbers of windows have 32 bits


class Windows(Spec):
    """What all language data sets have: windows of `context` + 1 tokens, and a split.

    The side of a document follows from the text and `split_seed` alone, neither from `context`
    nor from how many windows are asked for: what two data sets of one `split_seed` test on, none
    of them has trained on.
    """

    kind: ClassVar[str] = "text"

    source: str
    recipe: PositiveInt
    context: Annotated[PositiveInt, Field(le=2**16)]  # tokens that a model sees; one more is stored
    train: Annotated[Count, Field(ge=2)]  # windows
    test: Count  # windows
    split_seed: NonNegativeInt
    keep: Annotated[PositiveInt, Field(ge=2)] | None = None  # some training windows; None keeps all

    @model_validator(mode="after")
    def _keep_fits(self) -> Self:
        if self.keep is not None and self.keep > self.train:
            raise refused("keep", self.keep, f"at most {self.train}, the training windows; or null")
        return self

    @property
    def training_samples(self) -> int:
        """Number of training windows."""
        return self.keep or self.train

    @property
    def length(self) -> int:
        """Tokens of a window: `context` inputs and, one place later, as many targets."""
        return self.context + 1

    @property
    def division(self) -> tuple[int, ...]:
        """What the side of a document depends on."""
        return (self.split_seed,)

    @property
    def origin(self) -> str:
        """Names the text: equal for two data sets that are made of the same one."""
        return self.source


class Pydoc(Windows):
    """The documentation of the Python that runs, byte by byte.

    Each release of Python has its own. With `sha256` no other than that one is used.
    """

    source: Literal["pydoc"]
    sha256: Sha256 | None = None


class OpenWebText(Windows):
    """The web pages of OpenWebText, or of an archive of the same form, as tokens of GPT-2."""

    source: Literal["openwebtext"]
    url: WebAddress = OPENWEBTEXT_URL
    sha256: Sha256 = OPENWEBTEXT_SHA256

    @model_validator(mode="after")
    def _are_there(self) -> Self:
        most = OPENWEBTEXT_TOKENS // self.length - self.test
        if self.published and self.train > most:
            tokens = f"{OPENWEBTEXT_TOKENS:,} tokens of the corpus"
            allowed = (
                f"at most {max(most, 0)} beside test: windows of {self.length} of the {tokens}"
            )
            raise refused("train", self.train, allowed)
        return self

    @property
    def published(self) -> bool:
        """Whether it is the archive that the authors released."""
        return self.sha256 == OPENWEBTEXT_SHA256

    @property
    def origin(self) -> str:
        """The checksum, because one archive may have two addresses."""
        return f"{self.source} {self.sha256}"


TextSpec = Pydoc | OpenWebText
