"""The permutation specs of some architectures, written out: what inference is held against.

A permutation is named after the layer whose outputs it orders. Permutations are not all that leaves
a network alone: units of tanh may also change their signs, going in and coming out. These are not
searched, so what is left between two aligned networks of equations is an upper bound of what no
symmetry explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from torch import nn

from phasezoo.merging.permutation.spec import AlignmentError, Axes, PermutationSpec
from phasezoo.models.mlp import MLP
from phasezoo.models.residual import Bottleneck
from phasezoo.models.resnet import Block, ResNet
from phasezoo.models.vgg import VGG, ConvBlock

Tensors = dict[str, Axes]


def permutation_spec(module: nn.Module) -> PermutationSpec:
    """The spec of a perceptron (`PINN` too), a residual network or a VGG; `infer` takes any module.

    Raises:
        AlignmentError: the module is none of these.
    """
    match module:
        case MLP():
            return PermutationSpec(_mlp(module))
        case ResNet():
            return PermutationSpec(_resnet(module))
        case VGG():
            return PermutationSpec(_vgg(module))
        case _:
            got = type(module).__name__
            raise AlignmentError(
                f"module: got {got}, allowed are MLP, ResNet, VGG; or infer its spec"
            )


def _mlp(module: MLP) -> Tensors:
    return _chain([f"hidden.{i}" for i in range(len(module.hidden))], None)


def _chain(hidden: Iterable[str], before: str | None) -> Tensors:
    """Hidden linear layers that follow each other, and the head."""
    axes: Tensors = {}
    for name in hidden:
        axes |= {f"{name}.weight": (name, before), f"{name}.bias": (name,)}
        before = name
    return {**axes, "head.weight": (None, before), "head.bias": (None,)}


def _vgg(module: VGG) -> Tensors:
    axes: Tensors = {}
    before = None
    for index, block in enumerate(cast("Iterable[ConvBlock]", module.blocks)):
        name = f"blocks.{index}"
        axes |= {f"{name}.conv.weight": (name, before, None, None), f"{name}.conv.bias": (name,)}
        axes |= _per_channel(f"{name}.norm", block.norm, name)
        before = name
    return axes | _chain([f"hidden.{i}" for i in range(len(module.hidden))], before)


def _resnet(module: ResNet) -> Tensors:
    """All that is added along a stage shares one permutation; each block has others within."""
    stream = "stem"
    axes: Tensors = {"stem.weight": (stream, None, None, None)}
    axes |= _per_channel("norm", module.norm, stream)
    for index, block in enumerate(cast("Iterable[Block]", module.blocks)):
        name = f"blocks.{index}"
        out = stream if isinstance(block.shortcut, nn.Identity) else name
        axes |= _block(name, block, stream, out)
        stream = out
    return axes | _chain([], stream)


def _block(name: str, block: Block, stream: str, out: str) -> Tensors:
    axes: Tensors = {}
    before, last = stream, 3 if isinstance(block, Bottleneck) else 2
    for i in range(1, last + 1):
        after = out if i == last else f"{name}.conv{i}"
        axes |= {f"{name}.conv{i}.weight": (after, before, None, None)}
        axes |= _per_channel(f"{name}.norm{i}", getattr(block, f"norm{i}"), after)
        before = after
    if isinstance(block.shortcut, nn.Sequential):
        axes |= {f"{name}.shortcut.0.weight": (out, stream, None, None)}
        axes |= _per_channel(f"{name}.shortcut.1", block.shortcut[1], out)
    return axes


def _per_channel(name: str, norm: nn.Module, permutation: str) -> Tensors:
    """Scales, shifts and statistics of a norm; counters have no axis."""
    return {f"{name}.{t}": (permutation,) for t, of in norm.state_dict().items() if of.dim() == 1}
