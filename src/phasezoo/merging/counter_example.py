"""Two networks of equal function that no permutation of units connects linearly."""

from __future__ import annotations

import torch
from torch import Tensor

from phasezoo.models.build import build
from phasezoo.models.flat import Weights, parameter_layout
from phasezoo.spec.architecture import Mlp

ARCHITECTURE = Mlp(name="mlp", hidden_layers=2, width=2)
_CLASSES = 2


def counter_example(margin: float = 0.005, height: float = 20.0) -> tuple[Weights, Weights]:
    """Weights of `ARCHITECTURE` for points of [-1, 1]^2, two networks that err nowhere.

    The class y = 1[x1 < 0 and x2 > 0] (`source: quadrant`) is the sign of m = min(a, b) with
    a = -x1 and b = x2, for m = a - max(a - b, 0) = b - max(b - a, 0). The first network has the
    first form in its first layer, u = (1 + a, relu(a - b)), where 1 + a is never negative, so that
    m = u1 - u2 - 1; the second has the other, with a and b exchanged. Two units of the second
    layer, relu(m / (2 d) + 1/2) and relu(m / (2 d) - 1/2), differ by a step from 0 to 1 at m = 0,
    which is exactly 0 or 1 where |m| >= d, the margin. The logits are -h (step - 1/2) and
    h (step - 1/2): they have the sign of the class everywhere and differ by the height h outside
    the margin, where the cross-entropy is log(1 + exp(-h)).

    The same functions at both ends, computed otherwise: halfway between them m is (a + b) / 2 or
    -1 as the first layer is permuted, and the logits are constant if the second is (in the spirit
    of Ainsworth et al. 2023, appendix A.6; the weights are this project's).

    Args:
        margin: d, of |min(-x1, x2)|, half the width of the slope.
        height: h, of the logits.
    """
    a, b = torch.tensor([-1.0, 0.0]), torch.tensor([0.0, 1.0])
    return _computed(a, b, margin, height), _computed(b, a, margin, height)


def _computed(a: Tensor, b: Tensor, margin: float, height: float) -> Weights:
    """The weights with min(a, b) as a - max(a - b, 0); `a` and `b` are rows of the input layer."""
    slope = 1 / (2 * margin)
    half = height / 2
    tensors = {
        "hidden.0.weight": torch.stack([a, a - b]),
        "hidden.0.bias": torch.tensor([1.0, 0.0]),
        "hidden.1.weight": slope * torch.tensor([[1.0, -1.0], [1.0, -1.0]]),
        "hidden.1.bias": torch.tensor([0.5 - slope, -0.5 - slope]),
        "head.weight": height * torch.tensor([[-1.0, 1.0], [1.0, -1.0]]),
        "head.bias": torch.tensor([half, -half]),
    }
    layout = parameter_layout(build(ARCHITECTURE, (2,), _CLASSES))
    return Weights(layout.flatten(tensors), torch.empty(0))
