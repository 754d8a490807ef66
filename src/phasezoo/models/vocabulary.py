"""Whether an architecture knows the tokens of a data set."""

from __future__ import annotations

from phasezoo.data.task import Task
from phasezoo.models.shapes import ArchitectureError
from phasezoo.spec.architecture import Architecture


def check_vocabulary(architecture: Architecture, task: Task) -> None:
    """Refuse an architecture whose `vocabulary` is not that of a task, before it is trained.

    Raises:
        ArchitectureError: tokens would stand for something else, or for nothing.
    """
    got: int | None = getattr(architecture, "vocabulary", None)
    if got is not None and got != task.vocabulary:
        allowed = f"{task.vocabulary}, the tokens of {task.name}"
        raise ArchitectureError(f"{architecture.name}: got vocabulary {got}, allowed is {allowed}")
