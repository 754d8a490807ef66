"""The plan of what is asked of the joined results of a zoo: labels, predictions, explanations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from phasezoo import paths
from phasezoo.cell_plan import CellPlan, Wildcards, told
from phasezoo.spec import jobs
from phasezoo.spec.base import SpecError
from phasezoo.spec.zoo import Zoo

Group = Literal["metrics", "merging", "transfer"]

GROUPS: Mapping[Group, tuple[str, ...]] = {
    "metrics": (
        *("evaluation", "hessian", "connectivity", "similarity"),
        *("spectra", "noise", "learning_coefficient", "statistics"),
    ),
    "merging": ("merging",),
    "transfer": ("transfer", "new_task", "robustness", "pruning", "ensembling"),
}


class AnswerPlan(CellPlan):
    """Inputs and jobs of the rules that read the joined results of a zoo."""

    def groups(self, zoo: Zoo) -> list[Group]:
        """The groups of results that a zoo has."""
        measured = {family.family for family in zoo.families}
        return [group for group, families in GROUPS.items() if measured & set(families)]

    def answers(self, zoo: Zoo) -> list[str]:
        """What is made of the groups and the labels: what is learned, what phases explain."""
        used = len(self.groups(zoo)) > 1  # more than metrics
        asked = {"learning": zoo.learning is not None, "explained": used}
        return [name for name, wanted in asked.items() if wanted]

    def phases_job(self, wildcards: Wildcards) -> str:
        """What `phases` is told."""
        return told(jobs.PhasesJob(zoo=wildcards.zoo, criteria=self.zoos[wildcards.zoo].phases))

    def learning_job(self, wildcards: Wildcards) -> str:
        """What `learning` is told."""
        options = self.zoos[wildcards.zoo].learning
        if options is None:  # only where it is asked for by name
            raise SpecError(f"zoos.{wildcards.zoo}.learning: got nothing; allowed: its epochs")
        return told(jobs.LearningJob(zoo=wildcards.zoo, options=options))

    def explained_job(self, wildcards: Wildcards) -> str:
        """What `explained` is told."""
        zoo = self.zoos[wildcards.zoo]
        groups = tuple(self.groups(zoo))
        return told(jobs.ExplainedJob(zoo=wildcards.zoo, groups=groups, criteria=zoo.phases))

    def explained_from(self, wildcards: Wildcards) -> list[str]:
        """The results that `explained` reads, the labels last."""
        groups = [*self.groups(self.zoos[wildcards.zoo]), "phases"]
        return [paths.RESULT.format(zoo=wildcards.zoo, group=group) for group in groups]

    def results(self, wildcards: Wildcards) -> list[str]:
        """The results that `publish` takes in, one per group."""
        groups = self.published_groups(self.zoos[wildcards.zoo])
        return [paths.RESULT.format(zoo=wildcards.zoo, group=group) for group in groups]

    def published_groups(self, zoo: Zoo) -> list[str]:
        """Groups of the published store beside its weights: joined, labelled, and asked."""
        return [*self.groups(zoo), "phases", *self.answers(zoo)]

    def publish_job(self, wildcards: Wildcards) -> str:
        """What `publish` is told."""
        zoo = self.zoos[wildcards.zoo]
        groups = tuple(self.published_groups(zoo))
        return told(jobs.PublishJob(name=wildcards.zoo, zoo=zoo, groups=groups))
