"""Which rule an operation has."""

from __future__ import annotations

import re

import torch
from torch._ops import OpOverload

from phasezoo.merging.permutation.inference import elementwise, moves, products, views
from phasezoo.merging.permutation.inference.calls import Rule

UNIFORM = {
    f"aten.{prefix}{name}{suffix}"
    for name in ("empty", "full", "ones", "zeros")
    for prefix, suffix in (("", ""), ("new_", ""), ("", "_like"))
} | {"aten.scalar_tensor", "aten.fill", "aten.zero"}

MOVES: dict[str, Rule] = {
    "aten._to_copy": elementwise.same,
    "aten._unsafe_view": views.view,
    "aten.alias": elementwise.same,
    "aten.cat": moves.cat,
    "aten.clone": elementwise.same,
    "aten.constant_pad_nd": moves.pad,
    "aten.detach": elementwise.same,
    "aten.expand": moves.expand,
    "aten.lift_fresh_copy": elementwise.same,
    "aten.permute": moves.permute,
    "aten.repeat": moves.repeat,
    "aten.reshape": views.view,
    "aten.select": moves.select,
    "aten.slice": moves.slice_,
    "aten.split": moves.split_,
    "aten.split_with_sizes": moves.split_,
    "aten.squeeze": moves.squeeze,
    "aten.t": moves.t,
    "aten.transpose": moves.transpose,
    "aten.unbind": moves.unbind,
    "aten.unsqueeze": moves.unsqueeze,
    "aten.view": views.view,
}

_RULES: dict[str, Rule] = MOVES | {
    **dict.fromkeys(UNIFORM, elementwise.uniform),
    "aten._log_softmax": elementwise.softmax,
    "aten._safe_softmax": elementwise.softmax,
    "aten._softmax": elementwise.softmax,
    "aten.addmm": products.matrices,
    "aten.addmv": products.matrices,
    "aten.baddbmm": products.matrices,
    "aten.bmm": products.matrices,
    "aten.convolution": products.convolution,
    "aten.copy": elementwise.pointwise,
    "aten.cumprod": elementwise.ordered,
    "aten.cumsum": elementwise.ordered,
    "aten.dot": products.matrices,
    "aten.embedding": products.embedding,
    "aten.flip": elementwise.ordered,
    "aten.index": products.lookup,
    "aten.index_select": products.picked,
    "aten.mm": products.matrices,
    "aten.mv": products.matrices,
    "aten.native_group_norm": elementwise.group_norm,
    "aten.native_layer_norm": elementwise.layer_norm,
    "aten.roll": elementwise.ordered,
}
_PLACES = re.compile(
    r"aten\._?(adaptive_)?(avg|max)_pool\dd|aten\.upsample_\w+\dd|aten\.\w+_pad\dd"
)


def name_of(operation: OpOverload) -> str:
    """Without its overload, and as if it did not work in place."""
    name = operation._schema.name.replace("::", ".")
    return name.removesuffix("_")


def rule_of(operation: OpOverload) -> Rule | None:
    """The rule of an operation; None if nothing is known of it."""
    name, tags = name_of(operation), operation.tags
    if name in _RULES:
        return _RULES[name]
    if re.search(r"batch_norm", name):
        return elementwise.batch_norm
    if _PLACES.match(name):
        return products.places
    if torch.Tag.nondeterministic_seeded in tags:
        return None
    if torch.Tag.pointwise in tags:
        return elementwise.pointwise
    return elementwise.reduction if torch.Tag.reduction in tags else None
