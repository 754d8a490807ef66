"""Every architecture has the number of parameters that was published or follows from its formula.

Modules are built without storage, so that the largest cost nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from models.every import Case, every
from phasezoo.models.build import build
from phasezoo.spec import architecture as spec

WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256)


def parameters(
    architecture: spec.Architecture, shape: tuple[int, ...] = (3, 32, 32), outputs: int = 10
) -> int:
    with torch.device("meta"):
        module = build(architecture, shape, outputs)
    return sum(p.numel() for p in module.parameters())


# the counts of the zoo paper's code, for ten classes; its README says 11K for the smallest
RESNETS = {
    "resnet-18": (11_420, 44_622, 176_402, 701_466, 2_797_610, 11_173_962, 44_662_922, 178_585_866),
    "resnet-50": (
        25_260, 96_302, 375_762, 1_484_186, 5_899_050, 23_520_842, 93_932_682, 375_429_386,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESNETS)
def test_the_resnets_of_the_zoos_have_their_published_counts(name: str) -> None:
    found = [parameters(spec.ResNet(name=name, width=width)) for width in WIDTHS]
    assert tuple(found) == RESNETS[name]


@pytest.mark.parametrize("width", [16, 48])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_a_resnet_20_has_the_count_of_its_formula(width: int, norm: str) -> None:
    stages = [width, 2 * width, 4 * width]
    count = 9 * 3 * width + 2 * width  # stem and its norm
    for before, now in zip([width, *stages], stages, strict=False):
        count += 9 * before * now + 5 * 9 * now * now + 6 * 2 * now
        count += (9 * before * now + 2 * now) * (before != now)  # the 3 x 3 shortcut
    count += (stages[-1] + 1) * 10
    assert parameters(spec.ResNet20(name="resnet-20", norm=norm, width=width)) == count


def test_a_resnet_20_of_32x_has_the_297_million_of_git_re_basin() -> None:
    assert parameters(spec.ResNet20(name="resnet-20", norm="layer", width=512)) == 297_355_786


# torchvision.models.vgg11 and vgg16 have so many parameters in their convolutions
@pytest.mark.parametrize(("name", "convolutions"), [("vgg-11", 9_220_480), ("vgg-16", 14_714_688)])
def test_a_vgg_has_the_convolutions_of_the_paper(name: str, convolutions: int) -> None:
    found = parameters(spec.Vgg(name=name, norm="none", width=64))
    assert found == convolutions + 2 * 513 * 512 + 513 * 10


@pytest.mark.parametrize(("norm", "per_channel"), [("none", 0), ("batch", 2), ("layer", 2)])
def test_norms_of_a_vgg_have_two_numbers_per_channel(norm: str, per_channel: int) -> None:
    bare = parameters(spec.Vgg(name="vgg-11", norm="none", width=3))
    channels = 3 * (1 + 2 + 4 + 4 + 8 + 8 + 8 + 8)
    found = parameters(spec.Vgg(name="vgg-11", norm=norm, width=3))
    assert found == bare + per_channel * channels


def transformer(dimension: int, depth: int) -> int:
    """Blocks and the last norm: 12 D^2 + 13 D each, and 2 D."""
    return depth * (12 * dimension**2 + 13 * dimension) + 2 * dimension


@pytest.mark.parametrize("dimension", [6, 12, 24, 48, 60, 96, 192])
def test_a_vit_of_every_published_dimension_has_its_count(dimension: int) -> None:
    vit = spec.Vit(name="vit", depth=12, heads=3, patch_size=4, embedding_dim=dimension)
    embedding = (3 * 4 * 4 + 1) * dimension + (1 + 65) * dimension
    count = embedding + transformer(dimension, 12) + (dimension + 1) * 10
    assert parameters(vit) == count


GPT_2 = {72: 4_450_104, 768: 124_439_808, 2304: 882_927_360}  # 768 is the released GPT-2 small


@pytest.mark.parametrize("dimension", GPT_2)
def test_a_gpt_2_has_its_count(dimension: int) -> None:
    gpt2 = spec.Gpt2(name="gpt-2", depth=12, heads=12, model_dim=dimension)
    count = (50_257 + 1_024) * dimension + transformer(dimension, 12)
    assert parameters(gpt2, (1_024,), 50_257) == count == GPT_2[dimension]


def test_the_pinn_of_the_convection_study_has_7851_parameters() -> None:
    pinn = spec.Pinn(name="pinn", hidden_layers=4, width=50)
    assert parameters(pinn, (2,), 1) == 3 * 50 + 3 * 51 * 50 + 51 == 7_851


@every
def test_every_network_puts_out_its_numbers_in_evaluation_mode(case: Case) -> None:
    module = build(case.architecture, case.shape, case.outputs).double()
    assert not any(part.training for part in module.modules())
    tokens = case.shape if case.architecture.name == "gpt-2" else ()
    assert module(case.inputs(3)).shape == (3, *tokens, case.outputs)


@every
def test_a_network_without_its_size_is_refused(case: Case) -> None:
    name = case.architecture.size_name
    with pytest.raises(ValueError, match=rf"architecture\.{name}: got None"):
        build(case.architecture.at(name, None), case.shape, case.outputs)


@every
def test_the_layers_that_a_spec_names_are_called_and_the_last_is_the_head(case: Case) -> None:
    module, called = case.module(), []
    for name in case.architecture.layers:
        module.get_submodule(name).register_forward_hook(lambda *_, n=name: called.append(n))
    module(case.inputs(2))
    assert called == list(case.architecture.layers)
    assert called[-1] == "head"


DOCS = Path(__file__).parents[2] / "docs/architectures.md"
DOCUMENTED = {
    "resnet-18": spec.ResNet(name="resnet-18"),
    "resnet-50": spec.ResNet(name="resnet-50"),
    "resnet-20": spec.ResNet20(name="resnet-20", norm="layer"),
    "vgg-11": spec.Vgg(name="vgg-11", norm="layer"),
    "vgg-16": spec.Vgg(name="vgg-16", norm="layer"),
    "vit": spec.Vit(name="vit", depth=12, heads=3, patch_size=4),
    "gpt-2": spec.Gpt2(name="gpt-2", depth=12, heads=12),
    "roberta": spec.Roberta(name="roberta", depth=12, heads=12),
    "pinn": spec.Pinn(name="pinn", hidden_layers=4),
}
SHAPES = {"gpt-2": ((1_024,), 50_257), "roberta": ((512,), 10), "pinn": ((2,), 1)}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_counts_are_those_of_the_networks(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}`.*\| (\d+: .*?) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    kind = DOCUMENTED[name]
    documented = {
        int(size): int(count.replace(",", ""))
        for size, count in (entry.split(": ") for entry in row.split("; "))
    }
    found = {
        size: parameters(kind.at(kind.size_name, size), *SHAPES.get(name, ()))
        for size in documented
    }
    assert found == documented
