"""Training on a GPU: steps of ResNet-18, share of peak, and the published PINN zoo as one job.

python benchmarks/population_gpu.py [--epochs 20000]

Without a GPU it says so. With one it prints, in one run: steps of ResNet-18 at widths 2 to 32 and
batches 8 to 128, uncaptured, alone and together; width 256 in every precision with its share of
peak; and the PINN zoo. GPU hours of the other published zoos: `gpu_hours.py`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch
from gpu_hours import GPU, STUDY, alone, task_of
from populations import member_of, spec_of
from torch.utils.flop_counter import FlopCounterMode

from phasezoo import rng
from phasezoo.data.labelled import labelled
from phasezoo.data.task import task_from
from phasezoo.models.build import build, initialise
from phasezoo.spec import jobs
from phasezoo.steps.device import prepare
from phasezoo.training.choice import choose, milliseconds
from phasezoo.training.fit import free_bytes
from phasezoo.training.member import Member
from phasezoo.training.population import train_population
from phasezoo.training.train import start

PEAK = {"float32": 67e12, "tf32": 495e12, "bf16": 989e12}  # of an H100 or H200, dense, NVIDIA
MODELS = 24


def residual() -> None:
    """Steps of ResNet-18."""
    task = task_of(STUDY.data["cifar10"])
    heads = "width | batch | ms eager | ms alone | together | ms a model"
    print(f"\n| {heads} |\n|{'---|' * 6}")
    for width in (2, 4, 8, 16, 32):
        for batch in (8, 32, 128):
            spec = spec_of("resnet-18", width)
            module = build(spec, task.shape, task.classes).to(GPU)
            some = [member_of(spec, task, batch, seed) for seed in range(MODELS)]
            chosen = choose(module, some, 1000, free_bytes(GPU))
            best = chosen.milliseconds
            row = f"{alone(module, some[0]) * 1e3:.3f} | {best[1]:.3f} | {chosen.together}"
            print(f"| {width} | {batch} | {row} | {best[chosen.together]:.3f} |", flush=True)


def peak() -> None:
    """How much of what a GPU can do a wide ResNet-18 gets."""
    task, spec = task_of(STUDY.data["cifar10"]), spec_of("resnet-18", 256)
    print("\n| width 256, batch 128 | ms | TFLOP/s | share of peak |\n|---|---|---|---|")
    module = build(spec, task.shape, task.classes).to(GPU)
    counter = FlopCounterMode(display=False)
    with counter:
        module(task.train_inputs[:128]).sum().backward()
    for precision, most in PEAK.items():
        one = member_of(spec, task, 128)
        one = replace(
            one, optimisation=one.optimisation.model_copy(update={"precision": precision})
        )
        took = milliseconds(module, [one], 1000)
        speed = counter.get_total_flops() / took * 1e3
        print(f"| {precision} | {took:.1f} | {speed / 1e12:.0f} | {speed / most:.0%} |", flush=True)


def equations() -> list[Member]:
    """Every model of the published PINN zoo, with initial weights."""
    zoo = STUDY.zoos["convection-pinn-published"]
    whole, found = task_from(labelled(STUDY.data[zoo.dataset]), "convection", GPU), []
    for load in zoo.load.all_values:
        task, architecture = whole.at(zoo.load.hyperparameter, load), jobs.at_load(zoo, load)
        for heat in zoo.temperature.all_values:
            how = jobs.at_temperature(zoo, heat)
            for seed in (seed for block in zoo.seeds for seed in block):
                module = build(architecture, task.shape, task.classes)
                names = ("benchmark", str(load), str(heat), str(seed))
                initialise(module, rng.generator(*names))
                found.append(Member(names, task, how, start(module, how.optimiser.moments)))
    return found


def pinns(epochs: int) -> None:
    """All of them in one job, and one after the other."""
    zoo, members = STUDY.zoos["convection-pinn-published"], equations()
    task, size = members[0].task, jobs.at_load(zoo, zoo.load.all_values[0])
    module = build(size, task.shape, task.classes).to(GPU)
    one = alone(module, members[0]) * epochs * len(members)
    began = time.perf_counter()
    trained = train_population(module, members, (epochs,), print)
    took = time.perf_counter() - began
    print(f"\n{len(members)} PINNs, {epochs} epochs: {took:.0f} s, {trained.choices[0]}")
    print(f"one after the other, uncaptured: {one:.0f} s ({one / took:.0f} times)")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20_000, help="of the PINN zoo")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("ResNet-18, share of peak, the PINN zoo: not measured on a GPU, there is none")
        return
    prepare(1)
    print(torch.cuda.get_device_name())
    residual()
    peak()
    pinns(options.epochs)


if __name__ == "__main__":
    main()
