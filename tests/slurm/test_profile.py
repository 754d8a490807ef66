"""What the profile of a cluster says; needs no cluster."""

from __future__ import annotations

import re

import pytest
import yaml

from workflow.project import REPOSITORY


@pytest.fixture(scope="module")
def profile() -> dict:
    return yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())


def test_it_repeats_what_the_default_profile_says_of_running_again(profile: dict):
    default = yaml.safe_load((REPOSITORY / "profiles/default/config.yaml").read_text())
    repeated = {name: value for name, value in default.items() if name != "resources"}
    assert {name: profile[name] for name in repeated} == repeated


def test_every_rule_has_its_time_and_memory(profile: dict):
    texts = (path.read_text() for path in (REPOSITORY / "rules").glob("*.smk"))
    rules = {name for text in texts for name in re.findall(r"^rule (\w+):", text, re.MULTILINE)}
    assert set(profile["set-resources"]) == rules
    assert all(set(asked) == {"runtime", "mem_mb"} for asked in profile["set-resources"].values())


def test_it_names_no_site(profile: dict):
    said = yaml.safe_dump(profile)
    assert not re.search(r"partition|account|qos|constraint", said)
    assert "default-resources" not in profile  # free for the command line, which would replace it
