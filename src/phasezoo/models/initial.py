"""Rules of initial weights; numbers are drawn on the CPU, in the order of a module's parts."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from phasezoo.models.gpt2 import GPT2, GPT2Classifier
from phasezoo.models.pinn import PINN
from phasezoo.models.roberta import RoBERTa
from phasezoo.models.vit import ViT

Draw = Callable[[Tensor], object]  # fills a tensor


def kaiming_uniform(module: nn.Module, generator: torch.Generator) -> None:
    """Kaiming-uniform (a = 0, fan-in) convolutions and linear layers, 0.01 on linear biases.

    That of the zoo paper's code (def_net_width.py:929-990).
    """
    for layer in _layers(module):
        _fill(layer.weight, lambda w: nn.init.kaiming_uniform_(w, generator=generator))
        if layer.bias is not None:
            layer.bias.fill_(0.01)
    _reset_norms(module)


def scaled_normal(module: nn.Module, generator: torch.Generator, gain: float) -> None:
    """Normal weights of variance gain / fan-in, cut at two standard deviations; no biases.

    With gain 1 that of flax (`lecun_normal`), which Git Re-Basin leaves as it is; gain 2 keeps
    the variance of ReLU networks without norms (He et al. 2015, section 2.2).
    """
    for layer in _layers(module):
        # the variance of a normal cut at two standard deviations is 0.8796^2 of the uncut one
        std = math.sqrt(gain / layer.weight[0].numel()) / 0.87962566103423978
        _fill(layer.weight, _cut_normal(std, 2 * std, generator))
    _zero_biases(module)
    _reset_norms(module)


def vision_transformer(module: ViT, generator: torch.Generator) -> None:
    """All weights, tokens and positions normal of deviation 0.02, cut at +-2; no biases.

    That of DeiT (Touvron et al. 2021) and of transformers' `ViTModel`.
    """
    _zero_biases(module)
    for weight in (module.class_token, *_matrices(module).values()):
        _fill(weight, _cut_normal(0.02, 2, generator))
    _reset_norms(module)


def gpt2(module: GPT2 | GPT2Classifier, generator: torch.Generator) -> None:
    """Weights normal of deviation 0.02, those that end a residual branch 0.02 / sqrt(2 depth).

    Biases are 0. Radford et al. 2019, section 2.3; the deviations are those of transformers.
    """
    small = 0.02 / math.sqrt(2 * len(module.blocks))
    for name, weight in _matrices(module).items():
        _fill(weight, _normal(small if name.endswith(".out.weight") else 0.02, generator))
    _zero_biases(module)
    _reset_norms(module)


def roberta(module: RoBERTa, generator: torch.Generator) -> None:
    """All weights, tokens and positions normal of deviation 0.02; no biases.

    That of BERT (Devlin et al. 2019), which RoBERTa keeps, and of transformers.
    """
    for weight in _matrices(module).values():
        _fill(weight, _normal(0.02, generator))
    _zero_biases(module)
    _reset_norms(module)


def pinn(module: PINN, generator: torch.Generator) -> None:
    """Uniform in +-1 / sqrt(fan-in), biases too, as torch does; or Xavier-uniform, no biases.

    The code of Krishnapriyan et al. 2021 (net_pbc.py) leaves it to torch. Xavier: Glorot and
    Bengio 2010, equation 16.
    """
    _zero_biases(module)
    for layer in _layers(module):
        fan_out, fan_in = layer.weight.shape
        if module.initial == "xavier":
            _fill(layer.weight, _uniform(math.sqrt(6 / (fan_in + fan_out)), generator))
        else:
            for tensor in layer.parameters():
                _fill(tensor, _uniform(fan_in**-0.5, generator))


def _uniform(bound: float, generator: torch.Generator) -> Draw:
    return lambda tensor: tensor.uniform_(-bound, bound, generator=generator)


def _normal(std: float, generator: torch.Generator) -> Draw:
    return lambda tensor: tensor.normal_(0, std, generator=generator)


def _cut_normal(std: float, cut: float, generator: torch.Generator) -> Draw:
    return lambda tensor: nn.init.trunc_normal_(tensor, 0, std, -cut, cut, generator=generator)


def _fill(tensor: Tensor, draw: Draw) -> None:
    fresh = torch.empty(tensor.shape)
    draw(fresh)
    tensor.copy_(fresh)


def _layers(module: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]


def _matrices(module: nn.Module) -> dict[str, Tensor]:
    """Every parameter with more than one axis, shared ones once."""
    return {name: p for name, p in module.named_parameters() if p.dim() > 1}


def _zero_biases(module: nn.Module) -> None:
    """Every parameter with one axis becomes 0, the scales of norms too."""
    for parameter in module.parameters():
        if parameter.dim() == 1:
            parameter.zero_()


def _reset_norms(module: nn.Module) -> None:
    """Normalisation layers start as the identity."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
            layer.reset_parameters()
