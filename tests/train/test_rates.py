"""What training does for its rules: rates that fall on a plateau, and steps that are skipped."""

from __future__ import annotations

import math

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk import data, nn, optim
from spusk.errors import InputError
from spusk.optim import SGD, Adam, Clip, Mask, Partition, Plateau, SkipNonFinite
from spusk.optim.wrappers.plateau import Watch, plateaus
from spusk.train import programs

NET = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
NEVER = {"patience": 0, "threshold": 1.0}  # no loss is ever good enough


def trained(rule, backend="native", net=NET, **settings):
    return sp.train(
        net, data.iris(), optimizer=rule, progress=False, dtype="float64", backend=backend,
        **{"epochs": 4, "batch_size": 16, **settings},
    )  # fmt: skip


# --- plateau ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(
    "around",
    [
        lambda rule: rule,
        lambda rule: Clip(optim.Lookahead(rule), global_norm=1e9),
        lambda rule: Mask(rule, only="*"),
        lambda rule: Partition({"*": rule}),
        lambda rule: optim.LayerRates(optim.EMA(rule, beta=0.0), {"0.*": 1.0}),
    ],
)
def test_the_rate_falls_wherever_the_plateau_lies(backend, around):
    run = trained(around(Plateau(SGD(lr=0.1), factor=0.5, **NEVER)), backend)
    np.testing.assert_allclose(run.history["lr_scale"], [1.0, 1.0, 0.5, 0.25])
    # 120 rows are 8 batches an epoch: the same rates as a schedule.
    rates = optim.Piecewise((0.1, 0.05, 0.025), (16, 24))
    expected = trained(around(SGD(lr=rates)), backend)
    for name, w in expected.parameters.items():
        np.testing.assert_allclose(run.parameters[name], w, rtol=1e-9)


def test_a_rate_that_falls_builds_nothing_anew(monkeypatch):
    built = []
    original = programs.descent_step
    monkeypatch.setattr(programs, "descent_step", lambda *a, **k: built.append(1) or original(*a, **k))
    run = trained(Plateau(SGD(lr=0.1), **NEVER), batch_size=64)  # and a smaller batch at the end
    assert run.history["lr_scale"][-1] < 1
    assert len(built) == 2


def test_plateaus_of_several_parts_fall_apart_from_one_another():
    rule = Partition({"0.*": Plateau(SGD(lr=0.1), factor=0.5, **NEVER), "*": Plateau(Adam(), patience=100)})
    run = trained(rule)
    assert list(plateaus(rule)) == ["rules.0.*.scale", "rules.*.scale"]
    np.testing.assert_allclose(run.history["lr_scale of rules.0.*.scale"], [1.0, 1.0, 0.5, 0.25])
    np.testing.assert_allclose(run.history["lr_scale of rules.*.scale"], 1.0)


def test_it_multiplies_a_schedule_and_stops_at_the_least_rate():
    rule = Plateau(SGD(lr=optim.StepDecay(0.1, every=16, factor=0.5)), min_lr=0.02, factor=0.1, **NEVER)
    # Rates by epoch of 8 steps: 0.1, 0.1, then 0.05·0.1 and 0.05·0.01, which are below the least.
    expected = trained(SGD(lr=optim.Piecewise((0.1, 0.02), (16,))))
    for name, w in trained(rule).parameters.items():
        np.testing.assert_allclose(w, expected.parameters[name], rtol=1e-9)
    slow = Plateau(SGD(lr=0.01), min_lr=0.5, **NEVER)
    plain = trained(SGD(lr=0.01))
    for name, w in trained(slow).parameters.items():  # a rate below the least is never raised
        np.testing.assert_allclose(w, plain.parameters[name], rtol=1e-12)


def test_what_it_watches_can_be_told():
    run = trained(Plateau(SGD(lr=0.1), monitor="accuracy", mode="max", patience=0), epochs=6)
    scale, expected, best = 1.0, [], -math.inf
    for accuracy in run.history["accuracy"]:
        expected.append(scale)
        if accuracy > (best if math.isinf(best) else best * (1 + 1e-4)):
            best = accuracy
        else:
            scale *= 0.1
    np.testing.assert_allclose(run.history["lr_scale"], expected)
    with pytest.raises(InputError, match=r"Plateau\(monitor='val_los'\) names no measure; did you mean"):
        trained(Plateau(SGD(), monitor="val_los"))


@pytest.mark.parametrize(
    ("settings", "measures", "scales"),
    [
        ({"patience": 1, "factor": 0.5}, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "factor": 0.5, "cooldown": 2}, [3, 3, 3, 3, 3, 3], [1, 0.5, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 2, "factor": 0.5, "inclusive": True}, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "factor": 0.5, "inclusive": True}, [3, 2, 2], [1, 1, 0.5]),
        (
            {"patience": 1, "factor": 0.5, "cooldown": 2, "inclusive": True},
            [3] * 6,
            [1, 0.5, 0.5, 0.25, 0.25, 0.125],
        ),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1}, [10, 9.5, 8.9, 8.9], [1, 0.5, 0.5, 0.25]),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1, "absolute": True}, [10, 9.8, 9.85], [1, 1, 0.5]),
        ({"patience": 0, "factor": 0.5, "mode": "max", "threshold": 0.1}, [1, 1.05, 1.2], [1, 0.5, 0.5]),
        ({"patience": 0, "factor": 0.5, "threshold": 0.1}, [-1, -1.05, -1.2], [1, 0.5, 0.5]),
        ({"patience": 0, "factor": optim.StepDecay(0.5, 2, 0.5)}, [1, 1, 1], [1, 0.5, 0.125]),
    ],
)
def test_the_scale_follows_the_measures(settings, measures, scales):
    watch = Watch(Plateau(**settings))
    np.testing.assert_allclose([watch.after(x) for x in measures], scales)


# --- skipping -----------------------------------------------------------------------------------------


def holed(outputs, targets):
    """The cross-entropy; not a number for batches that hold few examples of the first class."""
    few = snp.sum(snp.astype(targets == 0, "float64")) < 4
    return snp.where(few, snp.nan, 1.0) * nn.losses.cross_entropy(outputs, targets)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_skipped_steps_do_not_end_a_training(backend):
    ended = trained(SGD(lr=0.1), backend, loss=holed)
    assert ended.status == "diverged"
    run = trained(SkipNonFinite(SGD(lr=0.1), limit=5), backend, loss=holed)
    assert run.status == "finished"
    skipped = np.isnan(run.batch_loss)
    assert 0 < skipped.sum() < len(skipped)
    assert np.isfinite(run.history["loss"]).all()
    assert run.history["loss"][-1] < run.initial["loss"]


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize(
    "around", [lambda r: r, lambda r: optim.SAM(Clip(r, norm=1.0)), lambda r: Partition({"*": r})]
)
def test_more_in_a_row_than_allowed_are_a_divergence(backend, around):
    def never(outputs, targets):
        return snp.nan * nn.losses.cross_entropy(outputs, targets)

    # The loss of the whole part is measured, too, so an epoch of 8 steps must hold more than are allowed.
    run = trained(around(SkipNonFinite(SGD(lr=0.1), limit=3)), backend, loss=never)
    assert (run.status, run.steps) == ("diverged", 4)
    start = trained(SGD(lr=0.1), backend, epochs=0)
    for name, w in start.parameters.items():
        np.testing.assert_array_equal(run.parameters[name], w)


def test_a_part_that_does_not_skip_ends_the_training():
    rule = Partition({"0.*": SkipNonFinite(SGD(lr=0.1)), "*": SGD(lr=0.1)})
    assert trained(rule, loss=holed).status == "diverged"
    both = Partition({"0.*": SkipNonFinite(SGD(lr=0.1)), "*": SkipNonFinite(Adam())})
    assert trained(both, loss=holed).status == "finished"
