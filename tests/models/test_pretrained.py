"""Bodies that begin as others left them: by name, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from data.server import Server, whole
from models.every import CASES, Case
from phasezoo import rng
from phasezoo.data.archive import ArchiveError
from phasezoo.data.extra import ExtraError, extra
from phasezoo.data.task import Task
from phasezoo.models.build import build, initialise
from phasezoo.models.pretrained import begin_pretrained, load_roberta
from phasezoo.models.shapes import ArchitectureError
from phasezoo.models.vocabulary import check_vocabulary
from phasezoo.spec import architecture as spec
from phasezoo.spec.language_models import Pretrained

(ROBERTA,) = (case for case in CASES if case.architecture.name == "roberta")
(CLASSIFIER,) = (case for case in CASES if case.architecture.name == "gpt-2-classifier")
(GPT_2,) = (case for case in CASES if case.architecture.name == "gpt-2")
DIMENSION = 6
SHAPES = {
    "embeddings.word_embeddings.weight": (11, DIMENSION),
    "embeddings.position_embeddings.weight": (9, DIMENSION),
    "embeddings.token_type_embeddings.weight": (1, DIMENSION),
    "embeddings.LayerNorm.weight": (DIMENSION,),
    "embeddings.LayerNorm.bias": (DIMENSION,),
}
for block in ("encoder.layer.0", "encoder.layer.1"):
    for name, wide in {
        "attention.self.query": (DIMENSION, DIMENSION),
        "attention.self.key": (DIMENSION, DIMENSION),
        "attention.self.value": (DIMENSION, DIMENSION),
        "attention.output.dense": (DIMENSION, DIMENSION),
        "intermediate.dense": (4 * DIMENSION, DIMENSION),
        "output.dense": (DIMENSION, 4 * DIMENSION),
        "attention.output.LayerNorm": (DIMENSION,),
        "output.LayerNorm": (DIMENSION,),
    }.items():
        SHAPES |= {f"{block}.{name}.weight": wide, f"{block}.{name}.bias": wide[:1]}


def tensors(prefix: str = "roberta.") -> dict[str, Tensor]:
    """The tensors of a released network in little, with what lies after its body."""
    chance = rng.generator("pretrained")
    found = {f"{prefix}{n}": torch.randn(shape, generator=chance) for n, shape in SHAPES.items()}
    return found | {"lm_head.bias": torch.zeros(11)}


def test_every_tensor_of_a_body_is_found_by_its_name() -> None:
    given, module = tensors(), build(ROBERTA.architecture, ROBERTA.shape, 5)
    head = module.head.weight.detach().clone()
    load_roberta(module, given)
    body = {n: p for n, p in module.named_parameters() if not n.startswith("head.")}
    assert sum(p.numel() for p in body.values()) == sum(
        t.numel() for n, t in given.items() if n.startswith("roberta.")
    )
    qkv = module.blocks[1].attention.qkv.weight
    of = "roberta.encoder.layer.1.attention.self"
    for part, name in zip(qkv.split(DIMENSION), ("query", "key", "value"), strict=True):
        assert torch.equal(part, given[f"{of}.{name}.weight"])
    assert torch.equal(module.norm.bias, given["roberta.embeddings.LayerNorm.bias"])
    assert torch.equal(module.head.weight, head)


def test_names_with_and_without_their_prefix_are_one() -> None:
    found = []
    for prefix in ("roberta.", ""):
        module = build(ROBERTA.architecture, ROBERTA.shape, 5)
        initialise(module, rng.generator("init"))
        load_roberta(module, tensors(prefix))
        found.append(torch.nn.utils.parameters_to_vector(module.parameters()))
    assert torch.equal(*found)


def test_a_tensor_that_is_missing_or_of_another_shape_is_named_and_nothing_is_copied() -> None:
    module = build(ROBERTA.architecture, ROBERTA.shape, 5)
    before = {n: p.clone() for n, p in module.state_dict().items()}
    given = tensors()
    wide = given | {"roberta.encoder.layer.1.output.dense.bias": torch.zeros(7)}
    message = r"pretrained: blocks\.1\.perceptron\.out\.bias: got shape \[7\], allowed is \[6\]"
    with pytest.raises(ArchitectureError, match=message):
        load_roberta(module, wide)
    del given["roberta.encoder.layer.1.output.dense.bias"]
    with pytest.raises(ArchitectureError, match=r"without encoder\.layer\.1\.output\.dense\.bias"):
        load_roberta(module, given)
    assert all(torch.equal(p, before[n]) for n, p in module.state_dict().items())


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretrained]:
    package = pytest.importorskip("safetensors.torch")
    content = package.save({n: t.contiguous() for n, t in tensors().items()})
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
    with Server(whole(content)) as server:
        yield Pretrained(url=server.url, sha256=hashlib.sha256(content).hexdigest())


def test_a_body_begins_as_the_file_of_its_spec_has_it(served: Pretrained) -> None:
    architecture = ROBERTA.architecture.model_copy(update={"pretrained": served})
    module = build(architecture, ROBERTA.shape, 5)
    begin_pretrained(module, architecture)
    assert torch.equal(module.tokens.weight, tensors()["roberta.embeddings.word_embeddings.weight"])


def test_without_pretrained_weights_a_body_stays_as_it_was_drawn() -> None:
    module = build(ROBERTA.architecture, ROBERTA.shape, 5)
    before = torch.nn.utils.parameters_to_vector(module.parameters()).clone()
    begin_pretrained(module, ROBERTA.architecture)
    assert torch.equal(torch.nn.utils.parameters_to_vector(module.parameters()), before)


def test_a_file_that_is_none_of_weights_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("safetensors")
    monkeypatch.setenv("PHASEZOO_CACHE", str(tmp_path))
    content = b"no weights at all"
    with Server(whole(content)) as server:
        given = Pretrained(url=server.url, sha256=hashlib.sha256(content).hexdigest())
        architecture = ROBERTA.architecture.model_copy(update={"pretrained": given})
        with pytest.raises(ArchiveError, match=r"allowed: a file of safetensors") as refusal:
            begin_pretrained(build(architecture, ROBERTA.shape, 5), architecture)
    assert len(str(refusal.value).splitlines()) == 1


def test_without_the_extra_it_is_said_how_to_bring_it() -> None:
    with pytest.raises(ExtraError, match=r"glue: got .*; allowed: no_such_package, which `pip ins"):
        extra("no_such_package", "glue")


def test_the_body_of_a_classifier_has_the_tensors_of_gpt_2() -> None:
    symbols = CLASSIFIER.architecture.vocabulary
    gpt = Case(GPT_2.architecture, GPT_2.shape, symbols).module()
    classifier = CLASSIFIER.module()
    body = {n: t.shape for n, t in classifier.named_parameters() if not n.startswith("head.")}
    assert body == {n: t.shape for n, t in gpt.named_parameters()}
    classifier.load_state_dict(
        {n: t for n, t in gpt.state_dict().items() if n != "head.weight"}, strict=False
    )
    tokens = CLASSIFIER.inputs(3)
    features = gpt.norm.register_forward_hook(lambda *of: seen.append(of[2]))
    seen: list[Tensor] = []
    gpt(tokens)
    features.remove()
    expected = seen[0][:, -1] @ classifier.head.weight.T + classifier.head.bias
    torch.testing.assert_close(classifier(tokens), expected, rtol=1e-12, atol=1e-12)


def test_padding_is_not_seen() -> None:
    module, tokens = ROBERTA.module(), ROBERTA.inputs(4)
    tokens[:, 4:] = 1
    whole_, short = module(tokens), module(tokens[:, :4])
    torch.testing.assert_close(whole_, short, rtol=1e-12, atol=1e-12)
    other = tokens.clone()
    other[:, 2] = (tokens[:, 2] - 2 + 1) % 9 + 2
    assert (module(other) - whole_).abs().min() > 1e-9


def test_a_text_longer_than_its_positions_is_refused() -> None:
    small = ROBERTA.architecture.model_copy(update={"positions": 8})
    with pytest.raises(ArchitectureError, match="roberta: got positions 8, allowed are at least 9"):
        build(small, (7,), 2)


def test_another_vocabulary_than_that_of_the_data_is_refused() -> None:
    tokens, labels = torch.zeros(2, 7).long(), torch.zeros(2).long()
    for symbols in (11, 13):
        task = Task("text", tokens, labels, tokens, labels, 2, vocabulary=symbols)
        if symbols == 11:
            check_vocabulary(CLASSIFIER.architecture, task)
            check_vocabulary(spec.Mlp(name="mlp", hidden_layers=1, width=2), task)
            continue
        with pytest.raises(ArchitectureError, match=r"gpt-2-classifier: got vocabulary 11, allow"):
            check_vocabulary(CLASSIFIER.architecture, task)
