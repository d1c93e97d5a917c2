"""Polynomials of least greatest error: Remez' exchange on a grid, in mpmath's arithmetic.

Remez, 1934, "Sur la détermination des polynômes d'approximation de degré donné"; the exchange of several
points at once and the weights follow Cheney, 1966, "Introduction to Approximation Theory", ch. 3.

Rounding the coefficients after the fit would spoil it, so they are rounded one after another, the highest
power first, and the powers that are left are fitted anew each time (cf. Muller, "Elementary Functions",
3rd ed., §4.4). In this order the powers left always start at the given ones, so they can interpolate
anything, on either side of 0, which the exchange needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mpmath import mp, mpf

Function = Callable[[mpf], mpf]


@dataclass(frozen=True)
class Problem:
    """weight(x)·|f(x) − Σ cₖ·variable(x)ᵏ| is to be small over [low, high].

    Attributes:
        target: f, a function of x.
        weight: what an error of the polynomial at x counts.
        low, high: the interval of x.
        terms: how many coefficients.
        variable: what the polynomial is evaluated at, as a function of x.
        leading: the lowest coefficients, where they are given.
    """

    target: Function
    weight: Function
    low: float
    high: float
    terms: int
    variable: Function = lambda x: x
    leading: tuple[float, ...] = ()


@dataclass(frozen=True)
class Grid:
    """The problem's functions at points that are dense where polynomials oscillate: at the ends."""

    t: list[mpf]
    f: list[mpf]
    w: list[mpf]


def sample(problem: Problem, points: int) -> Grid:
    middle, half = mpf(problem.low + problem.high) / 2, mpf(problem.high - problem.low) / 2
    x = [middle - half * mp.cos(mp.pi * (i + mpf("0.5")) / points) for i in range(points)]
    return Grid(
        [problem.variable(v) for v in x], [problem.target(v) for v in x], [problem.weight(v) for v in x]
    )


def fit(grid: Grid, powers: list[int], f: list[mpf]) -> list[mpf]:
    """The coefficients of the given powers, best for the values f on the grid."""
    n, size = len(powers), len(grid.t)
    reference = [round(i * (size - 1) / n) for i in range(n + 1)]
    rows = [[t**k for k in powers] for t in grid.t]
    coefficients: list[mpf] = []
    for _ in range(30):
        system = mp.matrix([[*rows[j], (-1) ** i / grid.w[j]] for i, j in enumerate(reference)])
        solution = mp.lu_solve(system, mp.matrix([f[j] for j in reference]))
        coefficients, level = list(solution)[:n], abs(solution[n])
        error = [w * (v - mp.fdot(coefficients, row)) for w, v, row in zip(grid.w, f, rows, strict=True)]
        reference = extrema(error, n + 1)
        if max(abs(e) for e in error) <= level * mpf("1.01"):
            break
    return coefficients


def extrema(error: list[mpf], count: int) -> list[int]:
    """Where the error's stretches of one sign are largest; of too many, the outer small ones go."""
    peaks: list[int] = []
    for i, e in enumerate(error):
        if peaks and (error[peaks[-1]] > 0) == (e > 0):
            if abs(e) > abs(error[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
    if len(peaks) < count:
        raise ArithmeticError("the error alternates too seldom; mp.dps is too small for this problem")
    return peaks


def minimax(problem: Problem, dtype: str) -> tuple[list[float], float]:
    """The coefficients, each a number of `dtype`, and the greatest weighted error that they leave."""
    grid = sample(problem, 30 * problem.terms + 60)
    given = len(problem.leading)
    f = [
        v - mp.fdot(problem.leading, [t**k for k in range(given)])
        for v, t in zip(grid.f, grid.t, strict=True)
    ]
    rounded: list[float] = []
    for last in range(problem.terms - 1, given - 1, -1):
        c = float(np.dtype(dtype).type(str(fit(grid, list(range(given, last + 1)), f)[-1])))
        rounded.append(c)
        f = [v - mpf(c) * t**last for v, t in zip(f, grid.t, strict=True)]
    error = float(max(abs(w * v) for w, v in zip(grid.w, f, strict=True)))
    return [*problem.leading, *rounded[::-1]], error
