"""The garbage collector while modules are imported."""

from __future__ import annotations

import gc

import pytest

from phasezoo.cli.importing import importing


@pytest.fixture(autouse=True)
def _thaw():
    yield
    gc.unfreeze()


def test_the_collector_rests_and_then_works_on_what_is_new() -> None:
    with importing():
        assert not gc.isenabled()
        old: list[object] = []
        old.append(old)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert not any(found is old for found in gc.get_objects())


def test_it_works_again_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
