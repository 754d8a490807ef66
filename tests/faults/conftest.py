"""A short form with every run of the tests, a long one with `pytest tests/faults --long`."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from faults.study import Study, Workflow
from workflow import shared

_COLUMNS = ("fault", "what happened", "what the user was told", "bytes lost")

Told = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="faults: all of them, with a table")


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long", default=False))


@pytest.fixture(autouse=True)
def _only_in_the_long_form(request: pytest.FixtureRequest, long: bool) -> None:
    if request.node.get_closest_marker("long") and not long:
        pytest.skip("in the long form only: --long")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: a fault of the long form")


@pytest.fixture(scope="session")
def spec(long: bool) -> dict:
    """The tiny study grown by a share, or shrunk to one cell and the cheapest rules."""
    if not long:
        return shared.small_params()
    found = deepcopy(shared.TINY)
    found["zoos"]["tiny"]["temperature"]["values"] = [[20, 50], [100]]
    return found


@pytest.fixture(scope="session")
def begun(
    tmp_path_factory: pytest.TempPathFactory, spec: dict, long: bool
) -> tuple[Study, Workflow] | None:
    """The study of the long form to which nothing happens, while it is being made."""
    if not long:
        return None
    study = Study(Study.create(tmp_path_factory.mktemp("undisturbed") / "study", spec).root)
    return study, study.start()


@pytest.fixture(scope="session")
def oracle(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, long: bool
) -> Study:
    """The study as it is when nothing happens to it; the short one is made for other tests too."""
    if not long:
        return Study(shared.small_study(tmp_path_factory.getbasetemp() / "small").root)
    study, workflow = request.getfixturevalue("begun")
    said = workflow.wait()
    assert workflow.process.returncode == 0, said
    return study


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what can go on while the undisturbed study is being made."""
    items.sort(key=lambda item: item.path.name != "test_kill.py")


@pytest.fixture
def fresh(tmp_path: Path, spec: dict) -> Study:
    """The same study, of which nothing is made."""
    return Study(Study.create(tmp_path / "study", deepcopy(spec)).root)


@pytest.fixture
def told(record_property: Callable[[str, object], None]) -> Told:
    """Puts a row into the table."""

    def row(fault: str, happened: str, message: str, lost: int) -> None:
        record_property("fault", [fault, happened, message, str(lost)])

    return row


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for group in ("passed", "failed") for r in terminalreporter.getreports(group)]
    rows = [row for r in reports for name, row in r.user_properties if name == "fault"]
    if rows and terminalreporter.config.getoption("--long", default=False):
        terminalreporter.section("faults")
        for row in (_COLUMNS, ("---",) * len(_COLUMNS), *rows):
            terminalreporter.write_line(f"| {' | '.join(row)} |")
