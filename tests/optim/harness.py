"""Runs a rule on the interpreter: the step is built once, with t and every hyperparameter as inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import spusk.numpy as snp
from spusk.graph import Evaluator, Tensor, backprop, constant
from spusk.graph import input as new_input
from spusk.optim import Gradients, Hyper, Objective, Optimizer
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.state import flatten, unflatten
from spusk.streams import key

Slope = Callable[[Tensor], Tensor]


class Told(Objective):
    """An objective whose gradients are given, and a function of the point besides."""

    def __init__(self, given: Mapping[str, Tensor], slope: Slope | None, t: Tensor) -> None:
        super().__init__(self._none, t, constant(key(0, "optimizer")))
        self.given, self.slope = given, slope

    @staticmethod
    def _none(parameters: Mapping[str, Tensor]) -> Tensor:
        return constant(0.0)

    def gradients(self, parameters: Mapping[str, Tensor]) -> Gradients:
        f = self.slope
        found = {n: self.given[n] if f is None else f(p) + self.given[n] for n, p in parameters.items()}
        return Gradients(found, self.loss(parameters))

    def hvp(self, parameters: Mapping[str, Tensor], vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        f = self.slope
        if f is None:
            return {n: snp.zeros_like(p) for n, p in parameters.items()}
        return {n: backprop((f(p) * vectors[n]).sum(), p) for n, p in parameters.items()}

    def part(self, names: Iterable[str], elsewhere: Mapping[str, Tensor]) -> Objective:
        """Itself: what it tells of some parameters does not depend on the others."""
        return self

    def shifted(self, by: Mapping[str, Tensor]) -> Objective:
        return Beside(self, by)


class Beside(Told):
    """What is told of the points beside."""

    def __init__(self, of: Told, by: Mapping[str, Tensor]) -> None:
        super().__init__(of.given, of.slope, of._t)
        self.of, self.by = of, by

    def _there(self, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {n: w + self.by[n] if n in self.by else w for n, w in parameters.items()}

    def gradients(self, parameters: Mapping[str, Tensor]) -> Gradients:
        return self.of.gradients(self._there(parameters))

    def hvp(self, parameters: Mapping[str, Tensor], vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.of.hvp(self._there(parameters), vectors)


class Step:
    """One step of a rule on some parameters, as a function from values to values.

    Args:
        rule: the optimizer.
        parameters: their values before the first step, by name.
        slope: a gradient as a function of the point, to which the gradients given in each step are added.
    """

    def __init__(
        self, rule: Optimizer, parameters: Mapping[str, np.ndarray], slope: Slope | None = None
    ) -> None:
        self.numbers = hyperparameters(rule)
        self.parameters = dict(parameters)
        w = {name: new_input(name, value.shape, value.dtype) for name, value in parameters.items()}
        g = {
            name: new_input(f"gradient of {name}", value.shape, value.dtype)
            for name, value in parameters.items()
        }
        t = new_input("t", (), "float64", weak=True)
        hyper = {name: new_input(name, (), "float64", weak=True) for name in self.numbers}
        traced = at_step(with_hyperparameters(rule, hyper), t)

        fresh = traced.start_all(w)
        first = flatten(fresh)
        slots = {path: new_input(path, s.shape, s.dtype, weak=s.weak) for path, s in first.items()}
        state = unflatten(fresh, slots)
        self.points = traced.point_all(w, state)
        gradients = traced.gradients_all(Told(g, slope, t), w, state, t)
        new_w, new_state = traced.update_all(w, gradients, state, t)
        after = flatten(new_state)
        check_same("parameter", w, new_w)
        check_same("state slot", slots, after)

        start = Evaluator(list(first.values()), [*w.values(), *hyper.values(), t])
        self.state = dict(zip(first, start(*parameters.values(), *self.numbers.values(), 1.0), strict=True))
        self.dtypes = {path: s.dtype.name for path, s in slots.items()}
        self.weak = {path for path, s in slots.items() if s.weak}
        self._run = Evaluator(
            [*new_w.values(), *after.values()],
            [*w.values(), *slots.values(), *g.values(), *hyper.values(), t],
        )
        self._after = list(after)
        self._use = Evaluator(
            list(traced.evaluated_all(w, state).values()),
            [*w.values(), *slots.values(), *hyper.values(), t],
        )
        self.t = 0

    @property
    def evaluated(self) -> dict[str, Any]:
        """The weights to use, by parameter name."""
        state = (self.state[path] for path in self.dtypes)
        values = self._use(*self.parameters.values(), *state, *self.numbers.values(), float(self.t))
        return dict(zip(self.parameters, values, strict=True))

    def __call__(self, gradients: Mapping[str, Any] | None = None, **changed: float) -> None:
        """Take a step; `changed` are hyperparameters of this step (dots in names written as `__`)."""
        self.t += 1
        numbers = self.numbers | {name.replace("__", "."): value for name, value in changed.items()}
        assert numbers.keys() == self.numbers.keys()
        given = gradients or {name: np.zeros_like(w) for name, w in self.parameters.items()}
        values = self._run(
            *self.parameters.values(),
            *(self.state[path] for path in self.dtypes),
            *(given[name] for name in self.parameters),
            *numbers.values(),
            float(self.t),
        )
        n = len(self.parameters)
        self.parameters = dict(zip(self.parameters, values[:n], strict=True))
        self.state = dict(zip(self._after, values[n:], strict=True))


@dataclass(frozen=True)
class Counting(Optimizer):
    """Goes as far as the number of the step, which it learns where it asks for gradients."""

    lr: Hyper = 1.0

    def gradients_all(self, objective, parameters, state, t):
        found = super().gradients_all(objective, parameters, state, t)
        return found.replaced({name: g * t for name, g in found.items()})

    def update(self, w, g, s, t):
        return w + self.lr * g, s


def check_same(what: str, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
    assert before.keys() == after.keys(), f"{what}s {set(before) ^ set(after)} do not carry over"
    for name, old in before.items():
        new = after[name]
        assert (new.shape, new.dtype) == (old.shape, old.dtype), f"{what} {name} changes"
        # A weak scalar is float64; as the next step's input it is weak again, whatever it came from.
        assert new.weak == old.weak or (old.weak and new.dtype == "float64"), f"{what} {name} changes"


def path(
    rule: Optimizer,
    gradients: Any,
    start: Any,
    lrs: Any = None,
    *,
    slope: Slope | None = None,
    dtype: str = "float64",
    evaluated: bool = False,
    **changing: Any,
) -> np.ndarray:
    """All points of a run, [steps + 1, …], beginning with `start`.

    Args:
        rule: the optimizer.
        gradients: one gradient a step, [steps, …].
        start: the first point.
        lrs: the learning rate of each step, if it changes.
        slope: a gradient as a function of the point, added to the gradients.
        dtype: of the parameter.
        evaluated: give the weights to use instead of those that the rule goes on from.
        changing: other hyperparameters of each step.
    """
    step = Step(rule, {"w": np.asarray(start, dtype)}, slope)
    if lrs is not None:
        changing[lr_name(rule).replace(".", "__")] = lrs
    points = [step.parameters["w"]]
    for i, gradient in enumerate(gradients):
        step(
            {"w": np.asarray(gradient, dtype)},
            **{name: float(values[i]) for name, values in changing.items()},
        )
        points.append((step.evaluated if evaluated else step.parameters)["w"])
    assert all(p.dtype == dtype for p in points)
    return np.stack(points)


def slope(w: Tensor) -> Tensor:
    """`events.slope` as graph."""
    return snp.tanh(w) + 0.3 * w


def lr_name(rule: Optimizer) -> str:
    """Under which name the rule's learning rate is an input."""
    names = hyperparameters(rule)
    return "lr" if "lr" in names else next(name for name in names if name.endswith(".lr"))


def named(value: object) -> str:
    """A part of a test's name: the `repr`, without the addresses of functions, which differ between processes."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def assert_close(found: Any, expected: Any, rtol: float = 1e-12) -> None:
    """Points agree relative to the largest coordinate reached so far, at every step and in every column."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.isfinite(expected).all()
    reached = np.maximum.accumulate(np.abs(expected), axis=0)
    wrong = ~(np.abs(found - expected) <= rtol * reached)
    if wrong.any():
        i = tuple(np.argwhere(wrong)[0])
        ratio = abs(found[i] - expected[i]) / reached[i]
        raise AssertionError(
            f"after step {i[0]}, column {i[1:]}: {found[i]!r} is not {expected[i]!r} ({ratio:.1e})"
        )
