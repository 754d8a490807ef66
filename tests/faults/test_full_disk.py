"""A disk that is full, or can only be read, in the place of one folder or of all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from faults.conftest import Told
from faults.disk import disk_at
from faults.study import FOLDERS, SNAKEMAKE, Study, only_root

pytestmark = [pytest.mark.workflow, only_root()]

PAGE = 4096  # bytes; a file takes whole pages
LOST = {
    "data": "data/digits.json",
    "train": "runs/tiny/3/20/0+1/0+1+2.json",
    "evaluate": "measured/tiny/3{loads}/20{temperatures}/0+1/2/evaluation.nc",
    "collect_metrics": "results/tiny/metrics.nc",
    "phases": "results/tiny/phases.nc",
    "publish": "zoos/tiny.json",
    "report": "results/report/tiny.png",
}


def lost_by(rule: str, long: bool) -> str:
    """An artefact of a rule."""
    loads, temperatures = ("+7", "+50") if long else ("", "")
    return LOST[rule].format(loads=loads, temperatures=temperatures)


def made_files(study: Study) -> list[Path]:
    """What a workflow has made, without Snakemake's records; published weights are links."""
    found = {
        p.stat().st_ino: p for f in FOLDERS for p in (study.root / f).rglob("*") if p.is_file()
    }
    return list(found.values())


def of_form(*short: object) -> list:
    """Values of a parameter: these in the short form, the others in the long one."""
    rules = [(rule, pages) for rule in LOST for pages in (0, 1, 3)]
    return [c if c in short else pytest.param(*c, marks=pytest.mark.long) for c in rules]


def finish(study: Study, oracle: Study, rule: str, long: bool) -> None:
    """What a user does when the cause is gone."""
    study.make(*([] if long else ["--until", rule]))  # has the bytes it had: nothing follows
    while long and study.planned():  # lost data are made again alone
        study.make()
    study.check_whole(oracle)


@pytest.mark.parametrize(("rule", "pages"), of_form(("collect_metrics", 1)))
def test_a_full_disk_is_named_and_once_grown_the_study_is_finished(
    oracle: Study, tmp_path: Path, long: bool, told: Told, rule: str, pages: int
) -> None:
    study, lost = oracle.copy(tmp_path / "study"), lost_by(rule, long)
    study.remove(lost)
    folder = lost.split("/")[0]
    with disk_at(study.root / folder) as disk:
        disk.fill(pages * PAGE)
        said = study.fails("--until", rule)
        line = re.search(rf"^\S*{folder}\S*: .*No space left on device.*$", said, re.MULTILINE)
        assert line, said
        assert "Traceback" not in said
        disk.grow()
        finish(study, oracle, rule, long)
    told(f"disk full in `{rule}`, {pages} pages left", "failed, finished", line[0][-120:], 0)


@pytest.mark.parametrize(
    "rule",
    [r if r == "collect_metrics" else pytest.param(r, marks=pytest.mark.long) for r in LOST],
)
def test_a_disk_that_can_only_be_read_is_named(
    oracle: Study, tmp_path: Path, long: bool, told: Told, rule: str
) -> None:
    study, lost = oracle.copy(tmp_path / "study"), lost_by(rule, long)
    study.remove(lost)
    folder = lost.split("/")[0]
    with disk_at(study.root / folder) as disk:
        disk.freeze()
        said = study.fails("--until", rule)
        line = re.search(rf"^.*\b{folder}\b.*Read-only file system.*$", said, re.MULTILINE)
        assert line, said
        assert "Traceback" not in said
        disk.thaw()
        if long:
            finish(study, oracle, rule, long)
    told(f"read-only disk in `{rule}`", "failed, finished", line[0].strip(), 0)


@pytest.mark.long
@pytest.mark.parametrize("share", [0.1, 0.2, 0.4, 0.6, 0.75, 0.85])
def test_a_study_on_a_disk_too_small_is_finished_on_a_larger_one(
    oracle: Study, fresh: Study, told: Told, share: float
) -> None:
    pages = sum(-(-path.stat().st_size // PAGE) for path in made_files(oracle))
    kilobytes = int(share * pages * PAGE / 1024)
    with disk_at(fresh.root) as disk:
        disk.fill(kilobytes * 1024)
        said = fresh.fails()
        assert "No space left on device" in said
        where = re.findall(r"^Error in rule (\w+):", said, re.MULTILINE) or ["Snakemake itself"]
        disk.grow()
        if any((fresh.root / ".snakemake/locks").glob("*")):
            fresh.unlock()
        fresh.run(*SNAKEMAKE)
        while fresh.planned():
            fresh.make()
        fresh.check_whole(oracle)
    line = re.search(r"^.*No space left on device.*$", said, re.MULTILINE)[0]
    told(f"disk of {kilobytes} KiB for all", f"full in {', '.join(where)}", line.strip()[-120:], 0)
