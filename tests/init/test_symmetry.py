"""The lecture's warning, in NumPy alone: from equal weights, neurons stay identical for ever."""

import numpy as np
import pytest

from spusk.init import Constant, HeNormal, Ones, Zeros, initialise
from spusk.nn.parameter import Parameter

NET = [
    Parameter("0.weight", (5, 8), fan_in=5, fan_out=8),
    Parameter("0.bias", (8,), fan_in=5, fan_out=8, kind="bias"),
    Parameter("2.weight", (8, 3), fan_in=8, fan_out=3),
    Parameter("2.bias", (3,), fan_in=8, fan_out=3, kind="bias"),
]
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 5)), RNG.standard_normal((40, 3))


def gradients(p):
    """Forward and backward through two layers with tanh, half the mean squared error as the loss."""
    h = np.tanh(X @ p["0.weight"] + p["0.bias"])
    d_out = (h @ p["2.weight"] + p["2.bias"] - Y) / len(X)
    d_hidden = d_out @ p["2.weight"].T * (1 - h * h)
    return {
        "0.weight": X.T @ d_hidden,
        "0.bias": d_hidden.sum(0),
        "2.weight": h.T @ d_out,
        "2.bias": d_out.sum(0),
    }


def train(init, steps):
    p = initialise(NET, init, seed=0, dtype=np.float64)
    for _ in range(steps):
        g = gradients(p)
        p = {name: p[name] - 0.1 * g[name] for name in p}
    return p


def distinct_neurons(p):
    """How many of the 8 hidden neurons are different, each being its incoming and outgoing weights."""
    neurons = np.vstack([p["0.weight"], p["0.bias"], p["2.weight"].T]).T
    return len(np.unique(neurons.round(9), axis=0))


@pytest.mark.parametrize("init", [Zeros(), Ones(), Constant(0.3)], ids=repr)
def test_equal_weights_get_equal_gradients(init):
    g = gradients(train(init, steps=0))
    assert np.ptp(g["0.weight"], axis=1) == pytest.approx(0, abs=1e-15)
    assert np.ptp(g["2.weight"], axis=0) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("init", [Zeros(), Ones(), Constant(0.3)], ids=repr)
def test_equal_neurons_are_still_equal_after_a_hundred_steps(init):
    assert distinct_neurons(train(init, steps=100)) == 1


@pytest.mark.parametrize("init", [Ones(), Constant(0.3)], ids=repr)
def test_identical_neurons_do_learn_but_as_one(init):
    assert not np.allclose(train(init, steps=100)["0.weight"], train(init, steps=0)["0.weight"])


def test_from_zeros_nothing_but_the_last_bias_ever_learns():
    p = train(Zeros(), steps=100)
    assert not p["0.weight"].any()
    assert not p["0.bias"].any()
    assert not p["2.weight"].any()
    assert p["2.bias"].all()


def test_from_he_normal_every_neuron_goes_its_own_way():
    start = train(HeNormal(), steps=0)
    assert (np.ptp(gradients(start)["0.weight"], axis=1) > 1e-3).all()
    assert distinct_neurons(start) == 8
    assert distinct_neurons(train(HeNormal(), steps=100)) == 8


def test_the_gradients_of_this_test_agree_with_central_differences():
    p = initialise(NET, HeNormal(), dtype=np.float64)

    def loss(p):
        out = np.tanh(X @ p["0.weight"] + p["0.bias"]) @ p["2.weight"] + p["2.bias"]
        return 0.5 * np.sum((out - Y) ** 2) / len(X)

    for name, gradient in gradients(p).items():
        step = np.zeros_like(gradient)
        step.flat[0] = 1e-6
        slope = (loss(p | {name: p[name] + step}) - loss(p | {name: p[name] - step})) / 2e-6
        assert gradient.flat[0] == pytest.approx(slope, rel=1e-6, abs=1e-9)
