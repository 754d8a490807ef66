"""A small study made by its steps alone: no workflow manager, no second process."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import yaml

from phasezoo import paths
from phasezoo.plan import Plan
from phasezoo.spec import Study, jobs, study_from
from phasezoo.spec.training_jobs import training_job
from phasezoo.spec.zoo import Zoo
from phasezoo.steps.collect import collect
from phasezoo.steps.connectivity import connectivity
from phasezoo.steps.data import data
from phasezoo.steps.ensembling import ensembling
from phasezoo.steps.evaluate import evaluate
from phasezoo.steps.explained import explained
from phasezoo.steps.hessian import hessian
from phasezoo.steps.learning import learning
from phasezoo.steps.learning_coefficient import learning_coefficient
from phasezoo.steps.merging import merging
from phasezoo.steps.new_task import new_task
from phasezoo.steps.noise import noise
from phasezoo.steps.phases import phases
from phasezoo.steps.pruning import pruning
from phasezoo.steps.publish import publish
from phasezoo.steps.robustness import robustness
from phasezoo.steps.similarity import similarity
from phasezoo.steps.spectra import spectra
from phasezoo.steps.statistics import statistics
from phasezoo.steps.train import train
from phasezoo.steps.transfer import transfer
from phasezoo.store.manifest import store_of

MLP, RESNET = "small-mlp", "small-resnet"
STUDY = yaml.safe_load((Path(__file__).parent / "study.yaml").read_text(encoding="utf-8"))
FAMILIES: dict[str, Callable] = {
    "evaluation": evaluate,
    "hessian": hessian,
    "connectivity": connectivity,
    "similarity": similarity,
    "spectra": spectra,
    "noise": noise,
    "learning_coefficient": learning_coefficient,
    "statistics": statistics,
    "merging": merging,
    "pruning": pruning,
    "ensembling": ensembling,
}


class Tiny:
    """A study in a folder; every method is one rule with its wildcards filled in."""

    def __init__(self, root: Path, given: dict | None = None, gpus: int = 0) -> None:
        self.root, self.given, self.gpus = root, given or STUDY, gpus
        self.study: Study = study_from(self.given)
        self.plan = Plan(self.study)

    def zoo(self, name: str) -> Zoo:
        return self.study.zoos[name]

    def all_there(self, relative: list[str]) -> list[Path]:
        return [self.root / path for path in relative]

    def data(self, name: str) -> Path:
        output = self.root / paths.DATA_MANIFEST.format(dataset=name)
        data(jobs.DataJob.model_validate_json(self.plan.data_job(_at(dataset=name))), output)
        return output

    def train(self, manifest: str) -> Path:
        """One job, named by its manifest."""
        zoo, load, temperature, block, segment = manifest.removesuffix(".json").split("/")[1:]
        at = _at(zoo=zoo, load=load, temperature=temperature, block=block, segment=segment)
        output = self.root / manifest
        job = training_job(self.plan.train_job(at))
        before = self.all_there(self.plan.resumed(at))
        train(job, self.root / self.plan.data_of(at), before, output, self.gpus)
        return output

    def job(self, measured: str) -> tuple[jobs.MeasureJob, list[Path]]:
        """What a measuring job is told, and the weights it reads."""
        zoo, loads, temperatures, blocks, epoch, family = _parts(measured)
        at = _at(zoo=zoo, loads=loads, temperatures=temperatures, blocks=blocks, epoch=epoch)
        job = jobs.MeasureJob.model_validate_json(self.plan.measure_job(family)(at))
        more = {"merging": self.plan.merged_weights, "spectra": self.plan.started_weights}
        weights = more.get(family, self.plan.measured_weights)
        return job, self.all_there(weights(at))

    def measure(self, measured: str, output: Path | None = None) -> Path:
        """One measuring job, named by its file."""
        zoo, family = _parts(measured)[0], _parts(measured)[-1]
        output = output or self.root / measured
        job, weights = self.job(measured)
        source = self.root / self.plan.data_of(_at(zoo=zoo))
        if family == "transfer":
            second = self.root / self.plan.transfer_data_of(_at(zoo=zoo))
            transfer(job, source, second, weights, output, self.gpus)
        elif family == "new_task":
            second = self.root / self.plan.new_task_data_of(_at(zoo=zoo))
            new_task(job, source, second, weights, output, self.gpus)
        elif family == "robustness":
            others = self.all_there(self.plan.other_data_of(_at(zoo=zoo)))
            robustness(job, source, others, weights, output, self.gpus)
        else:
            FAMILIES[family](job, source, weights, output, self.gpus)
        return output

    def collect(self, zoo: str, group: str) -> Path:
        output = self.root / f"results/{zoo}/{group}.nc"
        job = jobs.CollectJob.model_validate_json(self.plan.collect_job(group)(_at(zoo=zoo)))
        collect(job, self.root, output)
        return output

    def trained(self, zoo: str) -> None:
        """Its data sets and weights, if they are not there."""
        for name in self.plan.data_of_zoo(self.zoo(zoo)):
            if not (self.root / paths.DATA_MANIFEST.format(dataset=name)).exists():
                self.data(name)
        for manifest in self.plan.all_weights(_at(zoo=zoo)):
            if not (self.root / manifest).exists():
                self.train(manifest)

    def joined(self, zoo: str, group: str) -> Path:
        """Everything of one group of measurements, joined."""
        self.trained(zoo)
        for measured in self.plan.measurements(group)(_at(zoo=zoo)):
            self.measure(measured)
        return self.collect(zoo, group)

    def phases(self, zoo: str) -> Path:
        output = self.root / paths.PHASES.format(zoo=zoo)
        job = jobs.PhasesJob.model_validate_json(self.plan.phases_job(_at(zoo=zoo)))
        metrics = self.root / paths.METRICS.format(zoo=zoo)
        phases(job, metrics, output, self.root / paths.COVERAGE.format(zoo=zoo))
        return output

    def learning(self, zoo: str) -> Path:
        output = self.root / paths.LEARNING.format(zoo=zoo)
        job = jobs.LearningJob.model_validate_json(self.plan.learning_job(_at(zoo=zoo)))
        results = (self.root / form.format(zoo=zoo) for form in (paths.METRICS, paths.PHASES))
        learning(job, *results, output)
        return output

    def explained(self, zoo: str) -> Path:
        output = self.root / paths.EXPLAINED.format(zoo=zoo)
        job = jobs.ExplainedJob.model_validate_json(self.plan.explained_job(_at(zoo=zoo)))
        explained(job, self.all_there(self.plan.explained_from(_at(zoo=zoo))), output)
        return output

    def publish(self, zoo: str) -> Path:
        output = self.root / paths.ZOO_MANIFEST.format(zoo=zoo)
        at = _at(zoo=zoo)
        publish(
            jobs.PublishJob.model_validate_json(self.plan.publish_job(at)),
            self.root / self.plan.data_of(at),
            self.root,
            output,
        )
        return output

    def make(self, zoo: str) -> Path:
        """Everything of one zoo, in the order of the workflow; returns the store."""
        for group in self.plan.groups(self.zoo(zoo)):
            self.joined(zoo, group)
        self.phases(zoo)
        if self.zoo(zoo).learning:
            self.learning(zoo)
        if "explained" in self.plan.answers(self.zoo(zoo)):
            self.explained(zoo)
        return store_of(self.publish(zoo))


@functools.cache
def made(root: Path) -> Tiny:
    """Both zoos; once per process, whichever test asks first."""
    tiny = Tiny(root)
    for zoo in (MLP, RESNET):
        tiny.make(zoo)
    return tiny


def _at(**labels: str) -> SimpleNamespace:
    return SimpleNamespace(**labels)


def _parts(measured: str) -> list[str]:
    return measured.removesuffix(".nc").split("/")[1:]
