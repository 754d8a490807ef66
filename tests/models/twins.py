"""The same networks as other packages build them, with the same weights.

Each function takes one of this project's modules and returns its twin, in float64 and evaluation
mode, as a function of the inputs. What a package does not build whole is put together from its
parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import torchvision_here
from models.every import Case
from phasezoo import rng
from phasezoo.models.pinn import PINN
from phasezoo.models.pretrained import load_roberta
from phasezoo.models.resnet import ResNet
from phasezoo.models.vgg import VGG
from phasezoo.models.vit import ViT

Function = Callable[[Tensor], Tensor]


def twin_of(case: Case, module: nn.Module) -> tuple[str, Function]:
    """The name of the package, and the twin of the module of a case."""
    name = case.architecture.name
    match name:
        case "mlp" | "pinn":
            return "torch", _sequential(module)
        case "small-resnet" | "resnet-18" | "resnet-50" | "resnet-20":
            return "torchvision", _resnet(case.architecture, module)
        case "vgg-11" | "vgg-16":
            return "torchvision", _vgg(name, module)
        case "vit":
            return "torchvision", _vit(case, module)
        case "roberta":
            return "transformers", _roberta(case, module)
        case "gpt-2-classifier":
            return "transformers", _gpt2_classifier(case, module)
        case _:
            return "transformers", _gpt2(case, module)


@torch.no_grad()
def _filled(twin: nn.Module, tensors: Iterable[Tensor]) -> nn.Module:
    """Copy tensors in their order; every one finds its place, and no place stays empty."""
    twin = twin.double().eval()
    for place, tensor in zip(twin.state_dict().values(), tensors, strict=True):
        place.copy_(tensor.view(place.shape))
    return twin


def _sequential(module: nn.Module) -> nn.Module:
    bend = nn.Tanh if isinstance(module, PINN) else nn.ReLU
    parts: list[nn.Module] = [nn.Flatten()]
    for layer in module.hidden:
        parts += [nn.Linear(layer.in_features, layer.out_features), bend()]
    parts += [nn.Linear(module.head.in_features, module.head.out_features)]
    return _filled(nn.Sequential(*parts), module.state_dict().values())


def _norm(torchvision: ModuleType, module: nn.Module) -> Any:
    if any(isinstance(m, nn.LayerNorm) for m in module.modules()):
        return partial(torchvision.models.convnext.LayerNorm2d, eps=1e-6)
    return nn.BatchNorm2d


def _resnet(architecture: Any, module: ResNet) -> nn.Module:
    """torchvision's ResNet, the stem replaced; of its blocks where it has other stages."""
    torchvision = torchvision_here.torchvision()
    parts = torchvision.models.resnet
    width, classes = module.stem.out_channels, module.head.out_features
    stem = nn.Conv2d(module.stem.in_channels, width, 3, padding=1, bias=False)
    norm = _norm(torchvision, module)
    if architecture.name in {"resnet-18", "resnet-50"}:
        block = parts.BasicBlock if architecture.name == "resnet-18" else parts.Bottleneck
        narrow = type("Narrow", (parts.ResNet,), {"_make_layer": _scaled(width)})
        twin = narrow(block, list(architecture.blocks), num_classes=classes)
        twin.conv1, twin.bn1, twin.maxpool = stem, nn.BatchNorm2d(width), nn.Identity()
        twin.fc = nn.Linear(module.head.in_features, classes)
        return _filled(twin, module.state_dict().values())
    size = 3 if architecture.name == "resnet-20" else 1
    blocks = _basic_blocks(parts.BasicBlock, width, architecture.blocks, norm, size)
    pooling = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    head = nn.Linear(module.head.in_features, classes)
    twin = nn.Sequential(stem, norm(width), nn.ReLU(), *blocks, *pooling, head)
    return _filled(twin, module.state_dict().values())


def _scaled(width: int) -> Callable[..., nn.Module]:
    """`_make_layer` with all channels in units of `width` instead of 64.

    The width of a bottleneck is planes * base_width / 64 with a base width of 64.
    """

    def make(self: Any, block: Any, planes: int, *args: Any, **options: Any) -> nn.Module:
        if self.inplanes == 64 and planes == 64:
            self.inplanes = width
        planes = planes * width // 64
        make_layer = super(type(self), self)._make_layer
        layer: nn.Module = make_layer(block, planes, *args, **options)
        return layer

    return make


def _basic_blocks(
    block: Any, width: int, stages: Iterable[int], norm: Any, size: int
) -> Iterator[nn.Module]:
    before = width
    for stage, count in enumerate(stages):
        channels = width * 2**stage
        for index in range(count):
            stride = 2 if stage and not index else 1
            shortcut = None
            if stride == 2:
                convolution = nn.Conv2d(before, channels, size, 2, padding=size // 2, bias=False)
                shortcut = nn.Sequential(convolution, norm(channels))
            yield block(before, channels, stride, shortcut, norm_layer=norm)
            before = channels


def _vgg(name: str, module: VGG) -> nn.Module:
    torchvision = torchvision_here.torchvision()
    vgg = torchvision.models.vgg
    width = module.blocks[0].conv.out_channels
    plan = [n if n == "M" else n * width // 64 for n in vgg.cfgs["A" if name == "vgg-11" else "D"]]
    features = vgg.make_layers(plan, batch_norm=module.norm != "none")
    features[0] = nn.Conv2d(module.blocks[0].conv.in_channels, width, 3, padding=1)
    if module.norm == "layer":
        for index, layer in enumerate(features):
            if isinstance(layer, nn.BatchNorm2d):
                features[index] = _norm(torchvision, module)(layer.num_features)
    wide = 8 * width
    hidden = [nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU()]
    head = nn.Linear(wide, module.head.out_features)
    twin = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *hidden, head)
    return _filled(twin, module.state_dict().values())


def _vit(case: Case, module: ViT) -> nn.Module:
    a = case.architecture
    torchvision = torchvision_here.torchvision()
    twin = torchvision.models.VisionTransformer(
        image_size=case.shape[1],
        patch_size=a.patch_size,
        num_layers=a.depth,
        num_heads=a.heads,
        hidden_dim=a.embedding_dim,
        mlp_dim=4 * a.embedding_dim,
        num_classes=case.outputs,
    )
    twin.conv_proj = nn.Conv2d(case.shape[0], a.embedding_dim, a.patch_size, a.patch_size)
    w = module.state_dict()
    names = ["class_token", "patches.weight", "patches.bias", "positions"]
    return _filled(twin, [*(w.pop(name) for name in names), *w.values()])


def _transformers() -> ModuleType:
    torchvision_here.torchvision()  # which transformers imports, and fails where it cannot be
    return pytest.importorskip("transformers", reason="transformers is not here")


def _gpt2_config(case: Case, symbols: int) -> Any:
    a = case.architecture
    return _transformers().GPT2Config(
        vocab_size=symbols,
        n_positions=case.shape[0],
        n_embd=a.model_dim,
        n_layer=a.depth,
        n_head=a.heads,
        bos_token_id=0,
        eos_token_id=0,
        attn_implementation="eager",
    )


def _transposed(tensors: Iterable[tuple[str, Tensor]]) -> list[Tensor]:
    """Linear layers within the blocks of its GPT-2 hold their weights transposed."""
    within = ((n.startswith("blocks") and t.dim() > 1, t) for n, t in tensors)
    return [(t.T if turned else t).contiguous() for turned, t in within]


def _gpt2(case: Case, module: nn.Module) -> Function:
    config = _gpt2_config(case, case.outputs)
    twin = _transformers().GPT2LMHeadModel(config)
    twin = _filled(twin, _transposed(module.state_dict().items()))
    return lambda tokens: twin(tokens).logits


def _gpt2_classifier(case: Case, module: nn.Module) -> Function:
    """Its decoder; the head is written out."""
    *body, weight, bias = module.state_dict().items()
    twin = _transformers().GPT2Model(_gpt2_config(case, case.architecture.vocabulary))
    twin = _filled(twin, _transposed(body))
    return lambda tokens: twin(tokens).last_hidden_state[:, -1] @ weight[1].T + bias[1]


def _roberta(case: Case, module: nn.Module) -> Function:
    """Its encoder, filled by the names that pretrained weights have; the head is written out."""
    a = case.architecture
    config = _transformers().RobertaConfig(
        vocab_size=a.vocabulary,
        hidden_size=a.model_dim,
        num_hidden_layers=a.depth,
        num_attention_heads=a.heads,
        intermediate_size=4 * a.model_dim,
        max_position_embeddings=a.positions,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=1,
        attn_implementation="eager",
    )
    twin = _transformers().RobertaModel(config, add_pooling_layer=False).double().eval()
    with torch.no_grad():
        for tensor in twin.parameters():
            tensor.normal_(generator=rng.generator("twin", *tensor.shape))
    load_roberta(module, twin.state_dict())
    head = module.head

    def function(tokens: Tensor) -> Tensor:
        features = twin(tokens, attention_mask=(tokens != 1).long()).last_hidden_state
        return features[:, 0] @ head.weight.T + head.bias

    return function
