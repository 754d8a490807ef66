"""The page stands alone, says everything, and is the same every time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from phasezoo.report import trust
from phasezoo.report.counts import covered
from phasezoo.report.page import page
from phasezoo.report.words import WORDS
from phasezoo.spec.jobs import PublishJob
from phasezoo.spec.read import read_study
from phasezoo.vocabulary import EPOCH, FIVE_PHASES, PHASE_MEANINGS, THREE_REGIMES, Phase
from report.mock import EQUATION, REGIMES, SMALL, emptied, mock, relabelled

PARAMS = Path(__file__).parents[2] / "params.yaml"
VOID = {"meta", "img", "br"}


class _Balance(HTMLParser):
    """Collects ids and images, and fails where a tag closes that was not open."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.alts = [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "img":
            self.alts.append(given.get("alt"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _read(text):
    parser = _Balance()
    parser.feed(text)
    assert not parser.open
    return parser


@pytest.fixture(scope="module")
def text():
    return page([mock()])


def test_page_loads_nothing(text):
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert sources
    assert all(s.startswith(("data:image/svg+xml,", "#")) for s in sources)
    drawings = " ".join(unquote(s) for s in sources)
    assert not re.search(r'href="(?!#|data:)', drawings)  # colour bars are pictures within
    bare = re.sub(r'svg\+xml,[^"]*', "", text)  # without names of the parts of SVG
    for loads in ("http://", "https://", "<script", "@import"):
        assert loads not in bare
    assert "<script" not in drawings
    assert "@import" not in drawings


def test_page_is_well_formed_and_can_be_heard(text):
    read = _read(text)
    assert len(read.ids) == len(set(read.ids))
    assert all(read.alts)
    assert '<html lang="en">' in text
    assert all(f'"#{i}"' not in text or i in read.ids for i in re.findall(r'href="#([^"]+)"', text))


def test_all_phases_stand_with_their_meanings(text):
    for phase in FIVE_PHASES:
        assert f"</span>{phase.title}</th>" in text
        assert PHASE_MEANINGS[phase] in text


def test_page_tells_what_it_was_made_of(text):
    assert "0123456789abcdef" * 4 in text
    assert "training.optimiser.learning_rate" in text
    assert "2.13.0" in text
    assert "122 trained, 1 diverged, 3 never trained" in text


def test_same_results_give_the_same_page(plain):
    assert page([mock(**SMALL)], regions=[]) == plain  # no regions are nothing more


@pytest.mark.usefixtures("undrawn")
def test_several_zoos_have_contents_and_do_not_clash():
    one, two = mock("one", **SMALL), mock("two", **SMALL)
    text = page([one, two])
    read = _read(text)
    assert len(read.ids) == len(set(read.ids))
    assert 'href="#one"' in text
    assert 'href="#two"' in text


def test_variables_missing_everywhere_do_not_hurt():
    results = mock(**SMALL)
    for group, names in {
        "metrics": ("cka", "mode_connectivity", "hessian_trace", "test_error", "train_loss"),
        "merging": ("barrier_naive", "single_error", "seed_average_error_naive"),
        "transfer": ("transfer_gain", "scratch_error", "fine_tuned_error"),
    }.items():
        results = emptied(results, group, *names)
    words = re.sub(r"svg\+xml,[^\"]*|provenance", "", page([results]).lower())
    assert "nan" not in words
    assert "CKA of the outputs: no value".lower() in words
    assert "n = 0, 0 cells" in words


def test_groups_never_written_do_not_hurt():
    small = mock(**SMALL)
    bare = replace(small, merging=small.merging[[]], transfer=small.transfer[[]])
    _read(page([bare]))


@pytest.mark.parametrize("phase", [Phase.IV_B, Phase.MISSING])
def test_a_zoo_of_one_label(phase):
    text = page([relabelled(mock(**SMALL), phase)])
    found = int(phase in FIVE_PHASES)
    assert f"<dd>{found} of 5" in text
    _read(text)


def test_page_tells_the_rule_and_how_far_to_trust_it(text):
    words = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "where its training loss reaches 0.1," in words
    assert "a barrier of more than 1.5 percentage points," in words
    assert "those that are hotter are IV-B as well, whatever their CKA" in words
    assert "the share of 40 resamples of seeds and pairs" in words
    assert "multiplied or divided by 1.25 (of CKA: its distance from 1)" in words
    assert "train_loss: as few as 3 seeds in a cell" in words  # a note


def test_page_has_the_table_of_sensitivity(text):
    (table,) = re.findall(r'<table class="sensitivity">.*?</table>', text, flags=re.DOTALL)
    rows = [re.findall(r">([^<>\n]*)</t[hd]>", row) for row in table.split("<tr")[2:]]
    results = mock()
    shown = [[row[0], row[1], int(row[3]), *map(int, row[4:])] for row in rows]
    assert shown[0][2:] == [0, *results.coverage.per_phase.values()]
    assert shown[1:] == [
        [WORDS[r.threshold].title, f"× {r.factor:g}", r.changed, *r.per_phase.values()]
        for r in results.coverage.sensitivity
    ]


@pytest.mark.usefixtures("undrawn")
def test_page_calls_out_what_is_lacking():
    results = replace(mock(**SMALL), merging=None, transfer=None)
    calls = re.findall(r'<p class="call">(.*?)</p>', page([results]))
    said = trust.lacking(results.coverage, results.labelling)
    assert said
    assert calls == said * 2  # beside the map, and beside the counts


@pytest.mark.usefixtures("undrawn")
def test_a_zoo_of_regimes_is_told_in_its_own_words():
    text = page([replace(mock(**SMALL, criteria=REGIMES), merging=None, transfer=None)])
    _read(text)
    words = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    assert "The scheme is regimes" in words
    assert "test error reaches 3.5 %" in words
    assert "of 3" in words
    assert "Cells per regime at epoch" in words
    assert not re.search(r"IV-[AB]", re.sub(r"svg\+xml,[^\"]*", "", text))
    for regime in THREE_REGIMES:
        assert f"</span>{regime.title}</th>" in text


def test_a_zoo_of_one_seed_and_one_cell():
    text = page([mock(widths=(16,), batch_sizes=(32,), blocks=((0,),), epochs=(0, 5))])
    assert "0 diverged" in text or "1 diverged" in text
    _read(text)


@pytest.mark.usefixtures("undrawn")
def test_groups_at_another_epoch_say_so():
    small = mock(**SMALL)
    early = replace(small, transfer=small.transfer.sel({EPOCH: [10]}))
    assert "Transfer at epoch 10:" in page([early])


@pytest.mark.usefixtures("undrawn")
def test_spec_of_a_study_is_told_and_titles_are_escaped():
    name, zoo = next(iter(read_study(PARAMS).zoos.items()))
    spec = PublishJob(name=name, zoo=zoo, groups=("metrics", "phases")).model_dump(mode="json")
    small = mock(**SMALL)
    text = page([replace(small, title="<b>A & B</b>", manifest=small.manifest | {"spec": spec})])
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in text
    assert f"<strong>{zoo.transfer.dataset}</strong>" in text
    assert "metrics.hessian.probes" in text


def test_collapsed_models_are_counted_in_their_phase():
    results = mock(**SMALL)
    one_each = results.phases["collapsed_models"] * 0 + 1
    counted = replace(results, phases=results.phases.assign(collapsed_models=one_each))
    assert all(row.collapsed == row.cells for row in covered(counted))
    assert sum(row.collapsed for row in covered(counted)) == results.phase.size


@pytest.mark.usefixtures("undrawn")
def test_a_zoo_whose_making_is_not_known_says_so():
    assert "its provenance is gone" in page([replace(mock(**SMALL), provenance={})])


@pytest.mark.usefixtures("undrawn")
def test_a_zoo_without_merging_and_transfer_has_neither():
    text = page([replace(mock(**SMALL), merging=None, transfer=None)])
    assert ">Merging<" not in text
    assert ">Transfer<" not in text
    _read(text)


def _words(text):
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"svg\+xml,[^\"]*", "", text)).split())


def test_losses_of_classes_are_nats(text):
    words = _words(text)
    assert "cross-entropy of the classes, error the share of samples misclassified" in words
    assert "Training loss nats" in words
    assert "Barrier, naive nats" in words


@pytest.mark.usefixtures("undrawn")
def test_losses_of_an_equation_have_no_unit_and_its_errors_exceed_100_per_cent():
    results = mock(**EQUATION)
    text = page([results])
    _read(text)
    words = _words(text)
    assert "squared residuals of the equation and its conditions" in words
    assert "nats" not in words
    assert "cross-entropy" not in words
    assert "misclassified" not in words
    highest = 100 * float(results.at_epoch("metrics")["test_error"].mean("seed").max())
    assert highest > 200
    assert f"to {highest:.2f} %" in text  # what is said of the figure
    assert "5 values of coefficient of the equation (the load) and 4 of learning rate" in words
    assert "Merging per coefficient of the equation" in words
    assert "per phase" not in words


@pytest.mark.usefixtures("undrawn")
def test_a_zoo_of_a_text_is_told_in_tokens():
    small = mock(**SMALL)
    small.spec["architecture"] = {"name": "gpt-2", "depth": 2, "heads": 2}
    words = _words(page([small]))
    assert "cross-entropy of the next token" in words
    assert "Training loss nats" in words
