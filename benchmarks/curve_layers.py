"""The procedure of dnn-mode-connectivity, with its own curve layers (curves.py).

Its loops over DataLoader batches are restated from train.py, eval_curve.py and utils.py, which no
longer parse; its networks are those of this package, made of its layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from phasezoo.data.task import Task
from phasezoo.landscape.curve import mode_connectivity
from phasezoo.models.build import build
from phasezoo.models.flat import Weights
from phasezoo.spec.architecture import Architecture, Mlp, SmallResNet
from phasezoo.spec.metrics import Connectivity


def theirs(
    curves: ModuleType,
    architecture: Architecture,
    task: Task,
    ends: Sequence[tuple[Weights, Weights]],
    options: Connectivity,
) -> list[float]:
    """Mode connectivity of pairs in shares of training error, one pair after the other."""
    train_set = TensorDataset(task.train_inputs, task.train_labels)
    test_set = TensorDataset(task.test_inputs, task.test_labels)
    size = options.batch_size
    shuffled = DataLoader(train_set, size, shuffle=True)
    loaders = DataLoader(train_set, size), DataLoader(test_set, size)
    heights = []
    for pair in ends:
        base = build(architecture, task.shape, task.classes)
        net = CurveMlp if isinstance(architecture, Mlp) else CurveResNet
        kwargs = {"curves": curves, "shape": task.shape, "spec": architecture}
        model = curves.CurveNet(task.classes, curves.Bezier, net, 3, True, True, kwargs)
        for side, weights in zip((0, 2), pair, strict=True):
            nn.utils.vector_to_parameters(weights.parameters, base.parameters())
            model.import_base_parameters(base, side)
        model.init_linear()
        fit(curves, model, shuffled, options)
        heights.append(mode_connectivity(errors_along(model, loaders, options)))
        line = curves.CurveNet(task.classes, curves.PolyChain, net, 2, True, True, kwargs)
        for side, weights in enumerate(pair):
            nn.utils.vector_to_parameters(weights.parameters, base.parameters())
            line.import_base_parameters(base, side)
        errors_along(line, loaders, options)
    return heights


def errors_along(
    model: Any, loaders: tuple[DataLoader[Any], ...], options: Connectivity
) -> NDArray[np.float64]:
    """Training errors at the points of a curve; both sets are scored."""
    places = np.linspace(0, 1, options.points)
    return np.array([errors_at(model, t, loaders)[0] for t in places])


def fit(curves: ModuleType, model: Any, loader: DataLoader[Any], options: Connectivity) -> None:
    """train.py: SGD on the middle copies, weight decay as a penalty on the mixed weights."""
    chosen = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(chosen, lr=options.learning_rate, momentum=options.momentum)
    regularizer = curves.l2_regularizer(options.weight_decay)
    for epoch in range(options.curve_epochs):
        factor = float(np.interp(epoch / options.curve_epochs, [0.5, 0.9], [1, 0.01]))
        for group in optimiser.param_groups:
            group["lr"] = factor * options.learning_rate
        model.train()
        total, correct = 0.0, 0
        for inputs, labels in loader:
            output = model(inputs)
            loss = functional.cross_entropy(output, labels) + regularizer(model)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(labels)
            correct += output.data.argmax(1).eq(labels).sum().item()


def errors_at(model: Any, t: float, loaders: tuple[DataLoader[Any], ...]) -> list[float]:
    """eval_curve.py: statistics re-estimated, then both sets; errors of the two."""
    place = torch.tensor([t], dtype=torch.float32)
    norms = [m for m in model.modules() if hasattr(m, "running_mean")]
    if norms:
        model.train()
        for norm in norms:
            norm.reset_running_stats()
        seen = 0
        for inputs, _ in loaders[0]:
            for norm in norms:
                norm.momentum = len(inputs) / (seen + len(inputs))
            model(inputs, place)
            seen += len(inputs)
        for norm in norms:
            norm.momentum = 0.1
    model.eval()
    found = []
    for loader in loaders:
        total, correct, samples = 0.0, 0, 0
        for inputs, labels in loader:
            output = model(inputs, t=place)
            total += functional.cross_entropy(output, labels).item() * len(labels)
            correct += output.data.argmax(1).eq(labels).sum().item()
            samples += len(labels)
        found.append(1 - correct / samples)
    return found


class CurveMlp(nn.Module):
    """The MLP of curve layers."""

    def __init__(
        self, classes: int, fix_points: list[bool], curves: ModuleType, shape: Any, spec: Mlp
    ) -> None:
        super().__init__()
        sizes = [int(np.prod(shape)), *[spec.width] * spec.hidden_layers, classes]
        self.layers = nn.ModuleList(curves.Linear(a, b, fix_points) for a, b in pairwise(sizes))

    def forward(self, inputs: Tensor, coefficients: Tensor) -> Tensor:
        """Logits."""
        *hidden, head = self.layers
        features = inputs.flatten(1)
        for layer in hidden:
            features = layer(features, coefficients).relu()
        logits: Tensor = head(features, coefficients)
        return logits


class CurveResNet(nn.Module):
    """The small ResNet of curve layers, its modules in the order of the original."""

    def __init__(
        self,
        classes: int,
        fix_points: list[bool],
        curves: ModuleType,
        shape: Any,
        spec: SmallResNet,
    ) -> None:
        super().__init__()

        def conv(a: int, b: int, size: int, stride: int = 1) -> nn.Module:
            made: nn.Module = curves.Conv2d(a, b, size, fix_points, stride, size // 2, bias=False)
            return made

        def norm(channels: int) -> nn.Module:
            made: nn.Module = curves.BatchNorm2d(channels, fix_points)
            return made

        channels = [spec.width * 2**stage for stage in range(spec.stages)]
        self.stem, self.norm = conv(shape[0], channels[0], 3), norm(channels[0])
        self.blocks = nn.ModuleList()
        for stage, wide in enumerate(channels):
            narrow, stride = channels[max(0, stage - 1)], 2 if stage else 1
            parts = [conv(narrow, wide, 3, stride), norm(wide), conv(wide, wide, 3), norm(wide)]
            if stride != 1 or narrow != wide:
                parts += [conv(narrow, wide, 1, stride), norm(wide)]
            self.blocks.append(nn.ModuleList(parts))
        self.head = curves.Linear(channels[-1], classes, fix_points)

    def forward(self, inputs: Tensor, c: Tensor) -> Tensor:
        """Logits."""
        features = self.norm(self.stem(inputs, c), c).relu()
        for block in self.blocks:
            conv1, norm1, conv2, norm2, *shortcut = block.children()
            inner = norm2(conv2(norm1(conv1(features, c), c).relu(), c), c)
            for layer in shortcut:
                features = layer(features, c)
            features = (inner + features).relu()
        logits: Tensor = self.head(features.mean(dim=(2, 3)), c)
        return logits
