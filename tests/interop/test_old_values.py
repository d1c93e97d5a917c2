"""Rules whose new values are old ones: none may be lost because another was written first."""

from dataclasses import dataclass

import numpy as np
import pytest

import spusk.numpy as snp
from spusk.optim import SGD, Hyper, Optimizer, State
from spusk.optim.wrappers.wrapper import Wrapper

pytestmark = pytest.mark.peers

GRADIENTS = np.random.default_rng(3).normal(size=(6, 2, 3))


@dataclass(frozen=True)
class Returning(Optimizer):
    """Goes on from the weights of two steps ago."""

    lr: Hyper = 0.1

    def start(self, w):
        return State(previous=w, older=w)

    def update(self, w, g, s, t):
        return s.older - self.lr * g, State(previous=w, older=s.previous)


@dataclass(frozen=True)
class Delayed(Optimizer):
    """Steps along the gradient of two steps ago, from a register that is shifted."""

    lr: Hyper = 0.1

    def start(self, w):
        return State(first=snp.zeros_like(w), second=snp.zeros_like(w))

    def update(self, w, g, s, t):
        return w - self.lr * s.second, State(first=g, second=s.first)


@dataclass(frozen=True)
class Turning(Optimizer):
    """Keeps the weights upside down, through a change of axes and back."""

    lr: Hyper = 0.1

    def start(self, w):
        return State(turned=w.T, flat=w.reshape(w.size))

    def update(self, w, g, s, t):
        return s.flat.reshape(w.shape) - self.lr * g, State(turned=w.T, flat=s.turned.reshape(w.size))


@dataclass(frozen=True)
class Swapping(Wrapper):
    """Exchanges the weights of two parameters of one shape, after a step."""

    def update_all(self, parameters, gradients, state, t):
        new, after = self.inner.update_all(parameters, gradients, state, t)
        first, second = parameters
        return {first: parameters[second], second: new[first]}, after


def trained(torch, rule, backend, compile=False):
    """Two parameters after each step."""
    import spusk.interop.torch

    parameters = {
        name: torch.nn.Parameter(torch.full((2, 3), x, dtype=torch.float64))
        for name, x in (("a", 1.0), ("b", 2.0))
    }
    optimizer = spusk.interop.torch.Optimizer(rule, parameters.items(), compile=compile, backend=backend)
    path = []
    for g in GRADIENTS:
        for i, p in enumerate(parameters.values()):
            p.grad = torch.tensor(g * (i + 1))
        optimizer.step()
        path.append([p.detach().numpy().copy() for p in parameters.values()])
    return np.array(path)


def by_hand(rule):
    """The same, written as loops over NumPy's arrays."""
    w = [np.full((2, 3), 1.0), np.full((2, 3), 2.0)]
    register = [[np.zeros((2, 3))] * 2 if isinstance(rule, Delayed) else [x, x] for x in w]
    turned, flat = [x.T for x in w], [x.reshape(6) for x in w]
    path = []
    for g in GRADIENTS:
        slopes = [g, 2 * g]
        if isinstance(rule, Swapping):
            w = [w[1], w[0] - 0.1 * slopes[0]]
        for i, slope in enumerate(slopes):
            first, second = register[i]
            if isinstance(rule, Returning):
                w[i], register[i] = second - 0.1 * slope, [w[i], first]
            if isinstance(rule, Delayed):
                w[i], register[i] = w[i] - 0.1 * second, [slope, first]
            if isinstance(rule, Turning):
                old = w[i]
                w[i], flat[i], turned[i] = (
                    flat[i].reshape(2, 3) - 0.1 * slope,
                    turned[i].reshape(6),
                    old.T,
                )
        path.append(list(w))
    return np.array(path)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("rule", [Returning(), Delayed(), Turning(), Swapping(SGD(lr=0.1))], ids=repr)
def test_old_values_are_read_before_they_are_overwritten(torch, rule, backend):
    np.testing.assert_allclose(trained(torch, rule, backend), by_hand(rule), rtol=1e-13)


@pytest.mark.parametrize("rule", [Returning(), Turning()], ids=repr)
def test_a_compiled_step_reads_old_values_first_too(torch, rule, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)  # traced, but not compiled
    np.testing.assert_allclose(trained(torch, rule, "torch", compile=True), by_hand(rule), rtol=1e-13)
