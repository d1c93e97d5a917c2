"""Sums, extrema, products and moves of whole numbers and truth values: NumPy's, on both backends, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compile.whole import DISCRETE, UNSIGNED, WHOLE, Table, extremes

import spusk as sp
import spusk.numpy as snp
from spusk.errors import ShapeError

# --- reductions ---------------------------------------------------------------------------------------

SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((), None), ((1,), 0), ((0,), None), ((0, 3), 0), ((0, 3), 1), ((3, 0), 0), ((3, 0), (0, 1)), ((37,), None),
    ((200,), 0), ((5, 7), 0), ((5, 7), 1), ((5, 7), None), ((3, 200), 1), ((200, 3), 0), ((2, 3, 40), (0, 2)),
    ((2, 3, 40), (0, 1)), ((2, 3, 40), 1), ((2, 0, 3), (0, 2)), ((1, 1), 0),
]  # fmt: skip


def chosen_from(shape: tuple[int, ...], axis: Any) -> bool:
    """Whether there is an element to choose along the axes."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return all(shape[a] for a in axes)


@pytest.mark.parametrize("dtype", DISCRETE)
def test_reductions_of_every_shape_are_numpys(dtype: str) -> None:
    table = Table()
    for shape, axis in SHAPES:
        x = extremes(dtype, shape)
        wide = "uint64" if dtype in UNSIGNED else "int64"
        sums = x.sum(axis, dtype=wide)
        key = f"{shape} {axis}"
        table.add(f"sum {key}", lambda t, a=axis: snp.sum(t, a), x, expected=sums)
        table.add(
            f"sum of a sum {key}",
            lambda t, a=axis: snp.sum(t + t, a),
            x,
            expected=(x + x).sum(axis, dtype=wide),
        )
        table.add(f"kept {key}", lambda t, a=axis: snp.sum(t, a, keepdims=True), x,
                  expected=x.sum(axis, dtype=wide, keepdims=True))  # fmt: skip
        for name in ("any", "all", "count_nonzero"):
            wanted = np.asarray(getattr(np, name)(x, axis=axis))
            wanted = wanted.astype("int64") if name == "count_nonzero" else wanted
            table.add(
                f"{name} {key}", lambda t, a=axis, n=name: getattr(snp, n)(t, axis=a), x, expected=wanted
            )
        for name in ("max", "min"):
            f = getattr(snp, name)
            if chosen_from(shape, axis):
                table.add(
                    f"{name} {key}", lambda t, a=axis, f=f: f(t, a), x, expected=getattr(np, name)(x, axis)
                )
            else:
                with pytest.raises(ShapeError, match="no elements to choose from"):
                    f(sp.input("x", shape, dtype), axis)
        for name in ("argmax", "argmin"):
            if not isinstance(axis, tuple) and chosen_from(shape, axis):
                wanted = np.asarray(getattr(np, name)(x, axis), "int64")
                table.add(
                    f"{name} {key}", lambda t, a=axis, n=name: getattr(snp, n)(t, a), x, expected=wanted
                )
    table.check()


@pytest.mark.parametrize("dtype", DISCRETE)
def test_means_are_float32_and_near_numpys(dtype: str) -> None:
    table = Table()
    for shape, axis in SHAPES:
        x = (extremes(dtype, shape) % 101).astype(dtype) if dtype != "bool" else extremes(dtype, shape)
        with np.errstate(all="ignore"):
            sums, count = x.astype("float64").sum(axis), x.sum(axis).size and x.size / x.sum(axis).size
            wanted = np.asarray(sums / count if count else sums * np.nan, "float32")
        table.add(f"{shape} {axis}", lambda t, a=axis: snp.mean(t, a), x, expected=wanted)
    table.check(rtol=2e-6)


# --- moving and multiplying ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DISCRETE)
def test_products_and_moves_are_numpys(dtype: str) -> None:
    table = Table()
    for a, b in [
        ((1, 1), (1, 1)),
        ((2, 0), (0, 3)),
        ((0, 2), (2, 3)),
        ((7, 33), (33, 5)),
        ((3, 2, 4), (3, 4, 6)),
    ]:
        x, y = extremes(dtype, a), extremes(dtype, b)
        table.add(f"matmul {a} {b}", snp.matmul, x, y, expected=np.matmul(x, y))
    x = extremes(dtype, (4, 9))
    table.add("pad", lambda t: snp.pad(t, 2), x, expected=np.pad(x, 2))
    table.add(
        "concat", lambda s, t: snp.concat([s, t], 1), x, x[:, :3], expected=np.concatenate([x, x[:, :3]], 1)
    )
    table.add("strides", lambda t: t[::-2, 1::3].T, x, expected=x[::-2, 1::3].T)
    table.add("spread", lambda t: snp.broadcast_to(t, (3, 4, 9)), x, expected=np.broadcast_to(x, (3, 4, 9)))
    for kind in WHOLE:
        at = np.array([[3, 0], [3, 1]], kind)
        table.add(f"take {kind}", lambda t, i: snp.take(t, i, 0), x, at, expected=np.take(x, at, 0))
        updates, wanted = extremes(dtype, (2, 2, 9)), x.copy()
        np.add.at(wanted, at, updates)
        table.add(f"scatter {kind}", sp.scatter_add, x, at, updates, expected=wanted)
        none = np.zeros((0, 2), kind)
        table.add(
            f"take none {kind}", lambda t, i: snp.take(t, i, 1), x, none, expected=x[:, none.astype(int)]
        )
    table.check()
