"""Every row of the table of cases: value, dtype, gradients, and another array namespace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import array_api_strict
import numpy as np
import pytest
from graph.cases import CASES, Array, Case

import spusk as sp
from spusk.graph import Evaluator, Primitive, Tensor, topological

TIGHT = {"float64": 1e-13, "float32": 1e-5}

every_case = pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
differentiable = [c for c in CASES if any(a.dtype.kind == "f" for a in c.args)]
every_differentiable_case = pytest.mark.parametrize(
    "case", differentiable, ids=[c.id for c in differentiable]
)


def graph_of(case: Case, args: tuple[Array, ...]) -> tuple[Tensor, list[Tensor]]:
    inputs = [sp.input(f"x{i}", a.shape, a.dtype) for i, a in enumerate(args)]
    return case.build(*inputs), inputs


def assert_same(found: Any, expected: Any, rtol: float) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@every_case
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_value_is_what_numpy_computes(case: Case, dtype: str) -> None:
    args = case.as_dtype(dtype)
    y, inputs = graph_of(case, args)
    (found,) = sp.evaluate([y], dict(zip(inputs, args, strict=True)))
    expected = np.asarray(case.expected(*args))
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    assert_same(found, expected, TIGHT[dtype])


@every_case
def test_another_array_namespace_gives_the_same_value(case: Case) -> None:
    y, inputs = graph_of(case, case.args)
    feeds = dict(zip(inputs, case.args, strict=True))
    (found,) = sp.evaluate([y], feeds, xp=array_api_strict)
    assert isinstance(found, type(array_api_strict.asarray(0)))
    assert_same(found, sp.evaluate([y], feeds)[0], TIGHT["float64"])


smooth = [c for c in differentiable if c.smooth]


@pytest.mark.parametrize("case", smooth, ids=[c.id for c in smooth])
def test_gradients_agree_with_central_differences_in_first_and_second_order(case: Case) -> None:
    def f(*args: Tensor) -> Tensor:
        y = case.build(*args)
        return y if y.dtype.kind == "f" else y.astype("float64")  # no gradient: both sides are 0

    sp.check_gradient(f, *case.args)


@every_differentiable_case
def test_a_gradient_has_the_shape_and_dtype_of_its_variable(case: Case) -> None:
    args = case.as_dtype("float32")
    y, inputs = graph_of(case, args)
    if y.dtype.kind != "f":
        y = y.astype("float32")
    variables = [x for x in inputs if x.dtype.kind == "f"]
    gradients = sp.backprop(y, variables, cotangent=np.ones(y.shape, "float32"))
    feeds = dict(zip(inputs, args, strict=True))
    for x, g, ours, strict in zip(
        variables,
        gradients,
        sp.evaluate(gradients, feeds),
        sp.evaluate(gradients, feeds, xp=array_api_strict),
        strict=True,
    ):
        assert (g.shape, g.dtype) == (ours.shape, ours.dtype) == (x.shape, x.dtype)
        assert_same(strict, ours, TIGHT["float32"])


@every_case
def test_a_row_is_about_the_primitive_that_it_names(case: Case) -> None:
    y, _ = graph_of(case, case.args)
    assert (
        any(type(t.primitive) is case.primitive for t in topological([y]))
        or y.size == 0
        or same_shape(case, y)
    )


def same_shape(case: Case, y: Tensor) -> bool:
    """Nothing is to be done when nothing changes, and then there may be no node."""
    return bool(case.args) and np.array_equal(case.expected(*case.args), case.args[0])


def test_every_primitive_has_a_row() -> None:
    named = {
        p for p in descendants(Primitive) if "name" in vars(p) and p.__module__.startswith("spusk.graph")
    }
    assert named == {c.primitive for c in CASES}


def descendants(cls: type) -> Iterator[type]:
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


def test_a_case_is_evaluated_again_and_again_with_the_same_bits() -> None:
    for case in CASES[::7]:
        y, inputs = graph_of(case, case.args)
        evaluator = Evaluator([y], inputs)
        first, second = (np.asarray(evaluator(*case.args)[0]).tobytes() for _ in range(2))
        assert first == second
