"""Permutation specs of every architecture: how many are found, and how exactly they hold.

The largest change of an output, relative to the largest output, over random weights with random
permutations that move every unit, in float64. Beside it torch-pruning, where it is installed:
its groups of channels that are pruned together.
"""

from __future__ import annotations

from pathlib import Path
from sys import path

import torch
from torch import Tensor, nn

path.insert(0, str(Path(__file__).parent.parent / "tests"))
from models.every import Case
from phasezoo import rng
from phasezoo.merging.permutation import explain, prove_anywhere
from phasezoo.spec import architecture as spec

DRAWS = 20
IMAGE = (3, 32, 32)
CASES = {
    "3 layers of 512": Case(spec.Mlp(name="mlp", hidden_layers=3, width=512), IMAGE, 10),
    "4 layers of 50": Case(spec.Pinn(name="pinn", hidden_layers=4, width=50), (2,), 1),
    "2 stages, w = 16": Case(spec.SmallResNet(name="small-resnet", stages=2, width=16), IMAGE, 10),
    "w = 16": Case(spec.ResNet(name="resnet-18", width=16), IMAGE, 10),
    "w = 16, bottlenecks": Case(spec.ResNet(name="resnet-50", width=16), IMAGE, 10),
    "w = 16, layer norm": Case(spec.ResNet20(name="resnet-20", norm="layer", width=16), IMAGE, 10),
    "w = 16, batch norm": Case(spec.ResNet20(name="resnet-20", norm="batch", width=16), IMAGE, 10),
    "w = 16, no norm": Case(spec.Vgg(name="vgg-11", norm="none", width=16), IMAGE, 10),
    "w = 16, 16 layers": Case(spec.Vgg(name="vgg-16", norm="layer", width=16), IMAGE, 10),
    "12 blocks of 3 heads, 192": Case(
        spec.Vit(name="vit", depth=12, heads=3, patch_size=4, embedding_dim=192), IMAGE, 10
    ),
    "12 blocks of 12 heads, 192": Case(
        spec.Gpt2(name="gpt-2", depth=12, heads=12, model_dim=192), (64,), 1009
    ),
}


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(
        "| architecture | size | permutations | within heads | s to find | largest change | peer |"
    )
    print("|---|---|---|---|---|---|---|")
    for size, case in CASES.items():
        module, inputs = case.module(), case.inputs(2)
        found = explain(module, inputs).spec
        change = prove_anywhere(found, module, inputs, rng.generator("benchmark"), DRAWS)
        row = f"`{case.architecture.name}` | {size} | {len(found.names)} | {len(found.within)}"
        print(f"| {row} | {change:.1e} | {groups(module, inputs)} |", flush=True)


def groups(module: nn.Module, inputs: Tensor) -> str:
    """How many groups of channels torch-pruning couples, beside that of the outputs."""
    try:
        from torch_pruning import DependencyGraph
    except ImportError:
        return ""
    inputs = inputs.float() if inputs.is_floating_point() else inputs
    graph = DependencyGraph().build_dependency(module.float(), example_inputs=inputs)
    return str(len(list(graph.get_all_groups())) - 1)


if __name__ == "__main__":
    main()
