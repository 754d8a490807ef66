"""A body is all that is trained but the head, and is found by the names of its tensors."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from region_case import GPT2, MLP, RESNET, SHAPE, start_of, tensors_of
from torch import nn

from phasezoo.models.build import build
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.spec.architecture import Mlp
from phasezoo.transfer.regions import start as module_of_starts
from phasezoo.transfer.regions.start import Start, StartError
from phasezoo.transfer.regions.task_vectors import (
    bodies_of,
    cosines,
    distances,
    lengths,
    task_vectors,
)

BOTH = pytest.mark.parametrize("architecture", [MLP, RESNET], ids=["mlp", "resnet"])


@BOTH
def test_a_network_has_the_body_of_the_start_and_a_head_of_its_own(architecture: Mlp) -> None:
    start = start_of(architecture)
    given = tensors_of(architecture, 5, start.weights.parameters)
    network = start.network(3, start.body, "one")
    other = start.network(3, start.body, "other")
    for name, tensor in network.named_parameters():
        if name.startswith("head."):
            assert tensor.shape[0] == 3
        else:
            assert torch.equal(tensor, given[name])
    assert not torch.equal(network.head.weight, other.head.weight)
    assert torch.equal(start.network(3, start.body, "one").head.weight, network.head.weight)


@BOTH
def test_the_skeleton_puts_out_what_the_head_is_given(architecture: Mlp) -> None:
    start = start_of(architecture)
    network = load_weights(build(architecture, SHAPE, 5), start.weights).eval()
    skeleton = start.skeleton()
    own = weights_of(skeleton)
    load_weights(skeleton, Weights(start.body, start.weights.buffers))
    assert own.parameters.shape == start.body.shape
    inputs = torch.randn(11, *SHAPE)
    assert torch.equal(network.head(skeleton(inputs)), network(inputs))


@BOTH
def test_bodies_do_not_depend_on_heads_and_task_vectors_are_exact(architecture: Mlp) -> None:
    start = start_of(architecture)
    step = torch.randn(start.layout.size, generator=torch.Generator().manual_seed(0))
    networks = [(3, "a"), (3, "b"), (2, "c")]
    models = [weights_of(start.network(k, start.body + step, name)) for k, name in networks]
    found = task_vectors(start, models, [k for k, _ in networks])
    exact = (start.body + step).double() - start.body.double()
    assert found.dtype == torch.float64
    assert torch.equal(found, exact.expand(3, -1))
    assert torch.equal(bodies_of(start, models, [3, 3, 2])[0].float(), start.body + step)
    assert bodies_of(start, [], []).shape == (0, start.layout.size)


def test_a_tied_head_is_refused() -> None:
    start = Start(GPT2, (7,), 11, weights_of(build(GPT2, (7,), 11)))
    with pytest.raises(StartError, match="gpt-2: got a head tied to the body, allowed is one of"):
        start.skeleton()


def test_a_body_of_another_architecture_is_matched_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is tuned may order its tensors otherwise, and have a head of another form."""

    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Sequential(nn.Linear(7, 7), nn.Linear(7, 2))
            hidden = [nn.Linear(7, 7), nn.Linear(25, 7)]
            self.hidden = nn.ModuleList(hidden[::-1])

    plain = start_of()
    of_other = Mlp(name="mlp", hidden_layers=2, width=7)
    monkeypatch.setattr(
        module_of_starts,
        "build",
        lambda a, shape, classes: Other() if a is of_other else build(a, shape, classes),
    )
    start = Start(MLP, SHAPE, 5, plain.weights, tuned_as=of_other)
    found = start.layout.unflatten(start.body)
    given = tensors_of(MLP, 5, plain.weights.parameters)
    assert set(found) == {name for name in given if not name.startswith("head.")}
    assert all(torch.equal(tensor, given[name]) for name, tensor in found.items())


def test_bodies_that_differ_beyond_the_head_are_refused() -> None:
    start = start_of()
    wide, deep = (MLP.model_copy(update=u) for u in ({"width": 5}, {"hidden_layers": 3}))
    message = r"start, hidden.0.weight: got \(7, 25\), allowed is \(5, 25\)"
    with pytest.raises(StartError, match=message):
        _ = replace(start, tuned_as=wide).body
    with pytest.raises(StartError, match=r"hidden.2.weight: got no such tensor, allowed is \(7"):
        _ = replace(start, tuned_as=deep).body
    shallow = MLP.model_copy(update={"hidden_layers": 1})
    with pytest.raises(StartError, match=r"hidden.1.weight: got .*, allowed is no such tensor"):
        _ = replace(start, tuned_as=shallow).body


def test_a_start_that_diverged_is_refused() -> None:
    start = start_of()
    broken = Weights(start.weights.parameters * torch.nan, start.weights.buffers)
    with pytest.raises(StartError, match="not finite"):
        _ = replace(start, weights=broken).body


def test_cosines_are_those_of_the_definition_and_blind_to_length() -> None:
    vectors = torch.randn(5, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = cosines(vectors)
    for i in range(5):
        for j in range(5):
            expected = torch.nn.functional.cosine_similarity(vectors[i], vectors[j], dim=0)
            assert found[i, j] == pytest.approx(expected.item(), abs=1e-14)
    assert torch.equal(found.diagonal(), torch.ones(5, dtype=torch.float64))
    scaled = vectors * torch.tensor([1e-9, 1, 3, 7, 1e9], dtype=torch.float64)[:, None]
    assert torch.allclose(cosines(scaled), found, atol=1e-14)
    assert torch.allclose(distances(vectors)[1, 2], (vectors[1] - vectors[2]).norm())
    assert torch.allclose(lengths(vectors), vectors.square().sum(dim=1).sqrt())


def test_vectors_without_a_direction_have_no_cosine() -> None:
    vectors = torch.eye(4, dtype=torch.float64)
    vectors[1] = 0
    vectors[3] = torch.nan
    known = cosines(vectors).isfinite()
    assert known.sum() == 4
    assert known[0, 2]
    assert known[2, 2]


def test_distances_of_near_vectors_are_exact() -> None:
    """By products of matrices they would be lost in rounding."""
    far = torch.full((2, 7), 1e8, dtype=torch.float64)
    far[1, 0] += 1
    assert distances(far)[0, 1] == 1
