"""GPT-2."""

from __future__ import annotations

from torch import Tensor, nn

from phasezoo.models.shapes import vector
from phasezoo.models.transformer import Block


class GPT2(nn.Module):
    """Tokens with learned positions, `depth` causal blocks, a norm and a head.

    The weights of the head are the embeddings of the tokens (Radford et al. 2019).
    """

    def __init__(
        self, shape: tuple[int, ...], vocabulary: int, dimension: int, depth: int, heads: int
    ) -> None:
        super().__init__()
        context = vector("gpt-2", shape, "tokens [T]")
        self.tokens = nn.Embedding(vocabulary, dimension)
        self.positions = nn.Embedding(context, dimension)
        self.blocks = nn.ModuleList(
            Block(dimension, heads, causal=True, gelu="tanh", epsilon=1e-5) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(dimension)
        self.head = nn.Linear(dimension, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [N, T, V] of tokens [N, T] int64; T is the context or less."""
        features = self.tokens(inputs) + self.positions.weight[: inputs.shape[1]]  # [N, T, D]
        for block in self.blocks:
            features = block(features)
        logits: Tensor = self.head(self.norm(features))
        return logits
