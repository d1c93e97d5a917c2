"""Minimising with a solver of SciPy, on our compiled values, gradients and Hessian-vector products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from spusk.compile import Backend, Program
from spusk.graph import Tensor, backprop
from spusk.graph import input as new_input
from spusk.optim.solvers import Solver

Array = NDArray[Any]


@dataclass(frozen=True)
class Solved:
    """The points that a solver went through, [steps + 1, *shape], f at each, and how it ended."""

    path: Array
    values: Array
    status: Literal["finished", "diverged", "interrupted"]


def solve(f: Callable[[Tensor], Tensor], x0: Array, solver: Solver, steps: int, backend: Backend) -> Solved:
    """At most `steps` steps of a solver from x0. SciPy computes in float64, f in the dtype of x0."""
    from scipy import optimize  # half of `import spusk`, and few need it

    minimize: Any = optimize.minimize  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    functions = _Functions(f, x0, backend)
    points, values = [x0.astype(np.float64).ravel()], [functions.value_and_gradient(x0)[0]]
    status: Literal["finished", "diverged", "interrupted"] = "finished"

    def keep(intermediate_result: Any) -> None:
        points.append(np.array(intermediate_result.x))
        values.append(float(intermediate_result.fun))

    if steps and np.isfinite(values[0]):
        second: dict[str, Any] = {}
        if solver.with_hessian:
            second = (
                {"hess": functions.hessian} if solver.method == "trust-exact" else {"hessp": functions.hvp}
            )
        try:
            with np.errstate(all="ignore"):  # a step into NaN is a result, which `values` shows
                result = minimize(
                    functions.value_and_gradient,
                    points[0],
                    jac=True,
                    method=solver.method,
                    callback=keep,
                    options=solver.options(steps),
                    **second,
                )
            if not result.success and not functions.always_finite:
                status = "diverged"  # it stands before a wall of NaN or infinity
        except KeyboardInterrupt:
            status = "interrupted"
    path = np.stack(points).astype(x0.dtype).reshape(-1, *x0.shape)
    return Solved(path, np.array(values).astype(x0.dtype), status)


class _Functions:
    """f with its derivatives, as SciPy calls them: on flat float64 arrays."""

    def __init__(self, f: Callable[[Tensor], Tensor], x0: Array, backend: Backend) -> None:
        self.shape, self.dtype = x0.shape, x0.dtype
        self.backend: Backend = backend
        self.x = new_input("x", x0.shape, x0.dtype)
        self.y = f(self.x)
        self.gradient = backprop(self.y, self.x)
        self.first = Program({"y": self.y, "gradient": self.gradient}, {"x": self.x}, backend=backend)
        self.second: Program | None = None
        self.always_finite = True

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        found = self.first({"x": self._shaped(x)})
        self.always_finite &= bool(np.isfinite(found["y"]))
        return float(found["y"]), np.asarray(found["gradient"], np.float64).ravel()

    def hvp(self, x: Array, v: Array) -> Array:
        if self.second is None:
            direction = new_input("v", self.shape, self.dtype)
            product = backprop((self.gradient * direction).sum(), self.x)
            self.second = Program({"product": product}, {"x": self.x, "v": direction}, backend=self.backend)
        found = self.second({"x": self._shaped(x), "v": self._shaped(v)})
        return np.asarray(found["product"], np.float64).ravel()

    def hessian(self, x: Array) -> Array:
        rows = np.stack([self.hvp(x, unit) for unit in np.eye(x.size)])
        return cast(Array, (rows + rows.T) / 2)

    def _shaped(self, x: Array) -> Array:
        return np.asarray(x, self.dtype).reshape(self.shape)
