"""The exact trace of the Hessian of networks that are linear between kinks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phasezoo.landscape.estimate import Estimate
from phasezoo.landscape.layers import is_known, taps, with_parameters
from phasezoo.landscape.network import Network
from phasezoo.landscape.stack import Stack
from phasezoo.landscape.trace import Trace

_BILINEAR = {
    *("AddmmBackward0", "MmBackward0", "ConvolutionBackward0"),
    # fixed batch norm: on the CPU, and as GPUs of either make compute it
    *(f"{kind}BatchNormBackward0" for kind in ("Native", "Cudnn", "Miopen")),
}
_PARAMETER = "torch::autograd::AccumulateGrad"
_LINEAR_BETWEEN_KINKS = {
    _PARAMETER,
    *(f"{name}Backward0" for name in ("T", "Relu", "LeakyRelu", "Threshold", "Add", "Sub", "Neg")),
    *(f"{name}Backward0" for name in ("View", "UnsafeView", "Reshape", "ReshapeAlias", "Clone")),
    *(f"{name}Backward0" for name in ("Permute", "Transpose", "Squeeze", "Unsqueeze", "Mean")),
    *(f"{name}Backward0" for name in ("Cat", "Slice", "Expand", "Sum", "AvgPool2D")),
    *("MeanBackward1", "SumBackward1", "SqueezeBackward1", "AdaptiveAvgPool2DBackward0"),
    "MaxPool2DWithIndicesBackward0",
}


def is_linear_between_kinks(network: Network, inputs: Tensor) -> bool:
    """Whether the logits are piecewise linear in each single parameter.

    True where every parameter belongs to one linear, convolution or fixed batch norm layer that
    is used once, and all else in the graph of the logits is piecewise linear: then no product of
    a parameter with itself occurs. Read from the graph of one sample, not from the class.

    Args:
        network: in evaluation mode.
        inputs: [N, ...], of which one is used.
    """
    if not network.objective.classifies:
        return False
    layers = with_parameters(network.module)
    shared = len(list(network.module.named_parameters(remove_duplicate=False)))
    if not all(map(is_known, layers)) or shared != len(network.parameters.slots):
        return False
    dtype = next(network.module.parameters()).dtype
    ranks: list[int] = []
    hooks = [m.register_forward_hook(lambda _m, i, _o: ranks.append(i[0].ndim)) for m in layers]
    try:
        with torch.enable_grad():
            nodes, uses = _nodes(network.module(inputs[:1].to(dtype)))
    finally:
        for hook in hooks:
            hook.remove()
    expected = [2 if isinstance(layer, nn.Linear) else 4 for layer in layers]
    bilinear = sum(name in _BILINEAR for name in nodes)
    known = set(nodes) <= _BILINEAR | _LINEAR_BETWEEN_KINKS
    once = len(uses) == len(set(uses)) == len(network.parameters.slots)
    return known and once and bilinear == len(layers) and sorted(ranks) == sorted(expected)


def _nodes(output: Tensor) -> tuple[list[str], list[object]]:
    """Names of the nodes of a graph, and the parameters at its ends, once for each use."""
    seen, names, waiting = set(), [], [output.grad_fn]
    uses: list[object] = []
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            names.append(node.name())
            before = [other for other, _ in node.next_functions if other is not None]
            uses += [other for other in before if other.name() == _PARAMETER]
            waiting.extend(before)
    return names, uses


@torch.no_grad()
def exact_trace(model: Stack, inputs: Tensor, limit: int) -> Trace:
    """tr(H) of the mean cross-entropy, of a network that is linear between its kinks.

    H = G + sum_k r_k d2 z_k / d theta2 with logits z. The second term has a zero diagonal where
    each z_k is piecewise linear in each parameter, so tr(H) is the trace of the Gauss-Newton
    matrix (Schraudolph 2002), and that is a sum of squares,
    1/N sum_n sum_c p_c |J_n^T (e_c - p)|^2, with p the softmax of sample n (independent of its
    label): a backward pass for each class c and no random numbers. Never negative.

    Args:
        model: a stack of one.
        inputs: [N, ...].
        limit: bytes that layers' inputs and outputs may take.
    """
    few = inputs[:1]
    with taps(model.network.module) as found:
        model.network.apply(model.parameters[0], model.buffers[0], few)
    width = sum(output.numel() for output, _ in found)
    chunk = max(1, limit // (_COPIES * width * inputs.element_size()))
    total = sum(_sum_of_squares(model, part) for part in inputs.split(chunk))
    value = total / len(inputs)
    return Trace(Estimate(value, 0.0 if value == value else value), value == value, probes=0)


_COPIES = 24  # of the outputs: their gradients, patches of 3 x 3 of the inputs, what is in work


def _sum_of_squares(model: Stack, inputs: Tensor) -> float:
    """Sum over samples and classes of p_c |J^T (e_c - p)|^2."""
    with torch.enable_grad(), taps(model.network.module) as found:
        logits = model.network.apply(model.parameters[0].detach(), model.buffers[0], inputs)
    p = logits.detach().double().softmax(1)  # [n, K]
    outputs = [output for output, _ in found]
    total = torch.zeros(len(inputs), dtype=torch.float64, device=p.device)
    for c, unit in enumerate(torch.eye(p.shape[1], dtype=p.dtype, device=p.device)):
        side = (p[:, c, None].sqrt() * (unit - p)).to(logits.dtype)
        gradients = torch.autograd.grad(logits, outputs, side, retain_graph=True)
        for gradient, (_, squared) in zip(gradients, found, strict=True):
            total += squared(gradient)
    return float(total.sum().item())
