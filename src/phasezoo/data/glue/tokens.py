"""The byte-pair encoding of RoBERTa, from its two pinned files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phasezoo.data.extra import extra
from phasezoo.data.vision.files import File, bring
from phasezoo.spec.language_models import ROBERTA_FILES

START, PADDING, END = "<s>", "<pad>", "</s>"

# The merges are those of GPT-2 to the byte; the numbers of tokens are other ones.
SYMBOLS = File(
    "vocab.json",
    898_823,
    "9e7f63c2d15d666b52e21d250d2e513b87c9b713cfa6987a82ed89e5e6e50655",
    (f"{ROBERTA_FILES}/",),
)
MERGES = File(
    "merges.txt",
    456_318,
    "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    (f"{ROBERTA_FILES}/",),
)


@dataclass(frozen=True)
class Encoding:
    """Text to tokens of RoBERTa.

    Attributes:
        tokenizer: of the package `tokenizers`.
    """

    tokenizer: Any

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def end(self) -> int:
        """The token that ends each text."""
        return int(self.tokenizer.token_to_id(END))

    def __call__(self, texts: Sequence[tuple[str, ...]], context: int) -> NDArray[np.uint16]:
        """Tokens [text, context] of texts and pairs.

        A text becomes `<s> text </s>`, a pair `<s> first </s> </s> second </s>`; of what is longer
        than the context, the longer text is cut; what is shorter is filled with `<pad>`.
        """
        self.tokenizer.enable_truncation(context, strategy="longest_first")
        padding = self.tokenizer.token_to_id(PADDING)
        self.tokenizer.enable_padding(length=context, pad_id=padding, pad_token=PADDING)
        given = [text if len(text) > 1 else text[0] for text in texts]
        return np.array([e.ids for e in self.tokenizer.encode_batch(given)], dtype=np.uint16)


def roberta_encoding(folder: Path, symbols: File = SYMBOLS, merges: File = MERGES) -> Encoding:
    """The encoding, from files that are downloaded unless they are kept.

    Args:
        folder: where files are kept.
        symbols: the number of each token.
        merges: pairs that are joined, in their order.

    Raises:
        ExtraError: `tokenizers` is not installed.
        DownloadError: a file cannot be had.
    """
    package = extra("tokenizers", "glue")
    processors = extra("tokenizers.processors", "glue")
    found = bring("roberta", (symbols, merges), folder)
    paths = (str(found[symbols.name]), str(found[merges.name]))
    tokenizer = package.ByteLevelBPETokenizer(*paths)
    ends = ((END, tokenizer.token_to_id(END)), (START, tokenizer.token_to_id(START)))
    tokenizer._tokenizer.post_processor = processors.RobertaProcessing(*ends)
    return Encoding(tokenizer)
