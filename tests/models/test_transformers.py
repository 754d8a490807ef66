"""What transformers do whatever their weights are."""

from __future__ import annotations

import pytest
import torch

from models.every import Case
from phasezoo.models.build import build
from phasezoo.models.shapes import ArchitectureError
from phasezoo.models.vit import patched
from phasezoo.spec import architecture as spec

GPT_2 = Case(spec.Gpt2(name="gpt-2", depth=2, heads=3, model_dim=12), (11,), 13)
VIT = Case(spec.Vit(name="vit", depth=2, heads=3, patch_size=2, embedding_dim=12), (3, 4, 6))


@pytest.mark.parametrize("position", range(11))
def test_a_token_changes_what_follows_it_and_nothing_before(position: int) -> None:
    module, tokens = GPT_2.module(), GPT_2.inputs(1)
    other = tokens.clone()
    other[0, position] = (tokens[0, position] + 1) % 13
    change = (module(tokens) - module(other)).abs().amax(dim=2)[0]
    assert change[:position].count_nonzero() == 0
    assert change[position:].count_nonzero() == 11 - position


def test_a_shorter_context_is_the_beginning_of_a_longer_one() -> None:
    module, tokens = GPT_2.module(), GPT_2.inputs(3)
    torch.testing.assert_close(module(tokens[:, :5]), module(tokens)[:, :5], rtol=1e-12, atol=1e-12)


def test_patches_are_tiles_of_the_image_row_by_row() -> None:
    images = torch.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    found = patched(images, 2)
    assert found.shape == (2, 6, 12)
    for index in range(6):
        row, column = divmod(index, 3)
        tile = images[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert torch.equal(found[:, index], tile.flatten(1))


def test_patches_may_come_in_any_order_if_their_positions_come_along() -> None:
    module, images = VIT.module(), VIT.inputs(3)
    wanted = module(images)
    with torch.no_grad():
        module.positions[1:] = module.positions[1:].flip(0)
    moved = images.unflatten(2, (2, 2)).unflatten(4, (3, 2)).flip(2, 4).flatten(2, 3).flatten(3)
    assert not torch.equal(moved, images)
    torch.testing.assert_close(module(moved), wanted, rtol=1e-12, atol=1e-12)


REFUSED = [
    (VIT.architecture, (3, 4, 5), "vit: got patch_size 2, allowed is a divisor of 4 and 5"),
    (VIT.architecture, (7,), r"vit: got inputs \[7\], allowed are images"),
    (GPT_2.architecture, (3, 4, 6), r"gpt-2: got inputs \[3, 4, 6\], allowed are tokens"),
    (spec.Pinn(name="pinn", hidden_layers=2, width=3), (1, 8, 8), "pinn: got .* points"),
    (spec.Vgg(name="vgg-11", norm="none", width=3), (3, 31, 32), "images .* at least 32 x 32"),
    (spec.ResNet(name="resnet-18", width=3), (7,), r"resnet: got inputs \[7\], allowed are im"),
]


@pytest.mark.parametrize(("architecture", "shape", "message"), REFUSED)
def test_inputs_that_an_architecture_cannot_take_are_refused(
    architecture: spec.Architecture, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ArchitectureError, match=message):
        build(architecture, shape, 5)
