"""SIGKILL of the workflow, with its jobs or without them, at any moment."""

from __future__ import annotations

import json
import os
import random
import re
import signal
from datetime import datetime
from pathlib import Path

import pytest

from faults.conftest import Told
from faults.killing import Campaign
from faults.study import Study
from phasezoo.store.audit import State, audit, mend
from phasezoo.store.manifest import provenance_of
from phasezoo.store.whole import draft_of

pytestmark = [pytest.mark.workflow]


def began(study: Study) -> dict[Path, float]:
    """When the training of every manifest began."""
    found = [p for p in (study.root / "runs").rglob("*.json") if p.name.count(".") == 1]
    manifests = [path for path in found if ".zarr" not in path.as_posix()]
    told = {path: json.loads(provenance_of(path).read_text())["started"] for path in manifests}
    return {path: datetime.fromisoformat(when).timestamp() for path, when in told.items()}


def test_a_study_killed_again_and_again_is_the_undisturbed_one(
    begun: object, fresh: Study, long: bool, told: Told, request: pytest.FixtureRequest
) -> None:
    planned = fresh.planned()
    campaign = Campaign(
        study=fresh,
        kills=30 if long else 1,
        rules=len(planned),
        jobs=sum(planned.values()),
        chance=random.Random("kills"),
    )
    campaign.run()
    oracle: Study = request.getfixturevalue("oracle")
    assert "--unlock" in campaign.refusal
    fresh.verified("--mend")
    fresh.check_whole(oracle)
    assert campaign.trained_again(began(fresh)) == []
    assert campaign.lost(oracle) == 0
    assert len(campaign.hit) >= (25 if long else 1)
    if long:
        # rules that run once may slip through
        often = {rule for rule, count in planned.items() if count > 1}
        assert often <= {rule for rules in campaign.hit for rule in rules}
    happened = f"{len(campaign.hit)} kills, {len(campaign.orphans)} leaving jobs behind, during: "
    message = re.search(r"^.*--unlock.*$", campaign.refusal, re.MULTILINE)[0].strip()
    told(
        "SIGKILL of the workflow",
        happened + campaign.counted(),
        message.strip(),
        campaign.lost(oracle),
    )


def test_a_job_killed_before_it_wrote_anything_leaves_nothing(tmp_path: Path) -> None:
    draft = draft_of(tmp_path / "runs/tiny/3/20/0+1/0+1+2.zarr")
    draft.mkdir(parents=True)  # as training does when it begins
    found = audit(tmp_path, [], [], ["runs"])
    assert [finding.state for finding in found.findings] == [State.LEFTOVER]
    mend(tmp_path, found)
    assert not draft.exists()


@pytest.mark.long
def test_a_job_left_behind_that_ends_after_its_successor_changes_nothing(
    oracle: Study, tmp_path: Path, told: Told
) -> None:
    study = oracle.copy(tmp_path / "study")
    study.remove("runs/tiny/3/20/0+1/0+1+2.json")
    workflow = study.start("--until", "train")
    assert workflow.until(lambda _: bool(workflow.jobs("train")))
    asleep = workflow.jobs("train")
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    workflow.kill(with_jobs=False)
    study.unlock()
    study.make()
    for pid in asleep:
        os.kill(pid, signal.SIGCONT)
    workflow.wait()
    study.check_whole(oracle)
    told("job that outlives its workflow", "wrote after its successor", "nothing to say", 0)
