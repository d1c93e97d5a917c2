"""Exact results about descent: closed forms and counterexamples, run natively."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spusk.numpy as snp
from spusk.compile import Backend
from spusk.graph import Tensor, constant
from spusk.lab.verify.finding import Finding
from spusk.optim import Adam, AMSGrad, GradientDescent, Hyper, Momentum, Optimizer, Wrapper
from spusk.optim.objective import Parameters
from spusk.train.step import Loss, descent_step

Arrays = Mapping[str, NDArray[Any]]
EXACT = 1e-10  # what rounding may do over some hundred steps of float64
POLYAK = 'Polyak, 1964, "Some methods of speeding up the convergence of iteration methods"'
REDDI = 'Reddi, Kale & Kumar, 2018, "On the convergence of Adam and beyond", §3'
SAXE = 'Saxe, McClelland & Ganguli, 2014, "Exact solutions to the nonlinear dynamics of learning"'


def gradient_descent(backend: Backend = "native") -> Iterator[Finding]:
    """Gradient descent on a quadratic multiplies every eigendirection by 1 − αλ in each step."""
    lr, steps = 0.1, 50
    eigenvalues = np.array([1.0, 9.0, 19.0, 21.0])
    last = _descended(_bowl(eigenvalues), {"x": np.ones(4)}, GradientDescent(lr=lr), steps, backend)["x"]
    for eigenvalue, found in zip(eigenvalues, last, strict=True):
        exact = (1 - lr * eigenvalue) ** steps
        what = f"x after {steps} steps, αλ = {lr * eigenvalue:g}"
        yield Finding("gradient-descent", what, float(exact), float(found), EXACT, "x_t = (1 − αλ)ᵗx₀")


def heavy_ball(backend: Backend = "native") -> Iterator[Finding]:
    """Heavy ball with the best α and μ for eigenvalues from 1 to κ shrinks at the rate (√κ−1)/(√κ+1).

    With these numbers the recurrence of the outermost directions has a double root r, the rate, hence the
    point rᵗ(1 + (1 − r)t) in the flattest and (−r)ᵗ(1 + (1 + r)t) in the steepest one.
    """
    condition, steps = 100.0, 100
    rate = (condition**0.5 - 1) / (condition**0.5 + 1)
    rule = Momentum(lr=4 / (condition**0.5 + 1) ** 2, mu=rate**2)
    eigenvalues = np.array([1.0, 10.0, 50.0, condition])
    for t in (steps, 2 * steps):
        x = _descended(_bowl(eigenvalues), {"x": np.ones(4)}, rule, t, backend)["x"]
        flat, steep = rate**t * (1 + (1 - rate) * t), (-rate) ** t * (1 + (1 + rate) * t)
        yield Finding("heavy-ball", f"x after {t} steps, λ = 1", flat, float(x[0]), EXACT, POLYAK)
        yield Finding("heavy-ball", f"x after {t} steps, λ = κ", steep, float(x[-1]), EXACT, POLYAK)
        between = float(np.abs(x[1:-1]).max()) ** (1 / t)
        yield Finding("heavy-ball", f"rate over {t} steps, 1 < λ < κ", rate, between, 0.02, POLYAK)


@dataclass(frozen=True)
class Projected(Wrapper):
    """A rule whose parameters are put back into an interval after each step."""

    low: Hyper = -1.0
    high: Hyper = 1.0

    def update_all(
        self, parameters: Parameters, gradients: Parameters, state: Mapping[str, Any], t: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Any]]:
        new, state = self.inner.update_all(parameters, gradients, state, t)
        return {name: snp.clip(w, self.low, self.high) for name, w in new.items()}, state


def counterexample(backend: Backend = "native") -> Iterator[Finding]:
    """Reddi's counterexample: the gradient is 1010 in every 101st step and −10 in all others, on [−1, 1].

    The best point is −1. Adam forgets the rare large gradient and ends at 1; AMSGrad does not.
    """

    def loss(parameters: Mapping[str, Tensor], t: Tensor) -> Tensor:
        return snp.where(t % 101 == 1, 1010.0, -10.0) * parameters["x"]

    for rule, end in ((Adam, 1.0), (AMSGrad, -1.0)):
        projected = Projected(rule(lr=0.002, beta1=0.9, beta2=0.99))
        found = _descended(loss, {"x": np.array(0.0)}, projected, 101 * 12_000, backend)["x"]
        name = rule.__name__
        yield Finding("counterexample", f"where {name} ends", end, float(found), 0.05, REDDI)


def deep_linear(backend: Backend = "native") -> Iterator[Finding]:
    """A deep linear network learns each mode of its task along a sigmoid, the strong modes first.

    Two layers, whitened inputs, beginning with modes of strength a₀ in the task's own directions: in time
    t = α·steps the strength is s·e^(2st)/(e^(2st) − 1 + s/a₀), half of s at t = ln(s/a₀ − 1)/(2s).
    """
    lr, begun = 1e-4, 0.01
    strengths = np.array([3.0, 2.0, 1.0])
    random = np.random.default_rng(0)
    out, inside, into = (np.linalg.qr(random.normal(size=(n, 3)))[0] for n in (5, 4, 6))
    task = constant((out * strengths) @ into.T)
    weights = {
        "first": begun**0.5 * inside @ into.T,
        "second": begun**0.5 * out @ inside.T,
    }

    def loss(parameters: Mapping[str, Tensor], t: Tensor) -> Tensor:
        error = parameters["second"] @ parameters["first"] - task
        return 0.5 * snp.sum(error * error)

    for i, strength in enumerate(strengths):
        time = np.log(strength / begun - 1) / (2 * strength)
        last = _descended(loss, weights, GradientDescent(lr=lr), round(time / lr), backend)
        modes = np.diag(out.T @ last["second"] @ last["first"] @ into)
        what = f"strength of mode {strength:g} when half is learnt"
        yield Finding("deep-linear", what, float(strength / 2), float(modes[i]), 1e-3, SAXE)


def _bowl(eigenvalues: NDArray[np.float64]) -> Loss:
    steep = constant(eigenvalues)
    return lambda parameters, t: 0.5 * snp.sum(steep * parameters["x"] ** 2)


def _descended(
    loss: Loss, start: Arrays, rule: Optimizer, steps: int, backend: Backend
) -> dict[str, NDArray[Any]]:
    """The parameters after some steps."""
    step = descent_step(loss, start, rule, backend=backend)
    loop = step.program.run(step.first_values(start, rule), steps=steps)
    return {name: loop.values[f"parameters/{name}"] for name in start}
