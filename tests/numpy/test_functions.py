"""Every function of spusk.numpy against NumPy's function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import scipy.special

import spusk as sp
import spusk.numpy as snp

F = np.array([[0.5, -1.5, 2.5], [3.0, 0.25, -2.0]])
G = np.array([[1.5, 2.0, -0.5], [0.75, -3.0, 2.0]])
P = np.abs(F)
I = np.array([[3, -7, 2], [0, 5, -4]])  # noqa: E741
J = np.array([[2, 2, -3], [7, -2, 3]])
B = np.array([[True, False, True], [False, False, True]])
V = np.array([0.5, -1.0, 2.0])


def row(name: str, *args: Any, numpys: Callable[..., Any] | None = None, **settings: Any) -> Any:
    shown = ",".join(
        [*(getattr(a, "dtype", a).__str__() for a in args), *(f"{k}={v}" for k, v in settings.items())]
    )
    return pytest.param(name, args, settings, numpys or getattr(np, name), id=f"{name}({shown})")


def each(names: str, *arguments: Any, **settings: Any) -> list:
    return [
        row(name, *(a if isinstance(a, tuple) else (a,)), **settings)
        for name in names.split()
        for a in arguments
    ]


def logsumexp(x: Any, **settings: Any) -> Any:
    return scipy.special.logsumexp(x, **settings)


def var(x: Any, axis: Any = None, correction: float = 0, keepdims: bool = False) -> Any:
    return np.var(x, axis=axis, ddof=correction, keepdims=keepdims)


TABLE = [
    *each("abs negative sign square positive", F, I, I.astype("int8"), V),
    *each("ceil floor trunc round", 1.3 * F, F, I),
    *each("sin cos tan tanh sinh cosh exp expm1 reciprocal isnan isinf isfinite", F, V),
    *each("isnan isinf isfinite", np.array([np.nan, np.inf, -np.inf, 0.0]), I),
    *each("log log2 log10 log1p sqrt", P),
    *each(
        "add subtract multiply maximum minimum",
        (F, G),
        (F, V),
        (I, J),
        (I.astype("uint8"), J.astype("uint8")),
    ),
    *each("divide hypot logaddexp", (F, G), (F, V)),
    *each(
        "floor_divide remainder",
        (5 * F, G),
        (I, J),
        (I, 3),
        (I, -3),
        (J.astype("int8"), I.astype("int8") | 1),
    ),
    *each("pow", (P, G), (F, 2), (F, 3), (F, -1.0), (I, 2), (P, 0.5)),
    *each("less less_equal greater greater_equal equal not_equal", (F, G), (F, F), (I, J), (F, 0.25), (I, 2)),
    *each("logical_and logical_or", (B, ~B), (F, B), (I, J)),
    *each("logical_not", B, I, F),
    *each("bitwise_and bitwise_or bitwise_xor", (B, B[::-1])),
    *each("bitwise_invert", B),
    *each("clip", (F, -1, 1), (F, None, 0.5), (F, 0.0, None), (I, -2, 3), (F, V, V + 1)),
    *each("where", (B, F, G), (B, 1.0, F), (B[:, :1], F, V), (B, I, J)),
    row("erf", F, numpys=scipy.special.erf),
    *each(
        "matmul",
        (F, G.T),
        (V, F.T),
        (F, V),
        (V, V),
        (I, J.T),
        (np.ones((4, 2, 3)), G.T),
        (F, np.ones((4, 3, 2))),
    ),
    *each(
        "matmul",
        (np.ones((5, 1, 2, 3)), np.ones((4, 3, 1))),
        (np.ones((2, 0)), np.ones((0, 3))),
        (V, np.ones((2, 3, 1))),
    ),
    *each("matrix_transpose", F, np.ones((4, 2, 3))),
    *each("outer", (V, V[:2]), (np.arange(3), np.arange(2))),
    *each("vecdot", (F, G), (F, V)),
    row("vecdot", F, G, axis=0),
    row("tensordot", F, G, axes=2),
    row("tensordot", F, G, axes=0),
    row("tensordot", np.ones((2, 3, 4)), np.arange(24.0).reshape(4, 3, 2), axes=([1, 2], [1, 0])),
    row("tensordot", F, G.T, axes=1),
    *[
        row("sum", x, axis=a, keepdims=k)
        for x in (F, I, B, I.astype("int8"))
        for a in (None, 0, -1, (0, 1))
        for k in (False, True)
    ],
    *[
        row(n, x, axis=a)
        for n in ("max", "min")
        for x in (F, I, I.astype("uint8"))
        for a in (None, 0, (0, 1))
    ],
    *[row(n, F, axis=a, keepdims=k) for n in ("mean",) for a in (None, 0, (0, 1)) for k in (False, True)],
    *[row("var", F, axis=a, correction=c, numpys=var) for a in (None, 1) for c in (0, 1)],
    row("std", F, axis=0),
    row("std", F, keepdims=True),
    *[
        row(n, x, axis=a)
        for n in ("all", "any")
        for x in (B, I, F, B & False, B[:, :0])
        for a in (None, 0, 1)
    ],
    *[row("count_nonzero", x, axis=a) for x in (B, I, F) for a in (None, 1)],
    *[
        row(n, x, axis=a, keepdims=k)
        for n in ("argmax", "argmin")
        for x in (F, I, I.astype("uint8"))
        for a, k in ((0, False), (1, True), (None, False))
    ],
    *[
        row("logsumexp", x, axis=a, numpys=logsumexp)
        for x in (F, 1000 * F, np.array([[-np.inf, 0.0]]))
        for a in (None, 1)
    ],
    row("logsumexp", np.array([-np.inf, -np.inf]), numpys=np.max),
    *each("permute_dims", (F, (1, 0)), (np.ones((2, 3, 4)), (-1, 0, 1))),
    *each(
        "moveaxis",
        (np.ones((2, 3, 4)), 0, -1),
        (np.ones((2, 3, 4)), 2, 0),
        (np.ones((2, 3, 4, 5)), (0, 3), (2, 1)),
    ),
    *each("expand_dims", (F, 0), (F, -1), (F, (0, 2))),
    *each("squeeze", (np.ones((1, 3, 1)), 0), (np.ones((1, 3, 1)), (0, -1))),
    *each("broadcast_to", (V, (2, 3)), (1.0 * V[:1], (4, 3))),
    *each("concat", ([F, G],), ([F, V[None]], 0), ([F, F], 1), ([F, V], None), ([I, J],)),
    *each("stack", ([F, G],), ([F, G], 1), ([F, G], -1)),
    *each("flip", F, (F, 1), (F, (0, 1))),
    *each("reshape", (F, (3, 2)), (F, -1), (F, (1, -1, 2))),
    *each("roll", (F, 2), (V, -1)),
    row("roll", F, 1, axis=1),
    row("roll", F, (1, 2), axis=(0, 1)),
    row("roll", F, -7, axis=0),
    row("roll", np.ones((0, 2)), 1, axis=0),
    *each("repeat", (V, 2), (F, 3)),
    row("repeat", F, 2, axis=1),
    row("repeat", F, 0, axis=0),
    *each("tile", (V, (2,)), (F, (2, 1)), (V, (2, 2)), (F, (3,)), (F, (0, 1))),
    *each("pad", (V, 1), (F, [(1, 0), (0, 2)]), (F, 2), (np.array(2.0), 1)),
    *each("pad", (V, (1, 0)), (F, (1, 0)), (F, [(1, 2)]), (F, [[1], [2]]), (F, np.array([0, 2])), (F, (1,))),
    *each("take", (V, [0, -1, 0])),
    row("take", F, np.array([[0, 1], [1, 1]]), axis=0),
    row("take", F, np.array([2]), axis=-1),
    row("take_along_axis", F, np.argmax(F, 1, keepdims=True), axis=1),
    row("take_along_axis", F, np.array([[0, -1, 1]]), axis=0),
    row("take_along_axis", np.arange(24).reshape(2, 3, 4), np.zeros((2, 5, 4), int), axis=1),
    *[row(n, F, k=k) for n in ("tril", "triu") for k in (-1, 0, 1, 5)],
    row("tril", np.ones((2, 3, 3))),
    row("zeros_like", F),
    row("ones_like", I),
    row("full_like", F, 2),
    row("full_like", I, 3, dtype="float64"),
    *each("astype", (F, np.dtype("int32")), (I, np.dtype("float32")), (F, np.dtype("bool"))),
    row("asarray", F),
    row("asarray", I, dtype="float32"),
]

# Made of numbers alone: the numbers are NumPy's, the default dtype is float32.
CREATION = [
    row("arange", 5),
    row("arange", 2, 11, 3),
    row("arange", 5, -5, -2),
    row("arange", 0.0, 1.0, 0.1),
    row("arange", 3, 3),
    row("arange", 4, dtype="float64"),
    row("arange", 4, dtype="uint8"),
    row("arange", np.float32(2.5)),
    row("linspace", 0.0, 1.0, 7),
    row("linspace", 3, -3, 4),
    row("linspace", 0.0, 1.0, 4, endpoint=False),
    row("linspace", 2.0, 3.0, 1),
    row("linspace", 2.0, 3.0, 0),
    row("linspace", 0.0, 1.0, 11, dtype="float64"),
    row("eye", 3),
    row("eye", 2, 4),
    row("eye", 4, 3, k=-1),
    row("eye", 0),
    row("eye", 3, dtype="int64"),
    row("zeros", (2, 3)),
    row("zeros", 4),
    row("ones", (0, 2)),
    row("ones", 2, dtype="int8"),
    row("ones", ()),
    row("full", (2, 2), 3),
    row("full", 3, 0.5),
    row("full", (1,), True),
    row("full", 2, np.int64(4)),
    row("full", 2, np.float32(4)),
]


def assert_same(found: Any, expected: Any, dtype: Any, rtol: float) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, np.dtype(dtype))
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def as_float32(x: Any) -> Any:
    if isinstance(x, list):
        return [as_float32(v) for v in x]
    return x.astype("float32") if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def numpys_value(f: Callable[..., Any], args: tuple, settings: dict[str, Any]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(f(*args, **settings))


@pytest.mark.parametrize(("name", "args", "settings", "numpys"), TABLE)
@pytest.mark.parametrize("narrow", [False, True], ids=["float64", "float32"])
def test_a_function_gives_what_numpy_gives(name, args, settings, numpys, narrow) -> None:
    args = tuple(as_float32(a) for a in args) if narrow else args
    y = getattr(snp, name)(*args, **settings)
    expected = numpys_value(numpys, args, settings)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    assert_same(y.numpy(), expected, expected.dtype, 1e-5 if narrow else 1e-12)
    (strict,) = sp.evaluate([y], xp=array_api_strict)
    assert_same(strict, y.numpy(), expected.dtype, 1e-5 if narrow else 1e-12)


@pytest.mark.parametrize(("name", "args", "settings", "numpys"), CREATION)
def test_an_array_of_numbers_is_numpys_in_float32(name, args, settings, numpys) -> None:
    y = getattr(snp, name)(*args, **settings)
    expected = numpys_value(numpys, args, settings)
    as_default = name in ("zeros", "ones", "eye", "linspace") or expected.dtype.kind == "f"
    dtype = settings.get("dtype", "float32" if as_default else expected.dtype)
    assert_same(y.numpy(), expected, dtype, 1e-6)


def test_sequences_of_arrays_come_back_as_tensors() -> None:
    for ours, numpys in zip(snp.broadcast_arrays(F, V, 2.0), np.broadcast_arrays(F, V, 2.0), strict=True):
        np.testing.assert_array_equal(ours.numpy(), numpys)
    for axis in (0, 1, -1):
        for ours, numpys in zip(snp.unstack(F, axis=axis), np.unstack(F, axis=axis), strict=True):
            np.testing.assert_array_equal(ours.numpy(), numpys)


def test_means_and_quotients_of_whole_numbers_are_float32() -> None:
    for y, expected in [
        (snp.mean(I), I.mean()),
        (snp.divide(I, J), I / J),
        (snp.exp(I), np.exp(I)),
        (snp.std(I), I.std()),
    ]:
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)


def test_scatter_add_and_stop_gradient_have_no_namesake_in_numpy() -> None:
    np.testing.assert_array_equal(snp.scatter_add(np.zeros(3), [2, 2, 0], np.ones(3)).numpy(), [1, 0, 2])
    np.testing.assert_array_equal(snp.stop_gradient(V).numpy(), V)


def test_every_public_function_has_a_row() -> None:
    tested = {p.values[0] for p in TABLE + CREATION} | {
        "broadcast_arrays",
        "unstack",
        "scatter_add",
        "stop_gradient",
    }
    functions = {
        n
        for n in snp.__all__
        if callable(getattr(snp, n)) and not isinstance(getattr(snp, n), (np.dtype, type))
    }
    assert functions - tested == set()


def test_constants_and_dtypes_are_numpys() -> None:
    assert (snp.e, snp.pi, snp.inf, snp.newaxis) == (np.e, np.pi, np.inf, None)
    assert np.isnan(snp.nan)
    for name in ("bool", "int8", "uint64", "float32", "float64"):
        assert getattr(snp, name) == np.dtype(name)


@pytest.mark.parametrize("name", ["sin", "tan", "sinh", "cosh", "square", "expm1"])
def test_a_composed_function_has_the_right_gradients(name) -> None:
    sp.check_gradient(getattr(snp, name), F)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: snp.logaddexp(x, y),
        lambda x, y: snp.hypot(x, y),
        lambda x, y: snp.clip(x, -1, 1) * y,
        lambda x, y: snp.var(x, axis=1) * snp.std(y, axis=1, correction=1),
        lambda x, y: snp.logsumexp(x * y, axis=0),
        lambda x, y: snp.remainder(x * 3.1, y),
        lambda x, y: snp.tensordot(x, y.T, axes=1),
        lambda x, y: snp.vecdot(x, y, axis=0) + snp.outer(x[0], y[1]),
        lambda x, y: snp.roll(snp.tile(x, (2, 1)), 1, axis=1) * snp.repeat(y, 2, axis=0),
        lambda x, y: snp.take_along_axis(x * y, np.array([[0, 2], [1, -1]]), axis=1),
        lambda x, y: snp.tril(x @ y.T) + snp.triu(y @ x.T),
        lambda x, y: snp.min(x, axis=0) * snp.max(y, axis=0) + snp.mean(x * y),
        lambda x, y: snp.pad(x, [(1, 0), (0, 2)])[1:, :3] * snp.stack([y[0], x[1]]),
        lambda x, y: snp.where(snp.any(x > 0, axis=0), x, snp.matrix_transpose(y).mT),
    ],
)
def test_a_composition_has_the_right_gradients(f) -> None:
    sp.check_gradient(f, F, G)
