"""Initial weights follow the rule of their architecture and the names of their model."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from models.every import Case, every
from phasezoo import rng
from phasezoo.models.build import build, initialise
from phasezoo.spec import architecture as spec

Rule = tuple[str, float]  # a distribution and its scale


def started(case: Case, *names: object) -> nn.Module:
    """A module whose numbers are all others before its initial weights are drawn."""
    module = case.module().float()
    initialise(module, rng.generator(*(names or ("drawn",))))
    return module


def matrices(module: nn.Module) -> dict[str, Tensor]:
    return {n: p.detach() for n, p in module.named_parameters() if p.dim() > 1}


def biases(module: nn.Module) -> dict[str, Tensor]:
    norms = {
        f"{name}.{tensor}"
        for name, layer in module.named_modules()
        if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm)
        for tensor in ("weight", "bias")
    }
    vectors = {n: p.detach() for n, p in module.named_parameters() if p.dim() == 1}
    return {n: p for n, p in vectors.items() if n not in norms}


def assert_drawn(values: Tensor, rule: Rule) -> None:
    """Shape by Kolmogorov and Smirnov, deviation within five of its standard errors."""
    kind, scale = rule
    known = {
        "uniform": stats.uniform(-1, 2),
        "normal": stats.norm(),
        "cut": stats.truncnorm(-2, 2),  # at two standard deviations
    }[kind]
    numbers = values.flatten().double().numpy() / scale
    assert stats.kstest(numbers, known.cdf).pvalue > 1e-4
    # that of a normal; those of the others, whose tails are lighter, are smaller
    assert abs(numbers.std() / known.std() - 1) < 5 / math.sqrt(2 * numbers.size)


WIDE = [
    Case(spec.Mlp(name="mlp", hidden_layers=2, width=83), (2, 5, 5)),
    Case(spec.ResNet(name="resnet-18", width=11), (3, 8, 8)),
    Case(spec.ResNet(name="resnet-50", width=7), (3, 8, 8)),
]


@pytest.mark.parametrize("case", WIDE, ids=lambda c: c.architecture.name)
def test_the_zoos_start_kaiming_uniform_with_biases_of_a_hundredth(case: Case) -> None:
    module = started(case)
    for weight in matrices(module).values():
        bound = math.sqrt(6 / weight[0].numel())
        assert weight.abs().max() <= bound
        assert_drawn(weight, ("uniform", bound))
    for bias in biases(module).values():
        assert torch.equal(bias, torch.full_like(bias, 0.01))


@pytest.mark.parametrize(
    ("architecture", "gain"),
    [
        (spec.ResNet20(name="resnet-20", norm="layer", width=16), 1),
        (spec.ResNet20(name="resnet-20", norm="batch", width=16), 1),
        (spec.Vgg(name="vgg-11", norm="layer", width=8), 1),
        (spec.Vgg(name="vgg-16", norm="batch", width=8), 1),
        (spec.Vgg(name="vgg-11", norm="none", width=8), 2),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_merging_studies_start_with_a_cut_normal_of_variance_gain_by_fan_in(
    architecture: spec.Architecture, gain: float
) -> None:
    module = started(Case(architecture, (3, 32, 32)))
    for weight in matrices(module).values():
        std = math.sqrt(gain / weight[0].numel())
        assert_drawn(weight, ("cut", std / stats.truncnorm(-2, 2).std()))
    assert all(bias.count_nonzero() == 0 for bias in biases(module).values())


def test_a_vgg_without_norms_neither_fades_nor_blows_up_with_depth() -> None:
    module = started(Case(spec.Vgg(name="vgg-16", norm="none", width=32), (3, 32, 32)))
    squares = []
    for block in module.blocks:
        block.register_forward_hook(lambda *of: squares.append(of[2].square().mean()))
    module(torch.randn(7, 3, 32, 32, generator=rng.generator("x")))
    assert 0.02 < squares[-1] / squares[0] < 5  # padding alone takes some away


def test_a_vit_starts_normal_of_deviation_2_percent() -> None:
    vit = spec.Vit(name="vit", depth=2, heads=3, patch_size=4, embedding_dim=48)
    module = started(Case(vit, (3, 32, 32)))
    for weight in (module.class_token.detach(), *matrices(module).values()):
        assert_drawn(weight, ("normal", 0.02))
    assert {"positions", "patches.weight"} <= matrices(module).keys()
    rest = {n: bias for n, bias in biases(module).items() if n != "class_token"}
    assert all(bias.count_nonzero() == 0 for bias in rest.values())


@pytest.mark.parametrize("depth", [2, 3])
def test_a_gpt_2_starts_with_smaller_weights_at_the_end_of_its_branches(depth: int) -> None:
    gpt2 = spec.Gpt2(name="gpt-2", depth=depth, heads=3, model_dim=48)
    module = started(Case(gpt2, (61,), 101))
    ends = [f"blocks.{i}.{part}.out.weight" for i in range(depth) for part in
            ("attention", "perceptron")]  # fmt: skip
    weights = matrices(module)
    for name, weight in weights.items():
        assert_drawn(weight, ("normal", 0.02 / math.sqrt(2 * depth) if name in ends else 0.02))
    assert set(ends) <= weights.keys()
    assert all(bias.count_nonzero() == 0 for bias in biases(module).values())


def test_a_gpt_2_reads_and_writes_with_the_same_embeddings() -> None:
    module = started(Case(spec.Gpt2(name="gpt-2", depth=1, heads=3, model_dim=6), (7,)))
    assert module.head.weight is module.tokens.weight
    assert [n for n, _ in module.named_parameters() if n.startswith("head")] == []


def pinn(initial: str) -> nn.Module:
    architecture = spec.Pinn(name="pinn", hidden_layers=4, width=97, initial=initial)
    return started(Case(architecture, (2,), 1))


def test_a_pinn_starts_as_torch_does_where_it_is_left_to_it() -> None:
    module = pinn("torch")
    for layer in (*module.hidden, module.head):
        bound = layer.in_features**-0.5
        assert_drawn(torch.cat([layer.weight.flatten(), layer.bias]).detach(), ("uniform", bound))
        assert layer.bias.count_nonzero() == len(layer.bias)


def test_a_pinn_starts_xavier_uniform_where_it_is_told() -> None:
    module = pinn("xavier")
    for layer in (*module.hidden, module.head):
        bound = math.sqrt(6 / (layer.in_features + layer.out_features))
        assert_drawn(layer.weight.detach(), ("uniform", bound))
        assert layer.bias.count_nonzero() == 0


@every
def test_normalisation_starts_as_the_identity(case: Case) -> None:
    module = started(case)
    fresh = {nn.BatchNorm2d: [1, 0, 0, 1, 0], nn.LayerNorm: [1, 0]}
    for layer in module.modules():
        for kind, numbers in fresh.items():
            if isinstance(layer, kind):
                found = [t.unique().tolist() for t in layer.state_dict().values()]
                assert found == [[n] for n in numbers]


@every
def test_initial_weights_are_those_of_their_names(case: Case) -> None:
    def drawn(*names: object) -> Tensor:
        return nn.utils.parameters_to_vector(started(case, *names).parameters())

    assert torch.equal(drawn("zoo", "seed=0"), drawn("zoo", "seed=0"))
    assert not torch.equal(drawn("zoo", "seed=0"), drawn("zoo", "seed=1"))


@every
def test_initial_weights_hang_on_no_global_chance(case: Case) -> None:
    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        module = build(case.architecture, case.shape, case.outputs)
        initialise(module, rng.generator("init"))
        state = [t.flatten().double() for t in module.state_dict().values()]
        return torch.cat(state)

    with torch.random.fork_rng():
        assert torch.equal(drawn(0), drawn(1))
