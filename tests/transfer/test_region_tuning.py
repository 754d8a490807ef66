"""Tuning is plain training of the parameters that are trained; the others keep their bits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from region_case import HOW, MLP, RESNET, SHAPE, THREE, TWO, how, names, start_of, tensors_of

from phasezoo.models.build import build
from phasezoo.models.flat import Weights, parameter_layout, weights_of
from phasezoo.spec.architecture import Mlp
from phasezoo.training.train import start as untrained
from phasezoo.training.train import train
from phasezoo.transfer.regions.frozen import Trained, freeze, thawed
from phasezoo.transfer.regions.shares import ShareError, few_shot, held_out
from phasezoo.transfer.regions.start import StartError
from phasezoo.transfer.regions.tuning import Run, fine_tuned
from phasezoo.vocabulary import Status

BOTH = pytest.mark.parametrize("architecture", [MLP, RESNET], ids=["mlp", "resnet"])
TRAINED: dict[Trained, int] = {"all": 6, "biases": 4, "head": 2}  # tensors of a perceptron


def test_tuning_everything_is_plain_training() -> None:
    start = start_of()
    (found,) = fine_tuned(start, [Run(THREE, names(0))], 2, HOW)
    module = start.network(3, start.body, *names(0))
    (last,) = train(module, THREE, HOW, names(0), untrained(module), (2,))
    assert torch.equal(found.weights.parameters, last.weights.parameters)
    assert found.status is Status.TRAINED
    assert 0 <= found.test.error <= 1


@BOTH
@pytest.mark.parametrize("trained", ["biases", "head"])
def test_what_is_not_trained_keeps_its_bits_and_what_is_moves(
    architecture: Mlp, trained: Trained
) -> None:
    start = start_of(architecture)
    (found,) = fine_tuned(start, [Run(THREE, names(0))], 1, HOW, trained)
    before = dict(start.network(3, start.body, *names(0)).named_parameters())
    after = tensors_of(architecture, 3, found.weights.parameters)
    for name, tensor in after.items():
        moves = name.startswith("head.") or (trained == "biases" and name.endswith("bias"))
        assert torch.equal(tensor, before[name]) is not moves, name


@pytest.mark.parametrize("trained", TRAINED)
def test_a_stack_is_what_each_is_by_itself(trained: Trained) -> None:
    start = start_of()
    runs = [Run(THREE, names(seed)) for seed in range(7)]
    together = fine_tuned(start, runs, 2, how(stack=7), trained)
    alone = fine_tuned(start, runs, 2, how(stack="one"), trained)
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one.weights.parameters, other.weights.parameters, atol=1e-5)
    frozen = freeze(start.network(3, start.body), trained)
    assert len(list(frozen.parameters())) == TRAINED[trained]


def test_biases_move_as_if_the_rest_had_no_gradient() -> None:
    """One step of gradient descent from the same place, without decay."""
    start = start_of()
    plain = HOW.optimiser.model_copy(update={"momentum": 0.0, "weight_decay": 0.0})
    still = how(batch_size="full", optimiser=plain)
    whole, biases = (
        tensors_of(
            MLP, 3, fine_tuned(start, [Run(THREE, names(0))], 1, still, t)[0].weights.parameters
        )
        for t in ("all", "biases")
    )
    for name in ("hidden.0.bias", "hidden.1.bias", "head.weight", "head.bias"):
        assert torch.allclose(whole[name], biases[name], atol=1e-7)


@pytest.mark.parametrize("trained", TRAINED)
def test_thawing_undoes_freezing(trained: Trained) -> None:
    start = start_of(RESNET)
    whole = start.network(3, start.body, "one")
    frozen = freeze(start.network(3, start.body, "one"), trained)
    found, wanted = thawed(weights_of(frozen), frozen, whole), weights_of(whole)
    assert torch.equal(found.parameters, wanted.parameters)
    assert torch.equal(found.buffers, wanted.buffers)


def test_runs_of_several_heads_come_back_in_their_order() -> None:
    start = start_of()
    runs = [Run(TWO, names(0)), Run(THREE, names(1)), Run(TWO, names(2))]
    found = fine_tuned(start, runs, 1, HOW)
    sizes = [parameter_layout(build(MLP, SHAPE, run.task.classes)).size for run in runs]
    assert [len(tuned.weights.parameters) for tuned in found] == sizes
    (second,) = fine_tuned(start, runs[1:2], 1, HOW)
    assert torch.equal(found[1].weights.parameters, second.weights.parameters)
    assert fine_tuned(start, [], 1, HOW) == []


def test_a_run_starts_from_its_body_with_the_head_of_its_names() -> None:
    start, still = start_of(), how(optimiser=HOW.optimiser.model_copy(
        update={"learning_rate": 1e-30, "weight_decay": 0.0}
    ))  # fmt: skip
    body = start.body + 1
    runs = [Run(THREE, names(0)), Run(THREE, names(0), body), Run(THREE, names(1), body)]
    found = [tensors_of(MLP, 3, t.weights.parameters) for t in fine_tuned(start, runs, 1, still)]
    assert torch.allclose(found[1]["hidden.1.weight"], found[0]["hidden.1.weight"] + 1)
    assert torch.equal(found[0]["head.weight"], found[1]["head.weight"])
    assert not torch.equal(found[1]["head.weight"], found[2]["head.weight"])


def test_one_that_diverges_leaves_the_others() -> None:
    start = start_of()
    far = start.body * 1e25
    runs = [Run(THREE, names(seed), far if seed == 3 else None) for seed in range(7)]
    found = fine_tuned(start, runs, 1, how(stack=7))
    status = [tuned.status is Status.TRAINED for tuned in found]
    assert status == [seed != 3 for seed in range(7)]
    assert math.isnan(found[3].test.error)
    assert not found[3].weights.finite


def test_statistics_are_those_of_the_training_samples_whatever_the_start_had() -> None:
    start = start_of(RESNET)
    other = replace(start, weights=Weights(start.weights.parameters, start.weights.buffers + 3))
    one, two = (fine_tuned(s, [Run(THREE, names(0))], 1, HOW, "head")[0] for s in (start, other))
    assert torch.equal(one.weights.buffers, two.weights.buffers)


def test_what_cannot_be_tuned_to_is_refused() -> None:
    start = start_of()
    wide = replace(THREE, train_inputs=THREE.train_inputs.repeat(1, 1, 2, 1))
    with pytest.raises(StartError, match=r"three: got inputs of \(1, 10, 5\), allowed are"):
        fine_tuned(start, [Run(wide, names(0))], 1, HOW)


@pytest.mark.parametrize("samples", [3, 7, 19, 52, 53])
def test_a_share_has_each_class_as_often_as_it_should(samples: int) -> None:
    labels = torch.tensor([0] * 37 + [1] * 13 + [2] * 3)
    task = replace(THREE, train_labels=labels)
    found = few_shot(task, samples, "seed=0")
    counts = found.train_labels.bincount(minlength=3)
    assert counts.sum() == samples
    exact = labels.bincount().double() * samples / 53
    assert ((counts - exact).abs() < 1).all() or (counts == 1).any()
    assert counts.min() >= 1
    assert torch.equal(found.test_inputs, task.test_inputs)


def test_a_share_is_drawn_by_its_names_and_of_pairs_of_inputs_and_labels() -> None:
    one, same, other = (few_shot(THREE, 17, "draw", n) for n in (0, 0, 1))
    assert torch.equal(one.train_inputs, same.train_inputs)
    assert not torch.equal(one.train_inputs, other.train_inputs)
    for image, label in zip(one.train_inputs, one.train_labels, strict=True):
        place = (THREE.train_inputs == image).flatten(1).all(dim=1).nonzero().item()
        assert THREE.train_labels[int(place)] == label


def test_what_is_held_out_is_left_out_and_the_test_set_is_not_seen() -> None:
    found = held_out(THREE, 0.2, "seed=0")
    assert len(found.test_labels) == 11
    assert len(found.train_labels) == 42
    both = torch.cat([found.train_inputs, found.test_inputs]).flatten(1)
    assert len(both.unique(dim=0)) == 53
    assert set(found.test_labels.tolist()) == {0, 1, 2}
    inside = (THREE.train_inputs.flatten(1) == both[:, None]).all(dim=2).any(dim=1)
    assert inside.all()


def test_shares_that_there_are_not_are_refused() -> None:
    with pytest.raises(ShareError, match=r"got 2, allowed are 3 .* to 53"):
        few_shot(THREE, 2, "seed=0")
    with pytest.raises(ShareError, match="got 54"):
        few_shot(THREE, 54, "seed=0")
    small = few_shot(THREE, 3, "seed=0")
    with pytest.raises(ShareError, match="held out: got 3 of 3 samples"):
        held_out(small, 0.2, "seed=0")
