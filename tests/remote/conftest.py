from __future__ import annotations

from collections.abc import Iterator

import pytest

from remote.sites import NGINX, Site, nginx, threaded
from steps.tiny import Tiny, made


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Two finished zoos, made once; a test that changes them puts them back."""
    return made(tmp_path_factory.getbasetemp() / "tiny")


@pytest.fixture(scope="module", params=["threaded", "nginx"])
def site(
    request: pytest.FixtureRequest, tiny: Tiny, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A web server over the finished zoos."""
    if request.param == "threaded":
        with threaded(tiny.root) as served:
            yield served
        return
    if NGINX is None:
        pytest.skip("nginx is not installed")
    with nginx(tiny.root, tmp_path_factory.mktemp("nginx") / "home") as served:
        yield served
