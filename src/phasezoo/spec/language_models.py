"""Spec of networks that read tokens."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from phasezoo.spec.base import Absent, PositiveInt, Spec
from phasezoo.spec.labelled_text import LABELLED_TEXT
from phasezoo.spec.sized import Transformer
from phasezoo.spec.web import Sha256, WebAddress

# The files of roberta-base (Liu et al. 2019) at one revision of the collection they are kept in,
# with the checksums that it gives.
ROBERTA_FILES = (
    "https://huggingface.co/FacebookAI/roberta-base/resolve/"
    "e2da8e2f811d1448a5b465c236feacd80ffbac7b"
)
ROBERTA_SHA256 = "5bde1d28afb363d0103324efeb5afc8b2b397fe5e04beabb9b1ef355255ade81"
ROBERTA_VOCABULARY = 50_265  # that of GPT-2 in another order, with tokens for ends, gaps and masks


class Gpt2(Transformer):
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


class Gpt2Classifier(Transformer):
    """GPT-2 with a head of classes on the last position; the context is that of the data.

    Its body has the tensors of `gpt-2` by name, so that a model of that kind can be its start.
    """

    takes: ClassVar[str] = LABELLED_TEXT
    size_name: ClassVar[str] = "model_dim"
    name: Literal["gpt-2-classifier"]
    vocabulary: PositiveInt  # tokens of the data
    model_dim: PositiveInt | None = None


class Pretrained(Spec):
    """A file of weights (safetensors) in the names of RoBERTa's authors; roberta-base if none."""

    url: WebAddress = f"{ROBERTA_FILES}/model.safetensors"
    sha256: Sha256 = ROBERTA_SHA256


class Roberta(Transformer):
    """RoBERTa (Liu et al. 2019) with a head of classes on the first token; no dropout.

    roberta-base has depth 12, 12 heads and dimension 768. With `pretrained`, the body of every
    model begins as the file has it, and only the head is drawn.
    """

    takes: ClassVar[str] = LABELLED_TEXT
    size_name: ClassVar[str] = "model_dim"
    name: Literal["roberta"]
    vocabulary: PositiveInt = ROBERTA_VOCABULARY
    positions: Annotated[PositiveInt, Field(ge=3)] = 514  # two more than the longest text
    model_dim: PositiveInt | None = None
    pretrained: Pretrained | None = Absent

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the modules whose outputs can be compared."""
        return (*(f"blocks.{i}" for i in range(self.depth)), "head")
