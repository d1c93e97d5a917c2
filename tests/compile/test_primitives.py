"""Every row of the table of cases, natively: values, first and second gradients are the interpreter's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graph.cases import CASES, Case

import spusk as sp
from spusk.compile import Program

NAMES = sorted({case.primitive.name for case in CASES})
TIGHT = {"float64": 1e-12, "float32": 2e-6}


def outputs_of(case: Case, inputs: list[sp.Tensor]) -> list[sp.Tensor]:
    """The case's value, its gradients, and the gradients of their squares."""
    value = case.build(*inputs)
    floats = [x for x in inputs if x.dtype.kind == "f"]
    if value.dtype.kind != "f" or not floats:
        return [value]
    first = sp.backprop(value.sum(), floats)
    squares = sum(((g * g).sum() for g in first[1:]), (first[0] * first[0]).sum())
    return [value, *first, *sp.backprop(squares, floats)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_every_case_gives_the_same_natively(name: str, dtype: str) -> None:
    outputs: dict[str, sp.Tensor] = {}
    inputs: dict[str, sp.Tensor] = {}
    values: dict[str, Any] = {}
    for case in (c for c in CASES if c.primitive.name == name):
        args = case.as_dtype(dtype)
        mine = [sp.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(args)]
        inputs |= {f"{case.id} input {i}": x for i, x in enumerate(mine)}
        values |= {f"{case.id} input {i}": a for i, a in enumerate(args)}
        outputs |= {f"{case.id} output {i}": y for i, y in enumerate(outputs_of(case, mine))}
    native = Program(outputs, inputs)(values)
    reference = Program(outputs, inputs, backend="numpy")(values)
    for key in outputs:
        found, expected = np.asarray(native[key]), np.asarray(reference[key])
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype), key
        if expected.dtype.kind == "f":
            limit = TIGHT[expected.dtype.name]
            np.testing.assert_allclose(found, expected, rtol=limit, atol=limit, err_msg=key)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=key)


EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 3e38, 5e-324, 1e308, 2.5]
UNARY = ["abs", "sign", "floor", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "negative"]
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "equal", "not_equal", "pow"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_edge_values_give_the_same_natively(dtype: str) -> None:
    with np.errstate(all="ignore"):
        edges = np.array(EDGES).astype(dtype)
    x = sp.input("x", (len(edges),), dtype)
    y = sp.input("y", (len(edges), 1), dtype)
    outputs = {name: getattr(sp.numpy, name)(x) for name in UNARY}
    outputs |= {name: getattr(sp.numpy, name)(x, y) for name in BINARY}
    outputs |= {"max": sp.numpy.max(x), "argmax": sp.numpy.argmax(x), "truth": sp.numpy.astype(x, "bool")}
    feeds = {"x": edges, "y": edges[:, None]}
    native = Program(outputs, {"x": x, "y": y})(feeds)
    reference = Program(outputs, {"x": x, "y": y}, backend="numpy")(feeds)
    for name, expected in reference.items():
        np.testing.assert_allclose(native[name], expected, rtol=TIGHT[dtype], atol=0, err_msg=name)


INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_whole_numbers_wrap_around_as_in_numpy(dtype: str) -> None:
    info = np.iinfo(dtype)
    array = np.array([info.min, info.max, 0, 1, 3, info.max // 2, 7, 2, 1, 0, 5], dtype)
    x, y = sp.input("x", array.shape, dtype), sp.input("y", array.shape, dtype)
    outputs = {
        "add": x + y,
        "sub": x - y,
        "mul": x * y,
        "neg": -x,
        "abs": abs(x),
        "sign": sp.numpy.sign(x),
        "max": sp.numpy.maximum(x, y),
        "min": sp.numpy.minimum(x, y),
        "less": x < y,
        "sum": x.sum(),
        "largest": sp.numpy.max(x),
        "power": x ** sp.numpy.astype(sp.numpy.minimum(y, 3) * (y > 0), dtype),
        "float": sp.numpy.astype(x, "float64"),
        "wide": sp.numpy.astype(x, "int64"),
        "narrow": sp.numpy.astype(x, "int8"),
        "product": sp.numpy.reshape(x, (1, -1)) @ sp.numpy.reshape(y, (-1, 1)),
    }
    feeds = {"x": array, "y": array[::-1].copy()}
    native = Program(outputs, {"x": x, "y": y})(feeds)
    reference = Program(outputs, {"x": x, "y": y}, backend="numpy")(feeds)
    for name, expected in reference.items():
        assert native[name].dtype == expected.dtype, name
        np.testing.assert_array_equal(native[name], expected, err_msg=name)
