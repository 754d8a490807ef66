"""The body of a network from weights that others have trained."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from phasezoo.data.pretrained import pretrained_tensors
from phasezoo.models.shapes import ArchitectureError
from phasezoo.spec.architecture import Architecture
from phasezoo.spec.language_models import Roberta

# What a part of RoBERTa is called by its authors, as Hugging Face keeps it.
_EMBEDDINGS = {
    "tokens": "word_embeddings",
    "positions": "position_embeddings",
    "segment": "token_type_embeddings",
    "norm": "LayerNorm",
}
_BLOCK = {
    "attention.out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "perceptron.hidden": "intermediate.dense",
    "perceptron.out": "output.dense",
    "norm2": "output.LayerNorm",
}


def begin_pretrained(module: nn.Module, architecture: Architecture) -> None:
    """Copy pretrained weights into the body of a module, if its spec asks for some.

    Raises:
        ExtraError: `safetensors` is not installed.
        DownloadError: the file of weights cannot be had.
        ArchiveError: it is none.
        ArchitectureError: a tensor of the body is not in it, or has another shape there.
    """
    if isinstance(architecture, Roberta) and architecture.pretrained is not None:
        load_roberta(module, pretrained_tensors(architecture.pretrained))


@torch.no_grad()
def load_roberta(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy the tensors of a RoBERTa into a body; what lies after the body is passed over.

    Raises:
        ArchitectureError: a tensor is not there, or has another shape; nothing is copied.
    """
    body = {n: p for n, p in module.named_parameters() if not n.startswith("head.")}
    found = {name: _found(name, tensors) for name in body}
    for name, parameter in body.items():
        if found[name].shape != parameter.shape:
            got, allowed = list(found[name].shape), list(parameter.shape)
            raise ArchitectureError(f"pretrained: {name}: got shape {got}, allowed is {allowed}")
    for name, parameter in body.items():
        parameter.copy_(found[name])


def _found(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    """A tensor of the body, put together of those it is kept as."""
    part, kind = name.rsplit(".", 1)
    if part in _EMBEDDINGS:
        return _one(f"embeddings.{_EMBEDDINGS[part]}.{kind}", tensors)
    _, number, within = part.split(".", 2)
    block = f"encoder.layer.{number}"
    if within == "attention.qkv":
        of = (f"{block}.attention.self.{n}.{kind}" for n in ("query", "key", "value"))
        return torch.cat([_one(each, tensors) for each in of])
    return _one(f"{block}.{_BLOCK[within]}.{kind}", tensors)


def _one(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    """A tensor by its authors' name, alone or within a larger network."""
    for spelt in (f"roberta.{name}", name):
        if spelt in tensors:
            return tensors[spelt]
    some = ", ".join(list(tensors)[:4]) or "nothing"
    raise ArchitectureError(f"pretrained: got {some}, ... without {name}, allowed is a RoBERTa")
