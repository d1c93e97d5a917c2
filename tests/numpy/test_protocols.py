"""How Tensors meet NumPy, Python's operators, and the array API standard."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, ShapeError

X = np.array([0.5, 2.0, -1.0])


def test_a_tensor_names_its_namespace() -> None:
    assert snp.asarray(X).__array_namespace__() is snp


@pytest.mark.parametrize(
    "name",
    ["exp", "tanh", "abs", "absolute", "negative", "square", "sign", "floor", "isnan", "expm1"],
)
def test_numpys_functions_of_a_tensor_build_graph(name) -> None:
    x = sp.input("x", (3,), "float64")
    y = getattr(np, name)(x)
    assert isinstance(y, sp.Tensor)
    np.testing.assert_allclose(y.numpy({x: X}), getattr(np, name)(X), rtol=1e-14, equal_nan=True)


def test_numpys_reductions_and_joins_of_a_tensor_build_graph() -> None:
    x = sp.input("x", (3,), "float64")
    pairs = [
        (np.sum(x**2), np.sum(X**2)),
        (np.mean(x, axis=0), np.mean(X)),
        (np.max(x), 2.0),
        (np.concatenate([x, X]), np.concatenate([X, X])),
        (np.where(x > 0, x, 0.0), np.where(X > 0, X, 0.0)),
    ]
    for ours, numpys in pairs:
        assert isinstance(ours, sp.Tensor)
        np.testing.assert_allclose(ours.numpy({x: X}), numpys)
    np.testing.assert_allclose(sp.grad(lambda x: np.sum(x**2))(X), 2 * X)


@pytest.mark.parametrize("f", [lambda x: math.sin(x[0]), lambda x: int(x[0]), lambda x: np.sort(x)])
def test_what_needs_a_value_while_a_function_is_traced_says_what_to_use(f) -> None:
    with pytest.raises(DTypeError, match=r"use the functions of spusk.numpy .*\(test_protocols.py:\d+\)"):
        sp.grad(f)(X)
    assert np.array_equal(np.sort(snp.asarray(X)), np.sort(X))


@pytest.mark.parametrize(
    "symbol", ["add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge", "eq", "ne", "mod", "floordiv"]
)
@pytest.mark.parametrize(
    "other", [np.array([1.5, 0.5, 2.0]), np.float32(2), np.float64(2), 2, 2.5, np.int64(2)]
)
def test_operators_take_arrays_and_numbers_on_either_side(symbol, other) -> None:
    f = getattr(operator, symbol)
    x = sp.input("x", (3,), "float64")
    positive = np.abs(X)
    for ours, numpys in ((f(x, other), f(positive, other)), (f(other, x), f(other, positive))):
        assert isinstance(ours, sp.Tensor)
        np.testing.assert_allclose(ours.numpy({x: positive}), numpys, rtol=1e-14)


def test_matrix_products_and_logic_work_from_both_sides() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal((snp.asarray(a) @ b).numpy(), a @ b)
    np.testing.assert_array_equal((a @ snp.asarray(b)).numpy(), a @ b)
    t, m = snp.asarray(X) > 0, np.array([True, True, False])
    for ours, numpys in [
        (t & m, [1, 1, 0]),
        (m & t, [1, 1, 0]),
        (t | m, [1, 1, 0]),
        (m | t, [1, 1, 0]),
        (~t, [0, 0, 1]),
        (np.invert(t), [0, 0, 1]),
    ]:
        np.testing.assert_array_equal(ours.numpy(), np.array(numpys, bool))


def test_unary_operators_and_methods_are_numpys() -> None:
    a = np.array([[3.0, 1.0, 2.0], [0.5, 5.0, 4.0]])
    t = snp.asarray(a)
    pairs = [
        (-t, -a),
        (+t, a),
        (abs(t), abs(a)),
        (t.T, a.T),
        (t.mT, a.T),
        (t.sum(0), a.sum(0)),
        (t.mean(), a.mean()),
        (t.max(1), a.max(1)),
        (t.min(), a.min()),
        (t.var(correction=1), a.var(ddof=1)),
        (t.std(0), a.std(0)),
        (t.argmax(), a.argmax()),
        (t.argmin(1), a.argmin(1)),
        (t.reshape(3, 2), a.reshape(3, 2)),
        (t.reshape((6,)), a.reshape(6)),
        (t.transpose(), a.T),
        (t.transpose(1, 0), a.T),
        (t.flatten(), a.ravel()),
        (t.astype("int64"), a.astype("int64")),
        (t.sum(1, keepdims=True), a.sum(1, keepdims=True)),
    ]
    for ours, numpys in pairs:
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-14)
    assert (t.ndim, t.size, len(t), t.shape) == (2, 6, 2, (2, 3))


def test_a_known_value_becomes_a_number_an_array_or_a_truth_value() -> None:
    t = snp.asarray(2.5)
    assert (float(t), int(t), t.item(), bool(t > 2)) == (2.5, 2, 2.5, True)
    assert [10, 20, 30][snp.asarray(1)] == 20
    assert np.asarray(t).dtype == np.float32
    assert np.array(t, dtype="float64") == 2.5
    with pytest.raises(TypeError, match="only an integer Tensor can be an index, not float32"):
        [1][t]


def test_comparison_makes_tensors_and_identity_makes_hashes() -> None:
    a, b = snp.asarray([1.0]), snp.asarray([1.0])
    assert isinstance(a == b, sp.Tensor)
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"


@pytest.mark.parametrize("f", [np.arctan2, np.heaviside])
def test_a_numpy_function_without_counterpart_is_refused_in_a_sentence(f) -> None:
    x = snp.asarray(X)
    with pytest.raises(
        DTypeError, match=rf"np\.{f.__name__} has no counterpart for Tensors; .*\(test_protocols\.py:\d+\)"
    ):
        f(x, x)
    with pytest.raises(DTypeError, match=r"np\.add has no counterpart"):
        np.add.reduce(x)


@pytest.mark.parametrize(
    ("f", "sentence"),
    [
        (lambda x: x.T, r"\.T needs two axes and got shape \(3,\)"),
        (lambda x: x.mT, r"\.mT needs at least two axes and got shape \(3,\)"),
        (
            lambda x: x @ snp.ones((2, 3)),
            r"matmul got shapes \(3,\) and \(2, 3\); the last axis of the first",
        ),
        (lambda x: x @ 2.0, r"matmul got shapes \(3,\) and \(\)"),
        (lambda x: snp.ones((2, 1, 3)) @ snp.ones((3, 3, 1)), "which do not broadcast"),
        (lambda x: x.reshape(2, 2), r"reshape cannot make shape \(2, 2\) of \(3,\)"),
        (lambda x: x.reshape(2, -1), r"reshape cannot make shape \(2, -1\) of \(3,\)"),
        (lambda x: x.reshape(-1, -1), "at most one axis may be -1"),
        (lambda x: snp.permute_dims(x, (0, 0)), r"transpose got axes \(0, 0\) for shape \(3,\)"),
        (lambda x: snp.broadcast_to(x, (3, 2)), r"broadcast cannot make shape \(3, 2\) of \(3,\)"),
        (lambda x: snp.broadcast_to(x, ()), r"broadcast cannot make shape \(\) of \(3,\)"),
        (lambda x: snp.broadcast_arrays(x, np.ones(2)), r"broadcast_arrays got \(3,\), \(2,\)"),
        (lambda x: snp.concat([x, snp.ones((2, 2))]), "concatenate along axis 0 got shapes"),
        (lambda x: snp.concat([]), "concatenate got no arrays"),
        (lambda x: snp.concat([1.0, 2.0]), "concatenate got arrays without axes; use stack"),
        (lambda x: snp.stack([x, x[:2]]), r"stack got \(3,\), \(2,\); it needs arrays of one shape"),
        (lambda x: snp.sum(x, axis=1), "sum got axis 1 for a Tensor of 1 axes"),
        (lambda x: snp.sum(x, axis=(0, -1)), r"sum got an axis twice: \(0, -1\)"),
        (lambda x: snp.max(x[:0]), r"max over axes \(0,\) of shape \(0,\): no elements to choose from"),
        (lambda x: snp.argmax(x[:0]), "argmax along axis 0 .*: no elements to choose from"),
        (lambda x: snp.squeeze(x, 0), r"squeeze got axis 0 of shape \(3,\), which is not of length 1"),
        (lambda x: snp.expand_dims(x, 5), "expand_dims got axis 5 for a Tensor of 2 axes"),
        (lambda x: snp.moveaxis(snp.ones((2, 3)), (0, 1), (0, 0)), "moveaxis got source"),
        (lambda x: snp.flip(x, 2), "flip got axis 2"),
        (lambda x: snp.take(snp.ones((2, 2)), [0]), r"take needs an axis for shape \(2, 2\)"),
        (lambda x: snp.take(x[:0], [0]), "no elements to choose from"),
        (lambda x: sp.scatter_add(x, [0], np.ones(2)), r"updates of shape \(2,\); it needs \(1,\)"),
        (lambda x: snp.take_along_axis(snp.ones((2, 2)), [[0]], axis=1), "all axes but 1 must agree"),
        (lambda x: snp.vecdot(x, snp.ones(2)), r"vecdot got shapes \(3,\) and \(2,\)"),
        (lambda x: snp.tensordot(x, x[:2], axes=1), r"tensordot got shapes \(3,\) and \(2,\) for axes 1"),
        (lambda x: snp.tril(x), r"a triangle needs at least two axes and got shape \(3,\)"),
        (
            lambda x: snp.pad(x, -1),
            r"pad got pad_width=-1 for shape \(3,\); it needs a whole number of 0 or more",
        ),
        (lambda x: snp.pad(x, 1.5), "pad got pad_width=1.5 for shape"),
        (lambda x: snp.pad(x, True), "pad got pad_width=True for shape"),
        (lambda x: snp.pad(x, (1, 2, 3)), r"pad got pad_width=\(1, 2, 3\) for shape"),
        (lambda x: snp.pad(x, [(1, 0), (1, 0)]), r"pad got pad_width=\[\(1, 0\), \(1, 0\)\] for shape"),
        (lambda x: snp.pad(x, [(1, 0), 1]), r"pad got pad_width=\[\(1, 0\), 1\] for shape"),
        (lambda x: snp.pad(x, "1"), "pad got pad_width='1' for shape"),
        (lambda x: snp.pad(x, None), "pad got pad_width=None for shape"),
        (lambda x: snp.arange(1, 2, 0), "arange got step 0"),
        (lambda x: snp.ones((2, -1)), r"an array cannot have shape \(2, -1\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_the_users_line(f, sentence) -> None:
    with pytest.raises(ShapeError, match=sentence + r".* \(test_protocols\.py:\d+\)$") as caught:
        f(snp.asarray(X))
    assert str(caught.value).endswith(f"(test_protocols.py:{f.__code__.co_firstlineno})")


@pytest.mark.parametrize("f", [lambda x: snp.take(x, [0.5]), lambda x: sp.scatter_add(x, [0.5], [1.0])])
def test_indices_are_whole_numbers(f) -> None:
    with pytest.raises(DTypeError, match="needs integer indices and got float"):
        f(snp.asarray(X))
