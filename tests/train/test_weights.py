"""The weights to use: what a rule makes of its parameters is what is measured, kept and returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from optim.averages import Average

import spusk as sp
from spusk import data, nn, optim
from spusk.errors import InputError, ShapeError
from spusk.optim import Hyper, Optimizer, Wrapper

BACKENDS = ["numpy", "native"]


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("around", [lambda r: r, lambda r: optim.Lookahead(r, alpha=1.0)])
def test_minimize_returns_the_averages_and_their_values(backend, around):
    plain = sp.minimize(rosenbrock, [-0.5, 1.0], optim.SGD(lr=1e-3), steps=50, backend=backend)
    found = sp.minimize(
        rosenbrock, [-0.5, 1.0], around(Average(optim.SGD(lr=1e-3))), steps=50, backend=backend
    )
    means = np.cumsum(plain.path, 0) / np.arange(1, 52)[:, None]
    np.testing.assert_allclose(found.path, means, rtol=1e-12)
    np.testing.assert_allclose(found.values, [rosenbrock(x) for x in means], rtol=1e-12)
    np.testing.assert_array_equal(found.x, found.path[-1])


def trained(rule, backend="native", **settings):
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    return sp.train(
        net, data.iris(), optimizer=rule, progress=False, dtype="float64", backend=backend,
        **{"epochs": 4, "batch_size": 16, **settings},
    )  # fmt: skip


@pytest.mark.parametrize("backend", BACKENDS)
def test_training_measures_keeps_and_saves_the_averages(backend, tmp_path):
    plain = trained(optim.SGD(lr=0.5), backend)
    run = trained(Average(optim.SGD(lr=0.5)), backend)
    # The steps, and so their losses, are those of the plain rule; what is returned is not.
    np.testing.assert_array_equal(run.batch_loss, plain.batch_loss)
    assert not np.allclose(run.parameters["0.weight"], plain.parameters["0.weight"])
    split = data.iris().split(0.2, 0, np.dtype("float64"))
    logits = run.model.net(run.parameters, split.val_x)
    assert nn.losses.cross_entropy(logits, split.val_y).numpy() == pytest.approx(run.history["val_loss"][-1])
    loaded = sp.load(run.save(tmp_path / "average.safetensors"))
    for name, w in run.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], w)


def test_the_average_counts_every_step_of_every_size_of_batch():
    # 120 rows are a batch of 64 and one of 56, which is another program.
    def weights(rule, **settings):
        return trained(rule, batch_size=64, **settings).parameters

    plain = optim.SGD(lr=0.5)
    points = [weights(plain, epochs=0), weights(plain, epochs=1, drop_last=True), weights(plain, epochs=1)]
    for name, mean in weights(Average(plain), epochs=1).items():
        np.testing.assert_allclose(mean, sum(w[name] for w in points) / 3, rtol=1e-12)


def test_patience_watches_and_restores_the_averages():
    long = trained(Average(optim.SGD(lr=8.0)), epochs=30, patience=3)
    assert long.status == "stopped"
    short = trained(Average(optim.SGD(lr=8.0)), epochs=long.best_epoch)
    for name, w in short.parameters.items():
        np.testing.assert_array_equal(long.parameters[name], w)
    assert long.history["val_loss"].min() == long.history["val_loss"][long.best_epoch - 1]


def test_weights_to_use_of_another_shape_are_told():
    @dataclass(frozen=True)
    class Wrong(optim.SGD):
        def evaluated(self, w, s):
            return w.sum()

    with pytest.raises(ShapeError, match=r"Wrong.evaluated changes parameter 'x' from shape \(2,\) to \(\)"):
        sp.minimize(rosenbrock, [-0.5, 1.0], Wrong(), steps=1)


def test_the_weights_to_use_see_the_hyperparameters_of_the_last_step():
    @dataclass(frozen=True)
    class Ahead(Optimizer):
        lr: Hyper = 0.5

        def update(self, w, g, s, t):
            return w - self.lr * g, s

        def evaluated(self, w, s):
            return w + self.lr

    rates = optim.StepDecay(1.0, every=1, factor=0.5)  # 1, 1/2, 1/4 in steps 1, 2, 3
    found = sp.minimize(lambda x: x, 0.0, Ahead(rates), steps=3)
    assert found.path.tolist() == [0 + 1, -1 + 1, -1.5 + 0.5, -1.75 + 0.25]


def test_a_wrapper_with_state_must_say_how_it_goes_on():
    class Forgetful(Wrapper):
        keeps_state: ClassVar[bool] = True

    with pytest.raises(InputError, match="Forgetful keeps state and does not define update_all"):
        sp.minimize(rosenbrock, [-0.5, 1.0], Forgetful(optim.SGD()), steps=1)


def test_rules_with_averages_can_be_compared():
    net = nn.Sequential(nn.Linear(4, 3))
    rules = {"plain": optim.SGD(), "mean": Average(optim.SGD())}
    study = sp.lab.compare(
        net, data.iris(), optimizers=rules, lrs=[0.5], seeds=1, epochs=2, jobs=1, progress=False
    )
    plain, mean = study.records
    assert plain.val_loss != mean.val_loss
