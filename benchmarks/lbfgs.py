"""L-BFGS beside Adam and ``torch.optim.LBFGS`` on the convection equation, as `params.yaml` has it.

python benchmarks/lbfgs.py accuracy 1000    # after as many evaluations of the gradient
python benchmarks/lbfgs.py seconds          # of one evaluation
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from phasezoo import rng
from phasezoo.data.points import points
from phasezoo.data.task import Task, task_from
from phasezoo.landscape.network import Network
from phasezoo.landscape.stack import Stack
from phasezoo.landscape.stacked import gradients_of
from phasezoo.models.build import build, initialise
from phasezoo.models.flat import Weights, load_weights, weights_of
from phasezoo.spec.equation import EquationPoints
from phasezoo.spec.read import read_study
from phasezoo.spec.training import AdamW, Constant, Cosine, Lbfgs, Optimisation
from phasezoo.training.evaluate import evaluate_both
from phasezoo.training.lbfgs import StackedLbfgs
from phasezoo.training.train import start, train

SEEDS, BETAS = (0, 1, 2), (1, 5, 10)
SHORT, RUNS, MODELS, HISTORY = 300, 5, 10, 50
STUDY = read_study(Path("params.yaml"))
ZOO = STUDY.zoos["convection-pinn"]
CPU = torch.device("cpu")
Method = Callable[[nn.Module, Task, int], Weights]


def convection(beta: float) -> Task:
    """The points of the zoo."""
    spec = STUDY.data[ZOO.dataset]
    assert isinstance(spec, EquationPoints)
    return task_from(points(spec), ZOO.dataset, CPU).at("beta", beta)


def network(task: Task, beta: float, seed: int) -> nn.Module:
    """The network of the zoo with initial weights."""
    module = build(ZOO.architecture, task.shape, task.classes)
    initialise(module, rng.generator("lbfgs", f"beta={beta}", f"seed={seed}"))
    return module


def spec(history: int) -> Lbfgs:
    """Without tolerances, so that it goes on as long as it can."""
    return Lbfgs(
        name="lbfgs", learning_rate=1.0, history=history, tolerance_grad=0.0, tolerance_change=0.0
    )


def ours(how: Optimisation, module: nn.Module, task: Task, evaluations: int) -> Weights:
    """Training as the zoos do it."""
    origin = start(module, how.optimiser.moments)
    (last,) = train(module, task, how, ("benchmark",), origin, (evaluations,))
    return last.weights


def adam(rate: float, module: nn.Module, task: Task, evaluations: int) -> Weights:
    """Adam with a cosine over all evaluations."""
    optimiser = ZOO.training.optimiser.model_copy(update={"learning_rate": rate})
    assert isinstance(optimiser, AdamW)
    schedule = Cosine(name="cosine", epochs=evaluations, eta_min=0.0)
    how = Optimisation(optimiser=optimiser, schedule=schedule, batch_size="full")
    return ours(how, module, task, evaluations)


def lbfgs(history: int, module: nn.Module, task: Task, evaluations: int) -> Weights:
    """L-BFGS of this package."""
    schedule = Constant(name="constant")
    how = Optimisation(optimiser=spec(history), schedule=schedule, batch_size="full")
    return ours(how, module, task, evaluations)


def torchs(history: int, module: nn.Module, task: Task, evaluations: int) -> Weights:
    """L-BFGS of torch, in one call."""
    optimiser = torch.optim.LBFGS(
        module.parameters(),
        max_iter=evaluations,
        max_eval=evaluations,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=history,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = task.objective.loss(
            task.objective.outputs(module, task.train_inputs), task.train_labels
        )
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights_of(module)


METHODS: dict[str, Method] = {
    "Adam, 3e-3": partial(adam, 3e-3),
    "Adam, 1e-2": partial(adam, 1e-2),
    "L-BFGS, 10 pairs": partial(lbfgs, 10),
    "L-BFGS, 50 pairs": partial(lbfgs, HISTORY),
    "torch's L-BFGS, 50 pairs": partial(torchs, HISTORY),
}


def scores(method: Method, beta: float, evaluations: int, seed: int) -> tuple[float, float]:
    """Training loss, and relative L2 error over the whole grid."""
    task = convection(beta)
    module = network(task, beta, seed)
    load_weights(module, method(module, task, evaluations))
    of_train, of_test = evaluate_both(partial(task.objective.outputs, module), task)
    return of_train.loss, of_test.error


def accuracy(evaluations: int) -> None:
    """Print the median and the spread over seeds."""
    print("| beta | method | training loss, median | least | most | error, median | least | most |")
    print("|---|---|---|---|---|---|---|---|")
    for beta in BETAS:
        for name, method in METHODS.items():
            found = zip(*(scores(method, beta, evaluations, seed) for seed in SEEDS), strict=True)
            cells = [f"{statistics.median(v):.2g} | {min(v):.2g} | {max(v):.2g}" for v in found]
            print(f"| {beta} | {name} | {' | '.join(cells)} |", flush=True)


def stacked(evaluations: int) -> None:
    """Several models of one task as the rows of one matrix."""
    task = convection(5)
    modules = [network(task, 5, seed) for seed in range(MODELS)]
    whole = Network(modules[0], CPU, task.objective)
    stack = Stack.of(whole, [weights_of(module) for module in modules])
    gradients = gradients_of(whole, len(task.train_labels))
    given = [t.expand(MODELS, *t.shape) for t in (task.train_inputs, task.train_labels)]

    def function(trials: Tensor) -> tuple[Tensor, Tensor]:
        slopes, losses = gradients(trials, stack.buffers, *given)
        return losses, slopes

    begin = stack.parameters.detach()
    optimiser = StackedLbfgs(
        spec(HISTORY), begin, torch.zeros(MODELS, 2 * HISTORY + 3, begin.shape[1])
    )
    for _ in range(evaluations):
        optimiser.step(function)


def seconds() -> None:
    """Print the time of an evaluation of one model, over alternating runs."""
    task = convection(5)

    def alone(method: Method) -> None:
        method(network(task, 5, 0), task, SHORT)

    kinds = {name: (partial(alone, method), 1) for name, method in METHODS.items()}
    kinds[f"L-BFGS, 50 pairs, {MODELS} models as one"] = (partial(stacked, SHORT), MODELS)
    del kinds["Adam, 1e-2"]
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(RUNS):
        for name, (run, models) in kinds.items():
            begin = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - begin) / SHORT / models * 1e3)
    print("| method | ms per model and evaluation, median | least | most |")
    print("|---|---|---|---|")
    for name, found in times.items():
        print(f"| {name} | {statistics.median(found):.2f} | {min(found):.2f} | {max(found):.2f} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    match sys.argv[1:]:
        case ["accuracy", evaluations]:
            accuracy(int(evaluations))
        case _:
            seconds()
