"""Plateau against the loops of the schedulers that it is named after."""

import math

import numpy as np
import pytest

from spusk.graph import as_tensor, evaluate, scalar
from spusk.optim import SGD, Adam, Plateau
from spusk.optim.wrappers.plateau import Watch


def reduce_lr_on_plateau(
    measures, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0
):
    """The factors of PyTorch's ReduceLROnPlateau with eps=0, as its documentation tells them."""
    best, bad, cooling, scale, scales = math.inf if mode == "min" else -math.inf, 0, 0, 1.0, []
    for measure in measures:
        if threshold_mode == "rel":
            bar = best * (1 - threshold if mode == "min" else 1 + threshold)
        else:
            bar = best - threshold if mode == "min" else best + threshold
        if measure < bar if mode == "min" else measure > bar:
            best, bad = measure, 0
        else:
            bad += 1
        if cooling > 0:
            cooling, bad = cooling - 1, 0
        if bad > patience:
            scale, cooling, bad = scale * factor, cooldown, 0
        scales.append(scale)
    return scales


def falling(seed, count=120):
    random = np.random.default_rng(seed)
    return (1 + np.exp(-np.arange(count) / 20) + 0.02 * random.normal(size=count)).tolist()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"patience": 0},
        {"patience": 2, "factor": 0.5, "cooldown": 3},
        {"patience": 1, "threshold": 0.05},
        {"patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
        {"mode": "max", "patience": 3},
        {"mode": "max", "patience": 3, "threshold": 0.01, "threshold_mode": "abs", "cooldown": 1},
    ],
    ids=repr,
)
def test_its_scale_is_torch_s(seed, settings):
    measures = [x if settings.get("mode") != "max" else 3 - x for x in falling(seed)]
    ours = {name: value for name, value in settings.items() if name != "threshold_mode"}
    watch = Watch(Plateau.like("torch", absolute=settings.get("threshold_mode") == "abs", **ours))
    expected = reduce_lr_on_plateau(measures, **settings)
    np.testing.assert_allclose([watch.after(x) for x in measures], expected, rtol=1e-12)
    assert expected[-1] < 1


def test_keras_counts_ten_epochs_that_do_not_fall_by_more_than_an_absolute_amount():
    # ReduceLROnPlateau(patience=10, min_delta=1e-4): the tenth epoch without a fall by more is the last.
    watch = Watch(Plateau.like("keras"))
    scales = [watch.after(x) for x in (100.0, *[100 - 0.9e-4] * 10)]
    np.testing.assert_allclose(scales, [1.0] * 10 + [0.1])
    watch = Watch(Plateau.like("keras"))
    np.testing.assert_allclose([watch.after(100 - 1.1e-4 * i) for i in range(30)], 1.0)


@pytest.mark.parametrize(
    ("mode", "last", "scale"),
    [("min", 0.5, 0.5), ("min", 0.499, 1.0), ("max", 1.5, 0.5), ("max", 1.501, 1.0)],
)
def test_an_improvement_by_the_threshold_is_none(mode, last, scale):
    watch = Watch(Plateau(patience=0, factor=0.5, threshold=0.5, mode=mode))
    assert [watch.after(1.0), watch.after(last)] == [1.0, scale]


def test_a_measure_that_is_never_a_number_is_no_improvement():
    watch = Watch(Plateau(patience=1, factor=0.5))
    assert [watch.after(math.nan) for _ in range(3)] == [1.0, 0.5, 0.5]
    watch = Watch(Plateau(patience=1, factor=0.5))
    assert [watch.after(math.inf) for _ in range(3)] == [1.0, 0.5, 0.5]


def test_a_scale_that_was_reached_before_is_where_it_begins():
    watch = Watch(Plateau(SGD(lr=0.1), patience=0, factor=0.5, scale=0.25))
    assert [watch.after(1.0), watch.after(1.0)] == [0.25, 0.125]


def test_a_measure_that_cannot_be_worse_is_no_improvement_on_nothing():
    watch = Watch(Plateau(mode="max", patience=1, factor=0.5))
    assert [watch.after(-math.inf) for _ in range(3)] == [1.0, 0.5, 0.5]


def test_its_inner_optimizer_steps_as_it_would_alone():
    w, g = {"w": as_tensor(np.array([0.5, -1.0]))}, {"w": as_tensor(np.array([2.0, 1.0]))}
    rules = (Plateau(Adam(), scale=0.5), Adam(lr=0.0005))
    points = [rule.update_all(w, g, rule.start_all(w), scalar(3.0))[0]["w"] for rule in rules]
    inside, alone = evaluate(points, {})
    np.testing.assert_allclose(inside, alone, rtol=1e-14)
