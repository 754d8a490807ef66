"""What classifiers are judged by: against loops in NumPy, and in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from phasezoo import rng
from phasezoo.merging.judgement import Judgement, judgement, marks, mean_judgement

SAMPLES, CLASSES, BINS = 1009, 11, 15


def drawn(seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    chance = rng.generator("judgement", seed)
    logits = 2 * torch.randn(SAMPLES, CLASSES, generator=chance, dtype=dtype)
    return logits, torch.randint(CLASSES, (SAMPLES,), generator=chance)


def by_hand(logits: np.ndarray, labels: np.ndarray, bins: int) -> dict[str, object]:
    """One sample after the other, as the papers define it."""
    late, wrong, loss, rows = 0, 0, 0.0, []
    for row, label in zip(logits, labels, strict=True):
        shares = np.exp(row - row.max())
        shares /= shares.sum()
        five = sorted(range(len(row)), key=lambda k: (-row[k], k == label))[:5]
        late += label not in five
        wrong += int(row.argmax()) != label
        loss -= math.log(shares[label])
        rows.append((shares.max(), row.argmax() == label))
    curve, gap = [], 0.0
    for b in range(bins):
        inside = [r for r in rows if b / bins < r[0] <= (b + 1) / bins]
        curve.append(len(inside))
        if inside:
            confidence, accuracy = np.mean(inside, axis=0)
            gap += len(inside) / len(rows) * abs(confidence - accuracy)
    of = len(rows)
    return {"top5": late / of, "error": wrong / of, "loss": loss / of, "ece": gap, "count": curve}


@pytest.mark.parametrize("bins", [1, 7, BINS])
def test_all_numbers_are_those_of_a_loop_over_samples(bins: int) -> None:
    logits, labels = drawn()
    found = judgement(marks(logits, labels), bins)
    wanted = by_hand(logits.numpy(), labels.numpy(), bins)
    assert found.top5_error == wanted["top5"]
    assert found.error == wanted["error"]
    assert found.loss == pytest.approx(wanted["loss"], rel=1e-12)
    assert found.calibration_error == pytest.approx(wanted["ece"], rel=1e-12)
    assert found.curve.count.tolist() == wanted["count"]


def test_five_of_many_classes_hold_the_right_one_by_chance_that_often() -> None:
    """Not the largest five of a batch, which nearly always hold every label."""
    logits, labels = drawn()
    found = judgement(marks(logits, labels), BINS).top5_error
    expected = 1 - 5 / CLASSES
    assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / SAMPLES)


def test_equal_logits_are_decided_against_the_model() -> None:
    """All equal: five others may come first. With one lower, the right one is among five."""
    labels = torch.zeros(1, dtype=torch.long)
    equal = torch.zeros(1, 6)
    assert judgement(marks(equal, labels), BINS).top5_error == 1
    assert judgement(marks(equal - torch.tensor([0, 1, 0, 0, 0, 0]), labels), BINS).top5_error == 0


@pytest.mark.parametrize(("classes", "is_known"), [(5, False), (6, True)])
def test_top_5_of_five_classes_says_nothing(classes: int, is_known: bool) -> None:
    logits = torch.randn(13, classes, generator=rng.generator("few"))
    found = judgement(marks(logits, torch.zeros(13, dtype=torch.long)), BINS)
    assert math.isfinite(found.top5_error) == is_known


def test_calibration_in_closed_form() -> None:
    """Probabilities 0.86 of which 3 of 4 are right, and 0.56 of which 1 of 2 is."""
    logits = torch.tensor([[0.86, 0.14]] * 4 + [[0.56, 0.44]] * 2, dtype=torch.float64).log()
    labels = torch.tensor([0, 0, 0, 1, 0, 1])
    found = judgement(marks(logits, labels), 10)
    assert found.calibration_error == pytest.approx((4 * 0.11 + 2 * 0.06) / 6, rel=1e-12)
    assert found.curve.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 4, 0]
    assert found.curve.accuracy[[5, 8]].tolist() == [0.5, 0.75]
    np.testing.assert_allclose(found.curve.confidence[[5, 8]], [0.56, 0.86])
    assert np.isnan(found.curve.accuracy[0])


def test_what_knows_its_own_probabilities_is_calibrated() -> None:
    chance = rng.generator("calibrated")
    logits = 2 * torch.randn(50_021, CLASSES, generator=chance, dtype=torch.float64)
    labels = logits.softmax(dim=1).multinomial(1, generator=chance).squeeze(1)
    assert judgement(marks(logits, labels), BINS).calibration_error < 0.01
    assert judgement(marks(3 * logits, labels), BINS).calibration_error > 0.1


def test_wrong_types_of_numbers_do_not_matter() -> None:
    logits, labels = drawn(dtype=torch.float32)
    narrow, wide = (judgement(marks(of, labels), BINS) for of in (logits, logits.double()))
    assert narrow.loss == wide.loss
    assert narrow.calibration_error == wide.calibration_error


def test_what_is_not_a_number_is_wrong_and_has_no_calibration() -> None:
    logits, labels = drawn()
    logits[7] = torch.nan
    found = judgement(marks(logits, labels), BINS)
    rest = torch.arange(SAMPLES) != 7
    of_rest = judgement(marks(logits[rest], labels[rest]), BINS)
    assert found.error * SAMPLES == pytest.approx(of_rest.error * (SAMPLES - 1) + 1)
    assert found.top5_error * SAMPLES == pytest.approx(of_rest.top5_error * (SAMPLES - 1) + 1)
    assert math.isnan(found.calibration_error)
    assert np.isnan(found.curve.count).all()


def test_samples_that_are_there_twice_count_once() -> None:
    once = marks(*drawn())
    twice = judgement(torch.cat([once, once]), BINS, times=2)
    np.testing.assert_array_equal(twice.curve.count, judgement(once, BINS).curve.count)


def test_the_mean_of_models_pools_their_bins_and_not_their_errors() -> None:
    """One is too sure of itself and one not sure enough; together they would look calibrated."""
    logits, _ = drawn()
    labels = logits.softmax(dim=1).multinomial(1, generator=rng.generator("pool")).squeeze(1)
    each = [marks(scale * logits, labels) for scale in (2, 0.5)]
    several = [judgement(of, BINS) for of in each]
    found, pooled = mean_judgement(several), judgement(torch.cat(each), BINS, times=2)
    mean = np.mean([of.calibration_error for of in several])
    assert found.calibration_error == pytest.approx(mean, rel=1e-12)
    assert found.calibration_error > 1.1 * pooled.calibration_error
    for name in ("count", "confidence", "accuracy"):
        values, wanted = getattr(found.curve, name), getattr(pooled.curve, name)
        np.testing.assert_allclose(values, wanted, rtol=1e-12)


def test_the_mean_of_one_is_itself() -> None:
    one = judgement(marks(*drawn()), BINS)
    mean = mean_judgement([one])
    assert isinstance(mean, Judgement)
    np.testing.assert_array_equal(mean.curve.confidence, one.curve.confidence)
    assert mean.loss == one.loss
