"""Minimising a function of one array with any optimizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from spusk import optim
from spusk.checks import checked_function, checked_whole
from spusk.compile import Backend
from spusk.compile.session import room_for
from spusk.errors import InputError, ShapeError
from spusk.graph import Tensor, as_tensor
from spusk.graph.transforms import floating_array
from spusk.optim.complete import require_complete
from spusk.train.solve import solve
from spusk.train.step import Tensors, descent_step

Status: TypeAlias = Literal["finished", "diverged", "interrupted"]


@dataclass(frozen=True)
class Minimum:
    """Where `minimize` came to, and how.

    Attributes:
        x: the last point, of the shape and dtype of `x0`.
        value: f at x.
        path: every point, [steps + 1, *x0.shape], beginning with x0. Of a rule that averages (see
            `Optimizer.evaluated`), the points are its averages.
        values: f at every point, [steps + 1].
        status: "finished", "diverged" if f or a point became non-finite (the rest of `path` and `values` is
            then NaN, and x is the last finite point; what is huge, but finite, counts as finished), or
            "interrupted" by Ctrl-C (then
            the steps not done are NaN as well). A solver that stops in front of a region where f is not
            finite has diverged, too.
        steps: steps done.
    """

    x: NDArray[Any]
    value: float
    path: NDArray[Any]
    values: NDArray[Any]
    status: Status
    steps: int

    def __repr__(self) -> str:
        return f"Minimum(x={self.x!r:.200}, value={self.value:.6g}, {self.status} after {self.steps} steps)"


def minimize(
    f: Callable[[Any], Any],
    x0: Any,
    optimizer: optim.Optimizer | optim.Solver | str | None = None,
    steps: int = 100,
    backend: Backend = "native",
    seed: int = 0,
) -> Minimum:
    """Descend from `x0` with an optimizer or a solver, and keep the whole path.

    Args:
        f: takes one array of the shape of `x0`, built with operators and `spusk.numpy`; returns a scalar.
        x0: the starting point, of any shape. Its floating dtype is kept; whole numbers and lists of
            Python numbers become float64.
        optimizer: an optimizer, or its name; default `Adam(lr=0.1)`. A name brings the method's own
            default rate, made for networks: "adam" is Adam(lr=0.001). Or a solver of SciPy, which
            chooses its own steps by our value, gradient and Hessian-vector products: "L-BFGS",
            "trust-ncg", "trust-krylov", "trust-exact", or `optim.LBFGS(…)`, `optim.TrustRegion(…)`.
        steps: how many updates; a solver may need fewer, and then path and values are shorter.
        backend: "native" (default) compiles the step; "numpy" interprets it, for reference.
        seed: of the random numbers that a rule draws, if it draws any.

    Returns:
        A `Minimum`: x, value, path [steps + 1, …], values [steps + 1], status.

    Raises:
        InputError: if f is no function, the optimizer is unknown, x0 is not finite, `steps` or `seed` is no
            whole number of 0 or more, or the steps need more memory than there is.
        ShapeError: if f does not return a scalar.

    >>> from spusk import optim
    >>> f = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> r = minimize(f, x0=[-1.5, 2.0], optimizer=optim.Adam(lr=0.05), steps=300)
    >>> r.path.shape, float(r.values[0]), bool(r.value < 2)
    ((301, 2), 12.5, True)
    >>> minimize(f, x0=[-1.5, 2.0], optimizer="L-BFGS").x.round(3).tolist()
    [1.0, 1.0]
    """
    checked_function("minimize", f)
    x = floating_array(x0)
    if not np.isfinite(x).all():
        raise InputError(f"x0 holds values that are not finite: {x}")
    steps, seed = checked_whole("steps", steps, 0), checked_whole("seed", seed, 0)

    def scalar(x: Any) -> Tensor:
        y = as_tensor(f(x))
        if y.shape != ():
            raise ShapeError(f"minimize needs a function that returns a scalar; f returns shape {y.shape}")
        return y

    if solver := optim.solver(optimizer):
        solved = solve(scalar, x, solver, steps, backend)
        return _minimum(solved.path, solved.values, len(solved.values), solved.status)
    # The points twice, and three values: too many steps are told before the first.
    room_for("the path", steps, (2 * x.size + 3,), x.dtype)
    rule = optim.Adam(lr=0.1) if optimizer is None else optim.get(cast("optim.Optimizer | str", optimizer))
    require_complete(rule)

    def seen(parameters: Tensors) -> Tensors:
        return {"point": parameters["x"], "value": scalar(parameters["x"])}

    step = descent_step(lambda p, t: scalar(p["x"]), {"x": x}, rule, outputs=seen, backend=backend)
    # One step more than asked: its point and value are those after the last update.
    loop = step.program.run(step.first_values({"x": x}, rule, seed), steps=steps + 1)
    path = np.full((steps + 1, *x.shape), np.nan, x.dtype)
    values = np.full(steps + 1, np.nan, loop.collected["value"].dtype)
    path[: loop.steps], values[: loop.steps] = loop.collected["point"], loop.collected["value"]
    return _minimum(path, values, loop.steps, loop.status)


def _minimum(path: NDArray[Any], values: NDArray[Any], done: int, status: Status) -> Minimum:
    """What was found, of which `done` points are known: those after the first non-finite one do not count."""
    finite = np.isfinite(values) & np.isfinite(path.reshape(len(path), -1)).all(axis=1)
    last = int(np.argmin(finite)) - 1 if not finite.all() else len(path) - 1
    if last < done - 1:
        status = "diverged"
        path[last + 2 :], values[last + 2 :] = np.nan, np.nan
    last = max(last, 0)
    return Minimum(path[last].copy(), float(values[last]), path, values, status, last)
