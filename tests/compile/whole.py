"""Arrays of extremes, and a table of graphs that one program computes on both backends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import spusk as sp
from spusk.compile import Program

Array = np.ndarray
SIGNED = ["int8", "int16", "int32", "int64"]
UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
WHOLE = [*SIGNED, *UNSIGNED]
DISCRETE = ["bool", *WHOLE]


def edges(dtype: str) -> Array:
    """The extremes of a dtype, and a few numbers between."""
    if dtype == "bool":
        return np.array([False, True, True, False, True, False, False, True, True, True, False])
    info = np.iinfo(dtype)
    near = [info.max, info.max - 1, info.max // 2, info.max // 2 + 1, 0, 1, 2, 3, 7, 10, 100]
    far = [info.min, info.min + 1, -1, -2, -7, -10] if info.min else [info.max // 3, 13, 128]
    return np.array([*far, *near], dtype)


def extremes(dtype: str, shape: tuple[int, ...]) -> Array:
    """An array of the edges in no order."""
    found = np.random.default_rng(math.prod(shape)).permutation(edges(dtype))
    return np.resize(found, shape).astype(dtype)


class Table:
    """Outputs and the arrays of their inputs, collected to be run as one program on both backends."""

    def __init__(self) -> None:
        self.outputs: dict[str, sp.Tensor] = {}
        self.inputs: dict[str, sp.Tensor] = {}
        self.values: dict[str, Array] = {}
        self.expected: dict[str, Array] = {}

    def add(self, name: str, build: Callable[..., Any], *arrays: Array, expected: Any = None) -> None:
        assert name not in self.outputs, name
        mine = [sp.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(arrays)]
        self.outputs[name] = build(*mine)
        self.inputs |= {f"{name} {i}": x for i, x in enumerate(mine)}
        self.values |= {f"{name} {i}": a for i, a in enumerate(arrays)}
        if expected is not None:
            self.expected[name] = np.asarray(expected)

    def check(self, rtol: float = 0) -> None:
        assert self.outputs
        reference = Program(self.outputs, self.inputs, backend="numpy")(self.values)
        native = Program(self.outputs, self.inputs)(self.values)
        for name, wanted in self.expected.items():
            same(name + ", interpreted", np.asarray(reference[name]), wanted, rtol)
        for name in self.outputs:
            same(name + ", natively", np.asarray(native[name]), np.asarray(reference[name]), rtol)


def same(name: str, found: Array, wanted: Array, rtol: float) -> None:
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype), name
    if rtol and wanted.dtype.kind == "f":
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol, err_msg=name)
    else:
        np.testing.assert_array_equal(found, wanted, err_msg=name, strict=True)
