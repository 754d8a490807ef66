"""RoBERTa as a classifier."""

from __future__ import annotations

from torch import Tensor, nn

from phasezoo.models.shapes import ArchitectureError, vector
from phasezoo.models.transformer import Attention, Perceptron

PADDING = 1  # the token after the end of a text; its position too
_EPSILON = 1e-5


class PostNormBlock(nn.Module):
    """Attention and a perceptron, each beside a shortcut and before a layer norm (post-LN)."""

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(dimension, heads, causal=False)
        self.norm1 = nn.LayerNorm(dimension, eps=_EPSILON)
        self.perceptron = Perceptron(dimension, "none")
        self.norm2 = nn.LayerNorm(dimension, eps=_EPSILON)

    def forward(self, inputs: Tensor, real: Tensor) -> Tensor:
        """Features [N, T, D] of inputs [N, T, D], those at places that are not `real` unused."""
        features: Tensor = self.norm1(inputs + self.attention(inputs, real))
        out: Tensor = self.norm2(features + self.perceptron(features))
        return out


class RoBERTa(nn.Module):
    """Tokens with learned positions, a norm, `depth` blocks and a head on the first token.

    That of Liu et al. 2019, without dropout and without the layer that its authors put before a
    head; positions are counted from two on, over the tokens that are no padding. The embedding of
    segments, of which there is one, is kept as a vector.

    Raises:
        ArchitectureError: the context is longer than there are positions.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, dimension: int, depth: int, heads: int,
        vocabulary: int, positions: int,
    ) -> None:  # fmt: skip
        super().__init__()
        context = vector("roberta", shape, "tokens [T]")
        if context + PADDING + 1 > positions:
            allowed = f"at least {context + PADDING + 1}, the context and two"
            raise ArchitectureError(f"roberta: got positions {positions}, allowed are {allowed}")
        self.tokens = nn.Embedding(vocabulary, dimension)
        self.positions = nn.Embedding(positions, dimension)
        self.segment = nn.Embedding(1, dimension)
        self.norm = nn.LayerNorm(dimension, eps=_EPSILON)
        self.blocks = nn.ModuleList(PostNormBlock(dimension, heads) for _ in range(depth))
        self.head = nn.Linear(dimension, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of tokens [N, T] int64, with `PADDING` after the end of each text."""
        real = inputs != PADDING  # [N, T]
        place = real.cumsum(dim=1) * real + PADDING
        embedded = self.tokens(inputs) + self.positions(place) + self.segment.weight[0]
        features = self.norm(embedded)  # [N, T, D]
        for block in self.blocks:
            features = block(features, real)
        logits: Tensor = self.head(features[:, 0])
        return logits
