"""LSUV: what a layer puts out has the variance that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
from spusk import data, init, nn
from spusk.errors import InputError
from spusk.init import LSUV, Orthogonal, fitted, initialise
from spusk.nn.scope import Scope

NET = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 3))
X = np.random.default_rng(0).normal(size=(300, 4)) * [1.0, 10.0, 0.1, 3.0]


def variances(weights, net=NET, x=X):
    outputs = {}
    net(Scope(weights, outputs=outputs), x)
    return {name: float(np.var(y.numpy())) for name, y in outputs.items()}


def by_hand(weights, x, target, tol):
    """Algorithm 1 of the paper for NET, with NumPy alone."""
    h, found = x, {}
    for layer, activation in (("0", lambda y: np.maximum(y, 0)), ("2", np.tanh), ("4", None)):
        w = weights[f"{layer}.weight"]
        if abs((h @ w).var() - target) >= tol:
            w = w * np.sqrt(target / (h @ w).var())
        found[f"{layer}.weight"] = w
        h = activation(h @ w) if activation else h @ w
    return found


@pytest.mark.parametrize(("target", "tol"), [(1.0, 0.1), (0.25, 1e-9), (1.0, 0.7)])
def test_it_is_the_paper_s_algorithm(target, tol):
    rule = LSUV(target, tol)
    drawn = initialise(NET.parameters(), rule, dtype="float64")
    scaled = fitted(NET, drawn, rule, X)  # fewer than 512 rows: all of them, in another order
    for name, w in by_hand(drawn, X, target, tol).items():
        np.testing.assert_allclose(scaled[name], w, rtol=1e-12)
    assert all(not scaled[f"{layer}.bias"].any() for layer in "024")
    for layer in "024":
        assert abs(variances(scaled)[layer] - target) < tol


def test_the_directions_stay_those_of_orthogonal_weights():
    drawn = initialise(NET.parameters(), "lsuv", seed=3)
    for name, w in initialise(NET.parameters(), Orthogonal(), seed=3).items():
        np.testing.assert_array_equal(drawn[name], w)


def test_outputs_as_far_off_as_the_tolerance_are_scaled():
    # Algorithm 1: while |Var − 1| ≥ Tol.
    net = nn.Linear(4, 8)
    drawn = initialise(net.parameters(), "lsuv", dtype="float64")
    off = abs(variances(drawn, net)[""] - 1.0)
    for tol, is_scaled in ((off, True), (np.nextafter(off, np.inf), False)):
        scaled = fitted(net, drawn, LSUV(tol=float(tol)), X)
        assert np.array_equal(scaled["weight"], drawn["weight"]) is not is_scaled


def test_with_a_bias_it_goes_on_until_the_variance_is_right():
    class Shifted(nn.Layer):
        """Outputs whose variance is not in proportion to the square of the weights."""

        def parameters(self):
            yield nn.Parameter("weight", (4, 8), fan_in=4, fan_out=8)

        def apply(self, p, x):
            return sp.numpy.tanh(0.1 * (x @ p.weight)) * 3

    net = Shifted()
    once, often = (
        fitted(net, initialise(net.parameters(), rule, dtype="float64"), rule, X)
        for rule in (LSUV(tol=1e-3, attempts=1), LSUV(tol=1e-3, attempts=100))
    )
    off = [abs(variances(w, net)[""] - 1) for w in (once, often)]
    assert off[1] < 1e-3 < off[0]


def test_only_the_layers_that_ask_for_it_are_scaled():
    choice = {"2.*": "lsuv", "*": "henormal", "*bias": init.Constant(0.5)}
    drawn = initialise(NET.parameters(), choice, dtype="float64")
    scaled = fitted(NET, drawn, choice, X)
    changed = {name for name, w in drawn.items() if not np.array_equal(w, scaled[name])}
    assert changed == {"2.weight"}
    assert abs(variances(scaled)["2"] - 1) < 0.1


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_training_begins_with_it(backend):
    split = data.iris().split(0.2, 0, np.dtype("float64"))
    run = sp.train(NET, split, init="lsuv", epochs=0, dtype="float64", progress=False, backend=backend)
    assert all(abs(variances(run.parameters, x=split.train_x)[layer] - 1) < 0.1 for layer in "024")
    other = sp.train(NET, split, init="lsuv", epochs=0, dtype="float64", progress=False, seed=1)
    assert not np.array_equal(other.parameters["0.weight"], run.parameters["0.weight"])
    trained = sp.train(NET, split, init="lsuv", epochs=3, batch_size=16, progress=False, backend=backend)
    assert trained.history["loss"][-1] < trained.initial["loss"]


def test_at_most_512_examples_are_looked_at_and_they_follow_from_the_seed():
    x = np.random.default_rng(1).normal(size=(2000, 4))
    drawn = initialise(NET.parameters(), "lsuv")
    first, again, other = (fitted(NET, drawn, "lsuv", x, seed=seed)["4.weight"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(first, fitted(NET, drawn, "lsuv", x)["4.weight"])  # 0 unless told


def test_no_network_sees_more_than_512_examples():
    seen = set()

    class Watched(nn.Layer):
        def parameters(self):
            yield nn.Parameter("weight", (4, 8), fan_in=4, fan_out=8)

        def apply(self, p, x):
            seen.add(x.shape[0])
            return x @ p.weight

    drawn = initialise(Watched().parameters(), "lsuv")
    fitted(Watched(), drawn, "lsuv", np.random.default_rng(1).normal(size=(600, 4)))
    assert seen == {512}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LSUV(target=0.0), "LSUV got target=0.0; it needs a finite number above 0"),
        (lambda: LSUV(tol=-1.0), "LSUV got tol=-1.0"),
        (lambda: LSUV(attempts=0), "LSUV got attempts=0; it needs a whole number, 1 or more"),
        (
            lambda: fitted(
                NET, initialise(NET.parameters(), {"0.*": "zeros", "*": "lsuv"}), {"2.*": "lsuv"}, X
            ),
            r"LSUV cannot scale '2.weight': the outputs of its layer have variance 0 for 300 training examples",
        ),
        (
            lambda: fitted(NET, initialise(NET.parameters(), "lsuv", dtype="float64"), "lsuv", X * 1e200),
            r"LSUV cannot scale '0.weight': the outputs of its layer have variance inf",
        ),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()
