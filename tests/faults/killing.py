"""When to kill a workflow: every rule once, and at random moments in between."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from faults.study import Progress, Study, Workflow, size_of

# Seconds that a job of a rule takes at most on an idle machine; a moment is drawn from them.
_QUICK, _SLOW = 0.8, 2.5
_CHEAP = {"data", "collect_metrics", "collect_merging", "collect_transfer", "phases"}


@dataclass
class Campaign:
    """Kills one study again and again; each time a user unlocks it and starts it once more."""

    study: Study
    kills: int
    rules: int
    jobs: int
    chance: random.Random
    hit: list[list[str]] = field(default_factory=list)
    trained: dict[Path, float] = field(default_factory=dict)
    orphans: list[Workflow] = field(default_factory=list)
    refusal: str = ""
    seen: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        while len(self.hit) < self.kills:
            workflow = self.study.start()
            if not self._strike(workflow):
                break  # it was quicker
            if not self.refusal:
                self.refusal = self.study.fails()
            self.study.unlock()
        self.study.make()
        for workflow in self.orphans:
            workflow.wait()

    def _strike(self, workflow: Workflow) -> bool:
        """Kill it at the next good moment; False if there was none before it ended."""
        due = self._due()
        seen = {rule for rules in self.hit for rule in rules}

        def good(progress: Progress) -> bool:
            new = set(progress.running) - seen
            return bool(new) or len(progress.started) >= due

        if not workflow.until(good):
            return False
        running = workflow.progress.running
        quick = all(rule in _CHEAP for rule in running)
        self._linger(workflow, self.chance.uniform(0.0, _QUICK if quick else _SLOW))
        self.hit.append(workflow.progress.running)
        with_jobs = len(self.hit) % 2 == 1
        workflow.kill(with_jobs)
        if not with_jobs:
            self.orphans.append(workflow)
        self._see()
        for manifest, when in self.study.trained().items():
            self.trained.setdefault(manifest, when)
        return True

    def _see(self) -> None:
        """Keep in mind what is finished, and what of that is gone already."""
        made = self.study.contents()
        finished = [p.relative_to(self.study.root).as_posix() for p in self.study.finished()]
        for name in (name for name in finished if not name.endswith(".zarr")):
            self.seen[name] = made.get(name, "gone")

    def lost(self, oracle: Study) -> int:
        """Bytes of artefacts that were finished, and not what they should be after a kill."""
        good = oracle.contents()
        bad = [name for name, digest in self.seen.items() if good[name] != digest]
        return sum(size_of(oracle.root / name) for name in bad)

    def _linger(self, workflow: Workflow, seconds: float) -> None:
        """Wait a while, or until a job ends."""
        end, done = time.monotonic() + seconds, len(workflow.progress.done)
        workflow.until(lambda now: time.monotonic() > end or len(now.done) > done)

    def _due(self) -> int:
        """After how many starts to kill, so that the study lasts for all kills; two run at once."""
        left = self.jobs - len([p for p in self.study.finished() if p.suffix != ".zarr"])
        unhit = self.rules - len({rule for rules in self.hit for rule in rules})
        spare = max(1, self.kills - len(self.hit) - unhit)
        drawn = 2 + self.chance.randint(0, max(1, round(2 * (left - unhit) / spare)))
        return min(drawn, max(1, left))

    def trained_again(self, started: dict[Path, float]) -> list[Path]:
        """Training jobs that were finished, and began anew."""
        return [path for path, when in self.trained.items() if started[path] > when]

    def counted(self) -> str:
        counts = Counter(rule for rules in self.hit for rule in rules)
        return ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
