"""GPT-2, and GPT-2 as a classifier."""

from __future__ import annotations

from torch import Tensor, nn

from phasezoo.models.shapes import vector
from phasezoo.models.transformer import Block


class _Decoder(nn.Module):
    """Tokens with learned positions, `depth` causal blocks and a norm (Radford et al. 2019)."""

    def __init__(
        self, name: str, shape: tuple[int, ...], vocabulary: int, dimension: int, depth: int,
        heads: int,
    ) -> None:  # fmt: skip
        super().__init__()
        context = vector(name, shape, "tokens [T]")
        self.tokens = nn.Embedding(vocabulary, dimension)
        self.positions = nn.Embedding(context, dimension)
        self.blocks = nn.ModuleList(
            Block(dimension, heads, causal=True, gelu="tanh", epsilon=1e-5) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dimension)

    def features(self, inputs: Tensor) -> Tensor:
        """Features [N, T, D] of tokens [N, T] int64; T is the context or less."""
        features: Tensor = self.tokens(inputs) + self.positions.weight[: inputs.shape[1]]
        for block in self.blocks:
            features = block(features)
        out: Tensor = self.norm(features)
        return out


class GPT2(_Decoder):
    """A decoder with a head that predicts the next token.

    The weights of the head are the embeddings of the tokens (Radford et al. 2019).
    """

    def __init__(
        self, shape: tuple[int, ...], vocabulary: int, dimension: int, depth: int, heads: int
    ) -> None:
        super().__init__("gpt-2", shape, vocabulary, dimension, depth, heads)
        self.head = nn.Linear(dimension, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, T, V] of tokens [N, T] int64; T is the context or less."""
        logits: Tensor = self.head(self.features(inputs))
        return logits


class GPT2Classifier(_Decoder):
    """The same decoder with a head of its own on the last position, which sees all others.

    Its tensors but those of the head have the names and shapes of `GPT2`'s, so that it can begin
    from one.
    """

    def __init__(
        self, shape: tuple[int, ...], classes: int, dimension: int, depth: int, heads: int,
        vocabulary: int,
    ) -> None:  # fmt: skip
        super().__init__("gpt-2-classifier", shape, vocabulary, dimension, depth, heads)
        self.head = nn.Linear(dimension, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, classes] of tokens [N, T] int64; T is the context or less."""
        logits: Tensor = self.head(self.features(inputs)[:, -1])
        return logits
