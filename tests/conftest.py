"""What every test shares, and which process tests go to."""

from __future__ import annotations

from typing import Any

import pytest
import torch

torch.set_num_threads(1)  # the tensors are small; more threads cost more than they give

# Folders and modules that look at one thing, which takes long to make, or may be had once.
TOGETHER = {
    **{
        f"tests/workflow/test_{name}.py": "finished study"
        for name in ("dvc", "growth", "rerun", "study", "together")
    },
    **{f"tests/workflow/test_{name}.py": "small study" for name in ("grown", "storage")},
    "tests/faults/": "small study",
    "tests/gpu/": "gpu",
}
LONGEST = ("finished study", "small study")


def unit(name: str) -> str:
    """Tests that one process runs: those of a module, so that it makes what they share once."""
    module = name.split("::")[0]
    return next((TOGETHER[start] for start in TOGETHER if module.startswith(start)), module)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest units first, so that no process is left alone with one in the end."""

    def place(item: pytest.Item) -> tuple[int, bool]:
        first = {name: number for number, name in enumerate(LONGEST)}
        return first.get(unit(item.nodeid), len(first)), not item.get_closest_marker("workflow")

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole units; marks of pytest-xdist's groups do nothing since pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False  # in the order of the collection
    return ByUnit(config, log)
