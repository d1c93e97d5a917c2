"""Both backends agree on a program; and the bounds above which the compiler does otherwise, set low."""

from __future__ import annotations

import importlib
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from weakref import WeakValueDictionary

import numpy as np

import spusk as sp
from spusk.compile import Program

FLOAT64 = 1e-12  # relative
ULPS_PER_OPERATION = 4  # float32: our functions are within 2.6 and NumPy's within 4, mostly far below
STEPS = 3

# What the compiler does only to what is large, by name: the modules' constants that decide, set low.
BOUNDS: dict[str, dict[str, Any]] = {
    "split among threads": {"cost.LARGE": 1},
    "small kernels": {"fuse.LARGEST": 3},
    "nothing floats": {"fuse.DEEPEST": 0, "fuse.TINY": 0},
    "nothing folded": {"simplify.FOLDED": 0},
    "products by BLAS": {"products.rule.ROWS_KIB": 0, "products.rule.COLUMNS_KIB": 0},
    "copies of B": {"products.form.L1_BYTES": 0, "products.form.ROWS_WORTH_A_COPY": 1},
    "long axes": {"lower.loops.UNROLLED": 0, "lower.loops.PIECES": 1},
    "wide sums": {"widen.LONG": 1},
    "products in parts": {"products.parts.LONGEST": 2, "lower.dots.LONGEST": 2},
    "short functions": {"lower.module.CALLS": 2},
}


@contextmanager
def low(names: Collection[str]) -> Iterator[None]:
    """Some bounds set low, and nothing known of what was compiled before."""
    with ExitStack() as stack:

        def put(path: str, value: Any) -> None:
            module, name = path.rsplit(".", 1)
            stack.enter_context(patch.object(importlib.import_module(f"spusk.compile.{module}"), name, value))

        if names:
            put("lower.module._known", {})
            put("native._programs", WeakValueDictionary())
        for name in sorted(names):
            for path, value in BOUNDS[name].items():
                put(path, value)
        yield


def budget(dtype: np.dtype[Any], outputs: Collection[sp.Tensor]) -> float:
    """The relative error that a graph may come to.

    float64: 1e-12. float32: 4 ULP for each operation that can round, times 1 + log2(n) for a sum or a
    product over n elements, which the backends add in different orders. Relative to an array's largest
    number, because sums cancel.
    """
    if dtype == np.float64:
        return FLOAT64
    ulps = sum(
        ULPS_PER_OPERATION * (1 + math.log2(max(_added(t), 1)))
        for t in sp.graph.topological(outputs)
        if t.inputs and t.dtype.kind == "f" and t.primitive.name not in MOVES
    )
    return ulps * float(np.finfo(np.float32).eps)


MOVES = (
    "reshape",
    "transpose",
    "broadcast",
    "slice",
    "flip",
    "pad",
    "concatenate",
    "take",
    "max",
    "stop_gradient",
)


def _added(t: sp.Tensor) -> int:
    """How many numbers are added for an element of the result."""
    match t.primitive.name:
        case "sum":
            return t.inputs[0].size // max(t.size, 1)
        case "dot":
            return t.inputs[0].shape[-1]
        case "scatter_add":
            return t.inputs[2].size + 1
        case _:
            return 1


def assert_equal(name: str, native: Any, reference: Any, allowed: float) -> None:
    """Bits of whole numbers and truths, places of NaN, and floats within a relative error."""
    native, reference = np.asarray(native), np.asarray(reference)
    assert (native.shape, native.dtype) == (reference.shape, reference.dtype), name
    if reference.dtype.kind != "f":
        np.testing.assert_array_equal(native, reference, err_msg=name)
        return
    np.testing.assert_array_equal(np.isnan(native), np.isnan(reference), err_msg=name)
    scale = max(1.0, float(np.max(np.abs(reference[np.isfinite(reference)]), initial=0)))
    np.testing.assert_allclose(native, reference, rtol=allowed, atol=allowed * scale, err_msg=name)


def _is_as_sensitive(
    interpreter: Program, feeds: Mapping[str, Any], part: str, name: str, native: Any, share: float
) -> bool:
    """Whether the interpreter itself goes as far astray when its inputs move by the share that is allowed.

    A quotient of differences that nearly vanish makes any rounding large: no two orders of operations agree.
    """
    reference = np.asarray(getattr(interpreter.run(feeds, steps=STEPS), part)[name])
    if reference.dtype.kind != "f" or not np.array_equal(np.isfinite(native), np.isfinite(reference)):
        return False
    random = np.random.default_rng(0)
    spread = np.zeros(reference.shape)
    for _ in range(20):
        moved = {
            k: v * (1 + share * random.choice((-1.0, 1.0), np.shape(v))).astype(np.asarray(v).dtype)
            if np.asarray(v).dtype.kind == "f"
            else v
            for k, v in feeds.items()
        }
        other = np.asarray(getattr(interpreter.run(moved, steps=STEPS), part)[name])
        with np.errstate(invalid="ignore"):
            spread = np.fmax(spread, np.abs(other - reference))
    return bool(np.all(np.isnan(reference) | (np.abs(native - reference) <= spread)))


def assert_agreement(
    outputs: Mapping[str, sp.Tensor],
    inputs: Mapping[str, sp.Tensor],
    carry: Mapping[str, str],
    feeds: Mapping[str, Any],
    bounds: Collection[str] = (),
) -> None:
    """Some steps on both backends; where loops are split, with the same bits for one, two and three threads."""
    allowed = {
        dtype: budget(dtype, outputs.values()) for dtype in (np.dtype(np.float32), np.dtype(np.float64))
    }
    with low(bounds):
        native = Program(outputs, inputs, carry)
        counts = (1, 2, 3) if "split among threads" in bounds else (None,)
        found = [native.run(feeds, steps=STEPS, threads=count) for count in counts]
    interpreter = Program(outputs, inputs, carry, backend="numpy")
    reference = interpreter.run(feeds, steps=STEPS)
    for part in ("collected", "values"):
        got, expected = getattr(found[0], part), getattr(reference, part)
        assert set(got) == set(expected)
        for name, value in expected.items():
            share = allowed.get(np.asarray(value).dtype, 0.0)
            try:
                assert_equal(name, got[name], value, share)
            except AssertionError:
                if not _is_as_sensitive(interpreter, feeds, part, name, got[name], share):
                    raise
    for count, other in zip(counts[1:], found[1:], strict=True):
        for ours, first in ((other.collected, found[0].collected), (other.values, found[0].values)):
            for name, value in first.items():
                same = np.asarray(ours[name]).tobytes() == np.asarray(value).tobytes()
                assert same, f"{name} has other bits with {count} threads"
