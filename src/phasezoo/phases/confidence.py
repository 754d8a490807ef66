"""How certain a label is: the share of resampled seeds and pairs that give the same one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from phasezoo.phases.calibrate import calibrate
from phasezoo.phases.cells import NO_PAIRS, Floats, Replicated, drawn_seeds
from phasezoo.phases.scheme import RESOLUTION, Labels, Scale, Scheme, Thresholds

NORMAL = 1.4826  # standard deviations per median absolute deviation of normal numbers


def confidence(
    scheme: Scheme,
    metrics: Mapping[str, Replicated],
    labels: Labels,
    given: Mapping[str, float | str],
    draws: int,
    how: str,
    chance: np.random.Generator,
) -> Floats:
    """Share of draws in which a cell has the label that it has, [load, temperature].

    In each draw every cell's seeds are drawn anew with replacement, pairs follow their seeds (or,
    where they share none, seeds their pairs), and thresholds that are not given are calibrated
    again, so their doubt is in it. A metric of one number per cell has no seeds to draw: it gets
    normal noise as large as the grid is rough (`roughness`). In cells where models disagree about
    the training loss (`dissent`) such a number is of no use, because the odd model is in it; draws
    with that model count as another label.
    Draws in which no pair is left are passed over; a cell without a label has confidence 0.

    Args:
        scheme: how cells get labels.
        metrics: each that decides, [load, temperature, replicate].
        labels: of the cells, [load, temperature].
        given: a number or "calibrated" for each threshold.
        draws: how many.
        how: seeds and pairs become one number per cell, mean or median.
        chance: the only source of chance.
    """
    if not (labels > 0).any():  # nothing measured, as in most epochs of a published table
        return np.zeros(labels.shape)
    drawn, seeds = _drawn(metrics, labels.shape, draws, chance)
    scales = {decision.metric: decision.scale for decision in scheme.decisions}
    cells = {
        name: metric.of_resampled(drawn, how)
        if metric.kind != "cell"
        else _noisy(metric, scales[name], draws, chance)
        for name, metric in metrics.items()
    }
    same, counted = np.zeros(labels.shape), np.zeros(labels.shape)
    odd = _odd(scheme, metrics, given, how, seeds)
    for draw in range(draws):
        of_draw = {name: values[draw] for name, values in cells.items()}
        chosen = {k: v.value for k, v in calibrate(scheme, of_draw, given).items()}
        found = scheme.answer(of_draw, chosen)
        spoilt = np.take_along_axis(odd, drawn[draw], axis=-1).any(axis=-1)
        same += (found == labels) & ~spoilt
        counted += found > 0
    share = np.divide(same, counted, out=np.zeros_like(same), where=counted > 0)
    return np.where(labels > 0, np.minimum(share, 1.0), 0.0)


def _drawn(
    metrics: Mapping[str, Replicated],
    shape: tuple[int, ...],
    draws: int,
    chance: np.random.Generator,
) -> tuple[NDArray[np.intp], int]:
    """Positions of seeds drawn with replacement, [draw, load, temperature, seed]."""
    counts = [m.values.shape[-1] for m in metrics.values() if m.kind == "seed"]
    counts += [int(m.pairs.max()) + 1 for m in metrics.values() if m.kind == "pair"]
    seeds = max(counts, default=1)
    pairs = next((m.pairs for m in metrics.values() if m.kind == "pair"), NO_PAIRS)
    return drawn_seeds(seeds, pairs, (draws, *shape), chance), seeds


def _odd(
    scheme: Scheme,
    metrics: Mapping[str, Replicated],
    given: Mapping[str, float | str],
    how: str,
    seeds: int,
) -> NDArray[np.bool_]:
    """Models that disagree with their cell while other metrics are one number per cell."""
    cells = {name: metric.of_cells(how) for name, metric in metrics.items()}
    at = {name: chosen.value for name, chosen in calibrate(scheme, cells, given).items()}
    loss = metrics["train_loss"]
    others = [metric for name, metric in metrics.items() if name != "train_loss"]
    if loss.kind != "seed" or all(metric.kind != "cell" for metric in others):
        return np.zeros((*cells["train_loss"].shape, seeds), dtype=bool)
    return dissent(loss, cells["train_loss"], at)


def dissent(loss: Replicated, of_cells: Floats, at: Thresholds) -> NDArray[np.bool_]:
    """Models whose training loss is on the other side of the threshold than that of their cell.

    [load, temperature, replicate]; the seeds of a cell that failed where others did not.
    """
    other = (loss.values >= at["train_loss"]) != (of_cells >= at["train_loss"])[..., None]
    return np.asarray(other & np.isfinite(loss.values))


def _noisy(metric: Replicated, scale: Scale, draws: int, chance: np.random.Generator) -> Floats:
    """A metric of one number per cell with noise, [draw, load, temperature]."""
    values = _spread(metric.values[..., 0], scale)
    noise = chance.standard_normal((draws, *values.shape))
    return _gathered(values + roughness(values) * noise, scale)


def roughness(values: Floats) -> float:
    """Standard deviation of the noise on a smooth function of two axes, given on a grid.

    From second differences v[i-1] - 2 v[i] + v[i+1], whose variance is six times that of the noise,
    by their median size; the smaller of the two axes, since the function itself bends too. 0 where
    no axis has three values.
    """
    found = []
    for axis in range(values.ndim):
        bends = np.abs(np.diff(values, 2, axis=axis))
        bends = bends[np.isfinite(bends)]
        if bends.size:
            found.append(float(NORMAL * np.median(bends) / np.sqrt(6)))
    return min(found, default=0.0)


def _spread(values: Floats, scale: Scale) -> Floats:
    """Numbers on a scale on which noise is about the same everywhere."""
    match scale:
        case Scale.SIZE:
            return np.log(np.maximum(values, 1e-12))
        case Scale.BARRIER:  # either sign
            return np.arcsinh(values / RESOLUTION)
        case Scale.LIKENESS:
            return values


def _gathered(values: Floats, scale: Scale) -> Floats:
    """Inverse of `_spread`."""
    match scale:
        case Scale.SIZE:
            return np.exp(values)
        case Scale.BARRIER:
            return np.sinh(values) * RESOLUTION
        case Scale.LIKENESS:
            return np.minimum(values, 1.0)
