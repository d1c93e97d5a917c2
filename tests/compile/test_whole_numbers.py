"""Whole numbers and truth values natively: bit for bit what the interpreter gives, and what NumPy gives.

Every row of the table of cases is run with the extremes of every dtype that its primitive takes; the tables
below add what the cases leave open: division, powers, casts and mixed dtypes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from compile.whole import DISCRETE, SIGNED, WHOLE, Array, Table, edges, extremes
from graph.cases import CASES, Case

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.errors import DTypeError, InputError
from spusk.graph import leaves, products

# --- every row of the table of cases ------------------------------------------------------------------


def discrete(case: Case, dtype: str) -> list[Array]:
    """The case's arguments with extremes instead of its numbers; masks and indices stay."""
    keeps = case.primitive in (products.Take, products.ScatterAdd)
    return [
        a if a.dtype.kind == "b" or (keeps and a.dtype.kind != "f") else extremes(dtype, a.shape)
        for a in case.args
    ]


def takes(case: Case, arrays: list[Array]) -> bool:
    try:
        case.build(*[sp.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(arrays)])
    except DTypeError:
        return False
    return True


NAMES = sorted({case.primitive.name for case in CASES if case.args})


@pytest.mark.parametrize("name", NAMES)
def test_every_case_gives_the_same_with_whole_numbers(name: str) -> None:
    table = Table()
    for dtype in DISCRETE:
        done = set[str]()
        for case in (c for c in CASES if c.primitive.name == name):
            arrays = discrete(case, dtype)
            if name == "pow" and dtype in SIGNED and len(arrays) > 1:
                arrays[1] = np.abs(arrays[1] // 2)  # negative exponents are told, see below
            key = f"{case.note} {[a.shape for a in arrays]}"
            if key not in done and name != "random_bits" and takes(case, arrays):
                table.add(f"{dtype} {case.id} {key}", case.build, *arrays)
            done.add(key)
    if table.outputs:
        table.check(rtol=2e-6)


# --- against NumPy: elementwise -----------------------------------------------------------------------

UNARY = ["abs", "sign", "negative", "floor", "ceil", "trunc", "round", "square", "isnan", "isinf", "isfinite"]
BINARY = [
    "add", "subtract", "multiply", "maximum", "minimum", "floor_divide", "remainder", "less", "less_equal",
    "equal", "not_equal", "greater", "greater_equal", "logical_and", "logical_or",
]  # fmt: skip
OF_BOOLS = {"abs", "add", "multiply", "maximum", "minimum", *BINARY[7:]}


@pytest.mark.parametrize("dtype", DISCRETE)
def test_extremes_give_what_numpy_gives(dtype: str) -> None:
    x = edges(dtype)
    column, near, table = x[:, None], np.roll(x, 1), Table()
    with np.errstate(all="ignore"):
        for name in UNARY:
            if dtype != "bool" or name in OF_BOOLS:
                table.add(name, getattr(snp, name), x, expected=getattr(np, name)(x))
        for name in BINARY:
            ours, numpys = getattr(snp, name), getattr(np, name)
            if dtype == "bool" and name not in OF_BOOLS:
                with pytest.raises(DTypeError, match="truth values"):
                    ours(sp.input("x", (1,), "bool"), sp.input("y", (1,), "bool"))
                continue
            table.add(f"{name} of all pairs", ours, x, column, expected=numpys(x, column))
            table.add(f"{name} of neighbours", ours, x, near, expected=numpys(x, near))
            table.add(f"{name} by a scalar", ours, x, x[3], expected=numpys(x, x[3]))
            table.add(f"{name} of scalars", ours, x[0], x[2], expected=numpys(x[0], x[2]))
            table.add(f"{name} of nothing", ours, x[:0], column, expected=numpys(x[:0], column))
        table.add("where", snp.where, x > 2, x, near, expected=np.where(x > 2, x, near))
        table.add("masked", snp.where, x, x, near, expected=np.where(x, x, near))
        table.add("clip", lambda t: snp.clip(t, 1, 7), x, expected=clipped(x))
    table.check()


def clipped(x: Array) -> Array:
    return x.astype("int64").clip(1, 7) if x.dtype == bool else x.clip(1, 7)


@pytest.mark.parametrize(
    ("dtype", "number"),
    [(d, n) for d in WHOLE for n in (0, 1, -1, 2, -3, 7) if n >= 0 or d in SIGNED],
)
def test_whole_numbers_are_divided_by_a_constant_as_in_numpy(dtype: str, number: int) -> None:
    x, by, table = edges(dtype), np.dtype(dtype).type(number), Table()
    with np.errstate(all="ignore"):
        table.add("x // n", lambda t: t // number, x, expected=x // by)
        table.add("x % n", lambda t: t % number, x, expected=x % by)
        table.add("n // x", lambda t: number // t, x, expected=by // x)
        table.add("n % x", lambda t: number % t, x, expected=by % x)
    table.check()


@pytest.mark.parametrize("dtype", DISCRETE)
def test_quotients_are_those_of_the_floats(dtype: str) -> None:
    x, table = edges(dtype), Table()
    y = np.roll(x, 2)
    single, near = x.astype("float32"), y.astype("float32")
    with np.errstate(all="ignore"):
        table.add("1 / x", lambda t: 1 / t, x, expected=1 / single)
        table.add("2.5 / x", lambda t: 2.5 / t, x, expected=np.float32(2.5) / single)
        table.add("True / x", lambda t: True / t, x, expected=1 / single)
        table.add("x / 1", lambda t: t / 1, x, expected=single)
        table.add("x / 3", lambda t: t / 3, x, expected=single / np.float32(3))
        table.add("x / y", snp.divide, x, y, expected=single / near)
        table.add("reciprocal", snp.reciprocal, x, expected=1 / single)
        table.add("sinh", snp.sinh, x % 5 if dtype != "bool" else x, expected=None)
    table.check(rtol=2e-6)


@pytest.mark.parametrize("dtype", SIGNED)
def test_sinh_of_unsigned_numbers_is_that_of_the_same_signed_ones(dtype: str) -> None:
    numbers = np.arange(5)
    for name in ("sinh", "cosh"):
        f = getattr(snp, name)
        np.testing.assert_array_equal(
            f(numbers.astype("u" + dtype)).numpy(), f(numbers.astype(dtype)).numpy(), strict=True
        )


@pytest.mark.parametrize("dtype", WHOLE)
def test_powers_wrap_around_as_in_numpy(dtype: str) -> None:
    x, table = edges(dtype), Table()
    y = np.array([0, 1, 2, 3, 5, 64, 100, np.iinfo(dtype).max], dtype)[:, None]
    table.add("x ** y", snp.pow, x, y, expected=x**y)
    for n in (0, 1, 2, 3, 7):
        table.add(f"x ** {n}", lambda t, n=n: t**n, x, expected=x**n)
        table.add(f"{n} ** y", lambda t, n=n: n**t, y, expected=np.dtype(dtype).type(n) ** y)
    table.check()


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("dtype", SIGNED)
def test_a_negative_exponent_of_whole_numbers_is_told(dtype: str, backend: Any) -> None:
    x, y = sp.input("x", (3,), dtype), sp.input("y", (3,), dtype)
    values = {"x": np.array([2, 3, 1], dtype), "y": np.array([1, 0, -1], dtype)}
    for power in (x**y, x ** snp.asarray(np.array([1, 0, -1], dtype)), x**-1):
        with pytest.raises(InputError, match="pow got a negative exponent for whole numbers; use floats"):
            Program({"z": power}, {"x": x, "y": y}, backend=backend)(values)


# --- casts --------------------------------------------------------------------------------------------

FLOATS = [
    np.nan, -np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, -0.0, 0.99, -0.99, -1.0, -1.5, 1.5, 3e38, 5e-324,
    127.5, 128.0, -128.5, -129.0, 255.9, 256.0, 32767.5, -32769.0, 65536.0, 2.0**31 - 1, 2.0**31, -(2.0**31),
    -(2.0**31) - 1, 2.0**32 - 1, 2.0**32, 2.0**63 - 1024, 2.0**63, -(2.0**63), -(2.0**63) - 2048, 2.0**64 - 2048,
    2.0**64,
]  # fmt: skip


def saturated(value: float, dtype: str) -> int:
    """The rule, in Python's own unbounded whole numbers."""
    info = np.iinfo(dtype)
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return int(info.max if value > 0 else info.min)
    return min(max(math.trunc(value), int(info.min)), int(info.max))


@pytest.mark.parametrize("source", ["float32", "float64"])
def test_floats_become_whole_numbers_by_one_rule_everywhere(source: str) -> None:
    with np.errstate(all="ignore"):
        x, table = np.array(FLOATS).astype(source), Table()
    for dtype in WHOLE:
        wanted = np.array([saturated(float(v), dtype) for v in x], dtype)
        table.add(dtype, lambda t, d=dtype: snp.astype(t, d), x, expected=wanted)
        table.add(f"{dtype} of a scalar", lambda t, d=dtype: snp.astype(t, d), x[2], expected=wanted[2])
        np.testing.assert_array_equal(snp.astype(x, dtype).numpy(), wanted, strict=True)  # a constant
        np.testing.assert_array_equal(snp.asarray(x, dtype=dtype).numpy(), wanted, strict=True)
        given = sp.input("x", x.shape, dtype)
        for backend in ("native", "numpy"):  # what is given is held as it is, or refused
            with pytest.raises(InputError, match=r"input 'x' was given \S+; it needs whole numbers"):
                Program({"y": given * 1}, {"x": given}, backend=backend)({"x": x})
    table.add("bool", lambda t: snp.astype(t, "bool"), x, expected=x.astype("bool"))
    table.check()


@pytest.mark.parametrize("source", DISCRETE)
def test_whole_numbers_are_cast_as_numpy_does(source: str) -> None:
    x, table = edges(source), Table()
    for dtype in [*DISCRETE, "float32", "float64"]:
        table.add(dtype, lambda t, d=dtype: snp.astype(t, d), x, expected=x.astype(dtype))
    table.check()


def test_counts_wrap_around_in_small_dtypes() -> None:
    table = Table()
    for dtype in [*WHOLE, "float32", "float64"]:
        for n in (0, 1, 300):
            table.add(
                f"{dtype} {n}", lambda d=dtype, n=n: leaves.iota(n, d), expected=np.arange(n).astype(dtype)
            )
    table.add("bool", lambda: leaves.iota(2, "bool"), expected=np.array([False, True]))
    with pytest.raises(DTypeError, match="only 2 truth values to count, not 3"):
        leaves.iota(3, "bool")
    table.check()


# --- mixed dtypes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", DISCRETE)
def test_mixed_dtypes_meet_in_numpys_common_one(left: str) -> None:
    table = Table()
    for right in DISCRETE:
        x, y = edges(left), edges(right)[:, None]
        common = np.promote_types(left, right)
        if common.kind == "f":
            with pytest.raises(DTypeError, match="no common integer dtype"):
                sp.input("x", (), left) + sp.input("y", (), right)
            continue
        for name in ("add", "multiply", "maximum", "less", "less_equal", "equal", "not_equal"):
            wanted = getattr(np, name)(x, y)
            table.add(f"{name} {right}", getattr(snp, name), x, y, expected=wanted)
        table.add(f"where {right}", snp.where, x > 1, x, y, expected=np.where(x > 1, x, y))
    table.check()


@pytest.mark.parametrize("dtype", DISCRETE)
def test_beside_a_float_its_dtype_wins(dtype: str) -> None:
    table = Table()
    for name in ("add", "subtract", "maximum", "less", "equal"):
        for kind in ("float32", "float64"):
            x, y = edges(dtype), np.array([-1.5, 0, 1, 127, np.inf, np.nan], kind)[:, None]
            table.add(
                f"{name} {kind}", getattr(snp, name), x, y, expected=getattr(np, name)(x.astype(kind), y)
            )
    table.check()
