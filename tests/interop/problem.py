"""A small loss in three libraries, and where Spusk's own step goes on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import spusk.numpy as snp
from spusk import optim
from spusk.interop.update import update_of
from spusk.train.step import descent_step

RNG = np.random.default_rng(5)
START = {"hidden.weight": RNG.normal(size=(4, 3)), "hidden.bias": RNG.normal(size=3), "out.weight": RNG.normal(size=(3, 2)), "scale": RNG.normal(size=())}  # fmt: skip
X = RNG.normal(size=(6, 4))

GIVEN = {"schedulefreesgd": {"lr": 0.02}, "clip": {"global_norm": 0.5}}
"""A rate for a rule that diverges here with its own; a limit, which has no default."""
RULES = [
    cls(**GIVEN.get(name, {}))
    for name, cls in optim.CATALOGUE.items()
    if name != "plateau"  # which needs Spusk's own loop
]


def loss_of(xp: Any, p: Any, x: Any) -> Any:
    """The loss, by any library's functions."""
    hidden = xp.tanh(x @ p["hidden.weight"] + p["hidden.bias"])
    return xp.sum((hidden @ p["out.weight"] - 1) ** 2) * p["scale"] ** 2 / 12 + xp.sum(p["hidden.bias"] ** 4)


@dataclass(frozen=True)
class Polyak(optim.Optimizer):
    """A rule that uses the loss: Polyak's step for a least value of 0."""

    def gradients_all(self, objective, parameters, state, t):
        found = objective.gradients(parameters)
        square = sum(snp.sum(g * g) for g in found.values())
        return found.replaced({n: found.loss / square * g for n, g in found.items()})

    def update(self, w, g, s, t):
        return w - 0.1 * g, s


def native(rule: optim.Optimizer, steps: int = 10, dtype: str = "float64") -> dict[str, np.ndarray]:
    """The weights to use after some steps of Spusk's own."""
    start = {name: np.asarray(w, dtype) for name, w in START.items()}
    x = X.astype(dtype)
    step = descent_step(lambda p, t: loss_of(snp, p, x), start, rule)
    values = step.first_values(start, rule)
    session = step.program.begin(values)
    session.run(steps)
    return step.weights(values, session.values).kept()


def why_closure(rule: optim.Optimizer) -> str:
    """Why the rule needs the loss itself; empty if gradients are enough."""
    return update_of(rule, {name: (w.shape, "float64") for name, w in START.items()}).needs_closure


def digits(rule: Any) -> float:
    """How far a rule's weights may be apart: SOAP's bases turn quickly where eigenvalues are close."""
    return 1e-10 if rule.label == "soap" else 1e-12


def close(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    for name, w in expected.items():
        assert np.isfinite(w).all()
        np.testing.assert_allclose(np.asarray(found[name]), w, rtol=tolerance, atol=tolerance, err_msg=name)
