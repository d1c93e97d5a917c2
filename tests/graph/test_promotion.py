"""Which dtype two operands have together, and which shape."""

from __future__ import annotations

import operator

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, ShapeError
from spusk.graph import scalar

STRICT = array_api_strict
NAMES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)


@pytest.mark.parametrize("a", NAMES)
@pytest.mark.parametrize("b", NAMES)
def test_two_arrays_promote_as_the_array_api_says_and_floats_win_over_whole_numbers(a, b) -> None:
    x, y = sp.input("x", (2,), a), sp.input("y", (2,), b)
    kinds = {np.dtype(a).kind, np.dtype(b).kind}
    if kinds == {"i", "u"} and "uint64" in (a, b):
        with pytest.raises(
            DTypeError, match=r"have no common integer dtype; cast one .* \(test_promotion\.py:\d+\)"
        ):
            x + y
        return
    if "f" in kinds and kinds != {"f"}:
        expected = a if a.startswith("float") else b
    elif "b" in kinds and kinds != {"b"}:
        expected = a if b == "bool" else b
    else:
        expected = STRICT.result_type(getattr(STRICT, a), getattr(STRICT, b))
        expected = np.asarray(STRICT.zeros((), dtype=expected)).dtype.name
    assert (x * y).dtype.name == expected
    assert (x * y).numpy({x: [1, 0], y: [1, 1]}).dtype.name == expected
    assert snp.where(x, x, y).dtype.name == expected
    assert snp.concat([x, y]).dtype.name == expected


# A Python number (or a NumPy float64 scalar, which is a Python float) beside an array.
BESIDE = [
    ("float32", 2, "float32"),
    ("float32", 2.5, "float32"),
    ("float32", True, "float32"),
    ("float64", 0.1, "float64"),
    ("float32", np.float64(0.1), "float32"),
    ("float64", np.float32(0.1), "float64"),
    ("float32", [1.0, 2.0], "float32"),
    ("int8", 3, "int8"),
    ("int8", True, "int8"),
    ("uint8", 255, "uint8"),
    ("int64", 2.5, "float32"),
    ("int8", [1, 2], "int8"),
    ("bool", 1, "int64"),
    ("bool", 1.5, "float32"),
    ("bool", True, "bool"),
    ("float32", np.array([1.0, 2.0]), "float64"),
    ("int8", np.int64(3), "int64"),
    ("float32", np.int64(3), "float32"),
]


@pytest.mark.parametrize(("dtype", "other", "expected"), BESIDE)
def test_a_python_number_takes_the_arrays_dtype_unless_its_kind_is_higher(dtype, other, expected) -> None:
    x = sp.input("x", (2,), dtype)
    for y in (x * other, other * x, snp.maximum(x, other), snp.where(True, other, x)):
        assert y.dtype.name == expected
        assert y.numpy({x: [1, 1]}).dtype.name == expected


def test_float32_stays_float32_in_a_longer_formula() -> None:
    x = sp.input("x", (3,), "float32")
    y = 1 / (1 + snp.exp(-x * 0.5)) + np.float64(2) * x**2 - snp.mean(x) / 3 + snp.clip(x, 0, 1.5) * snp.pi
    assert y.dtype == np.float32
    assert sp.backprop(y.sum(), x).dtype == np.float32
    assert (x * snp.where(x > 0, 1.0, 0.5)).dtype == np.float32


def test_scalars_computed_from_python_numbers_are_weak_and_keep_full_precision() -> None:
    lr = scalar(0.1) * 0.5 / snp.sqrt(scalar(3))
    assert lr.weak
    assert float(lr) == 0.1 * 0.5 / np.sqrt(3.0)
    x32, x64 = sp.input("x", (2,), "float32"), sp.input("x", (2,), "float64")
    assert (x32 * lr).dtype == np.float32
    assert (x64 * lr).numpy({x64: [1, 2]})[0] == 0.1 * 0.5 / np.sqrt(3.0)
    step = sp.input("t", (), "int64", weak=True)
    schedule = snp.where(step < 10, step / 10, 0.5)
    assert schedule.weak
    assert (x32 * schedule).dtype == np.float32
    assert (x64 * snp.where(sp.input("n", (), "int64") < 3, 0.1, 1.0)).dtype == np.float64


def test_a_gradient_by_a_weak_scalar_is_weak_as_well() -> None:
    lr = sp.input("lr", (), "float64", weak=True)
    w = sp.input("w", (2,), "float32")
    assert (w * sp.backprop(lr * lr, lr)).dtype == np.float32


def test_lists_alone_are_literal_arrays_of_float32_or_int64() -> None:
    assert snp.add([1.0], [2.0]).dtype == np.float32
    assert snp.add([1], [2]).dtype == np.int64
    assert snp.matmul([[1.0]], [[2.0]]).dtype == np.float32
    assert snp.asarray([np.float64(1)]).dtype == np.float64


@pytest.mark.parametrize(
    ("dtype", "number"),
    [
        ("int8", 300),
        ("uint8", -1),
        ("uint64", -1),
        ("int8", [300, 1]),
        ("int64", 2**70),
        ("uint8", [0, -1]),
        ("float32", 10**400),
    ],
)
def test_a_number_that_does_not_fit_is_refused_in_a_sentence(dtype, number) -> None:
    x = sp.input("x", (2,), dtype)
    with pytest.raises(DTypeError, match=r"does not fit into .* \(test_promotion\.py:\d+\)"):
        x + number


def test_a_float_beyond_float32_is_infinite_without_a_warning() -> None:
    x = sp.input("x", (), "float32")
    assert (x + 1e300).numpy({x: 0}) == np.inf


@pytest.mark.parametrize(
    "what", ["text", None, 1j, object(), [[1.0], [1.0, 2.0]], np.array(["a"]), np.array([1j])]
)
def test_what_is_not_a_number_is_refused_in_a_sentence(what) -> None:
    x = sp.input("x", (2,))
    with pytest.raises(DTypeError, match=r"\(test_promotion\.py:\d+\)"):
        x + what


def test_unknown_dtypes_are_refused_in_a_sentence() -> None:
    for dtype in ("float16", "complex64", "nonsense", object, "datetime64[s]"):
        with pytest.raises(
            DTypeError, match=r"is not supported; use one of bool, float32, .*\(test_promotion\.py:\d+\)"
        ):
            snp.zeros(3, dtype=dtype)


@pytest.mark.parametrize("f", [operator.sub, operator.pow, lambda x, y: -x, lambda x, y: snp.sign(x)])
def test_truth_values_are_not_numbers(f) -> None:
    x = sp.input("x", (2,), "bool")
    with pytest.raises(DTypeError, match="needs numbers and got truth values"):
        f(x, x)


@pytest.mark.parametrize("f", [operator.and_, operator.or_, lambda x, y: ~x])
def test_numbers_are_not_truth_values(f) -> None:
    x = sp.input("x", (2,), "int64")
    with pytest.raises(DTypeError, match=r"needs truth values and got int64 \(test_promotion\.py:\d+\)"):
        f(x, x)


# --- shapes -------------------------------------------------------------------------------------------


@given(mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=4, max_dims=4))
def test_shapes_broadcast_as_numpys_do(shapes) -> None:
    a, b, c = (sp.input("x", s) for s in shapes.input_shapes)
    assert (a + b * c).shape == shapes.result_shape
    assert snp.where(a > 0, b, c).shape == shapes.result_shape
    assert snp.broadcast_to(a, shapes.result_shape).shape == shapes.result_shape
    for x in sp.backprop((a + b * c).sum(), [a, b, c]):
        assert x.shape in shapes.input_shapes


shape = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@given(shape, shape)
def test_shapes_that_numpy_refuses_are_refused(a, b) -> None:
    x, y = sp.input("x", a), sp.input("y", b)
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(
            ShapeError, match=r"add got shapes .* which do not broadcast \(test_promotion\.py:\d+\)"
        ):
            x + y
    else:
        assert (x + y).shape == expected
