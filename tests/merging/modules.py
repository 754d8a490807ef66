"""Modules as users write them, each with symmetries that can be counted by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Heads from one fused product or from three; fewer heads of keys and values if so wished."""

    def __init__(self, order: str, heads: int = 3, shared: int = 1, rotated: bool = False) -> None:
        super().__init__()
        self.order, self.heads, self.size, self.shared = order, heads, 4, shared
        inner, kept = heads * self.size, heads * self.size // shared
        self.inputs = nn.Linear(5, inner + 2 * kept)
        self.queries = nn.Linear(5, inner)
        self.keys = nn.Linear(5, kept)
        self.values = nn.Linear(5, kept)
        self.out = nn.Linear(inner, 5)
        self.rotated = rotated
        self.register_buffer("angles", torch.randn(7, self.size // 2), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        n, tokens, _ = inputs.shape
        match self.order:
            case "3hd":
                fused = self.inputs(inputs).reshape(n, tokens, 3, self.heads, -1)
                q, k, v = fused.permute(2, 0, 3, 1, 4)
            case "h3d":
                fused = self.inputs(inputs).view(n, tokens, self.heads, 3 * self.size)
                q, k, v = (part.transpose(1, 2) for part in fused.chunk(3, dim=-1))
            case "split":
                width = self.heads * self.size
                parts = self.inputs(inputs).split([width, *[width // self.shared] * 2], dim=2)
                q, k, v = (p.view(n, tokens, -1, self.size).transpose(1, 2) for p in parts)
            case _:
                parts = (self.queries(inputs), self.keys(inputs), self.values(inputs))
                q, k, v = (p.view(n, tokens, -1, self.size).transpose(1, 2) for p in parts)
        if self.rotated:
            q, k = self.turned(q), self.turned(k)
        k, v = (t.repeat_interleave(self.shared, dim=1) for t in (k, v))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = inputs + self.out(mixed.transpose(1, 2).reshape(n, tokens, -1))
        return out.mean(1)

    def turned(self, features: Tensor) -> Tensor:
        first, second = features.chunk(2, dim=-1)
        cos, sin = self.angles.cos(), self.angles.sin()
        return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class Gated(nn.Module):
    """A perceptron whose gates and units come from one product."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.out = nn.Linear(5, 14), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        gate, units = self.inputs(inputs).chunk(2, dim=-1)
        out: Tensor = self.out(functional.silu(gate) * units)
        return out


class Dense(nn.Module):
    """Features of all layers before are concatenated; then all of them are normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8 * 2 * 2, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        one = self.first(inputs).relu()
        both = self.norm(torch.cat([one, self.second(one).relu()], dim=1))
        out: Tensor = self.head(functional.adaptive_avg_pool2d(both, 2).flatten(1))
        return out


class Grouped(nn.Module):
    """Depth-wise and grouped convolutions, and a norm over groups of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 1)
        self.depthwise = nn.Conv2d(6, 6, 3, groups=6)
        self.grouped = nn.Conv2d(6, 9, 1, groups=3)
        self.norm = nn.GroupNorm(3, 9)
        self.head = nn.Linear(9, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.depthwise(self.stem(inputs)).relu()
        out: Tensor = self.head(self.norm(self.grouped(features)).relu().mean((2, 3)))
        return out


class Experts(nn.Module):
    """Perceptrons beside each other, mixed by a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(5, 4)
        self.up, self.down = nn.Parameter(torch.randn(4, 7, 5)), nn.Parameter(torch.randn(4, 3, 7))

    def forward(self, inputs: Tensor) -> Tensor:
        share = self.router(inputs).softmax(-1)
        hidden = torch.einsum("efi,ni->nef", self.up, inputs).relu()
        return torch.einsum("eof,nef,ne->no", self.down, hidden, share)


class Recurrent(nn.Module):
    """Gates over time, and a reading of the last state."""

    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.cells, self.head = kind(5, 7, batch_first=True), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.head(self.cells(inputs)[0][:, -1])
        return out


class Table(nn.Module):
    """Learned positions, of which an example may use but the first."""

    def __init__(self) -> None:
        super().__init__()
        self.positions, self.head = nn.Parameter(torch.randn(11, 5)), nn.Linear(5, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        out: Tensor = self.head((inputs + self.positions[: inputs.shape[1]]).relu()).mean(1)
        return out


class Ordered(nn.Module):
    """Hidden units of which an operation sees the order."""

    def __init__(self, operation: object) -> None:
        super().__init__()
        self.operation = operation
        self.first, self.second, self.head = nn.Linear(5, 6), nn.Linear(6, 7), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.operation(self.first(inputs).relu())  # type: ignore[operator]
        out: Tensor = self.head(self.second(features).relu())
        return out


class Stream(nn.Module):
    """A square matrix from a residual stream to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.square, self.head = nn.Linear(5, 7), nn.Linear(7, 7), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        stream = self.inputs(inputs)
        out: Tensor = self.head(stream + self.square(stream).tanh())
        return out


class Shuffled(nn.Module):
    """Groups of channels dealt out as cards are."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, 1)
        self.second = nn.Conv2d(6, 6, 1, groups=2)
        self.third = nn.Conv2d(6, 6, 1, groups=2)
        self.head = nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        features = functional.channel_shuffle(self.second(self.first(inputs)).relu(), 2)
        out: Tensor = self.head(self.third(features).relu().mean((2, 3)))
        return out


class Written(nn.Module):
    """Writes into tensors that it made, in one place by number, and works in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(5, 7), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        features = self.first(inputs).float().softmax(-1, dtype=torch.float32)
        kept = torch.zeros(len(inputs), 9)
        kept[:, :7] = features
        kept[:, 2] += 1
        return {"out": self.head(kept[:, :7].to(inputs)), "norm": kept.norm(dim=1)}


class Strided(nn.Module):
    """Pools channels that lie last in memory, where torch gives the result strides of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(2, 7, 3), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.first(inputs).permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2)
        out: Tensor = self.head(functional.adaptive_avg_pool2d(features, 1).flatten(1))
        return out
