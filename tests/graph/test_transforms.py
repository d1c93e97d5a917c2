"""grad, value_and_grad, jacobian, hvp and jit: from functions to functions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, GradientError, InputError, ShapeError


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_grad_hvp_and_jacobian_agree_with_scipys_rosenbrock() -> None:
    x, v = np.array([-1.2, 0.7]), np.array([0.3, -2.0])
    np.testing.assert_allclose(sp.grad(rosenbrock)(x), scipy.optimize.rosen_der(x), rtol=1e-13)
    np.testing.assert_allclose(sp.hvp(rosenbrock)(x, v), scipy.optimize.rosen_hess_prod(x, v), rtol=1e-12)
    np.testing.assert_allclose(sp.jacobian(sp.grad(rosenbrock))(x), scipy.optimize.rosen_hess(x), rtol=1e-12)


def test_value_and_grad_gives_both() -> None:
    value, gradient = sp.value_and_grad(rosenbrock)([1.0, 2.0])
    assert value == 100
    np.testing.assert_array_equal(gradient, [-400, 200])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_keeps_its_dtype_through_every_transform(dtype) -> None:
    x = np.array([0.5, 2.0], dtype=dtype)
    found = [
        *sp.value_and_grad(rosenbrock)(x), sp.grad(rosenbrock)(x), sp.hvp(rosenbrock)(x, x),
        sp.jacobian(lambda x: x * x)(x), sp.jit(rosenbrock)(x),
    ]  # fmt: skip
    assert {a.dtype.name for a in found} == {dtype}


@pytest.mark.parametrize("x", [[1, 2], (1, 2), [1.0, 2.0], np.array([1, 2]), np.array([1, 2], "int8")])
def test_lists_and_whole_numbers_are_differentiated_as_float64(x) -> None:
    gradient = sp.grad(rosenbrock)(x)
    assert gradient.dtype == np.float64
    np.testing.assert_array_equal(gradient, [-400, 200])
    assert sp.grad(lambda x: x**3)(2) == 12


def test_whole_number_arguments_that_are_not_differentiated_stay_whole() -> None:
    def f(x, i):
        assert i.dtype == np.int64
        return snp.take(x, i).sum()

    np.testing.assert_array_equal(sp.grad(f)([1.0, 2.0, 3.0], [0, 2, 2]), [1, 0, 2])


def test_a_dict_of_parameters_gives_a_dict_of_gradients() -> None:
    def loss(p, x):
        return ((x @ p["weight"] + p["head"]["bias"]) ** 2).sum()

    p = {"weight": np.ones((3, 2), "float32"), "head": {"bias": np.zeros(2, "float32")}}
    value, g = sp.value_and_grad(loss)(p, np.ones((4, 3), "float32"))
    assert value == 72
    assert list(g) == ["weight", "head"]
    assert g["weight"].shape == (3, 2)
    assert g["weight"].dtype == np.float32
    np.testing.assert_array_equal(g["head"]["bias"], [24, 24])


def test_a_tuple_of_argnums_gives_a_tuple_of_gradients() -> None:
    f = lambda a, b, c: a * b * c  # noqa: E731
    assert sp.grad(f, argnums=1)(2.0, 3.0, 5.0) == 10
    assert sp.grad(f, argnums=-1)(2.0, 3.0, 5.0) == 6
    assert sp.grad(f, argnums=(2, 0))(2.0, 3.0, 5.0) == (6, 15)
    assert sp.value_and_grad(f, argnums=(0,))(2.0, 3.0, 5.0) == (30, (15,))


def test_a_function_that_ignores_its_argument_has_gradient_zero() -> None:
    assert sp.grad(lambda x: 3.0)(1.0) == 0
    assert sp.grad(lambda x, y: y)(1.0, 2.0) == 0


def test_a_derivative_of_a_derivative_does_not_confuse_its_variables() -> None:
    assert sp.grad(lambda x: x * sp.grad(lambda y: x + y)(1.0))(1.0) == 1  # Siskind & Pearlmutter, 2005
    assert sp.grad(lambda x: x * sp.grad(lambda y: x * y)(2.0))(3.0) == 6
    assert sp.grad(lambda x: sp.grad(lambda x: x**3)(x) * x)(2.0) == 36
    assert sp.grad(lambda x: sp.grad(lambda y: x * y * y)(x))(3.0) == 12
    assert sp.grad(lambda x: sp.grad(lambda y: y**3)(2))(1.0) == 0


def test_only_the_argument_varies_and_not_the_same_tensor_in_the_closure() -> None:
    def outer(x):
        return sp.grad(lambda y: y * x)(x) + 0 * x

    assert sp.grad(outer)(5.0) == 1
    assert sp.grad(lambda x: sp.value_and_grad(lambda y: y * x)(x)[0])(5.0) == 10


def test_transforms_nest_in_each_other() -> None:
    x = np.array([0.3, 0.8, -0.5])
    f = lambda x: (snp.sin(x) * x[::-1]).sum()  # noqa: E731
    hessian = sp.jacobian(sp.grad(f))(x)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12)
    np.testing.assert_allclose(hessian @ [1, 2, 3], sp.hvp(f)(x, np.array([1.0, 2.0, 3.0])), rtol=1e-12)
    np.testing.assert_allclose(sp.jit(sp.grad(f))(x), sp.grad(sp.jit(f))(x), rtol=1e-14)
    through = sp.grad(lambda x: (sp.hvp(f)(x, [1.0, 2.0, 3.0]) * np.arange(3)).sum())(x)
    sp.check_gradient(lambda x: sp.hvp(f)(x, [1.0, 2.0, 3.0]), x)
    assert through.shape == (3,)
    assert np.isfinite(through).all()


def test_a_nested_gradient_takes_numbers_and_whole_numbers_as_well() -> None:
    np.testing.assert_array_equal(sp.grad(lambda a: sp.grad(lambda v: (v * v * a).sum())([1, 2])[1])(3.0), 4)
    assert sp.grad(lambda a: sp.grad(lambda v, w: v * w * w, argnums=1)(a, 3))(2.0) == 6


def test_the_jacobian_has_the_outputs_axes_and_then_the_arguments() -> None:
    a = np.arange(6.0).reshape(2, 3)
    j = sp.jacobian(lambda x: a @ x)(np.ones((3, 2)))
    assert j.shape == (2, 2, 3, 2)
    np.testing.assert_array_equal(j, np.einsum("ik,jl->ijkl", a, np.eye(2)))
    assert sp.jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)
    np.testing.assert_array_equal(
        sp.jacobian(lambda x, y: x * y, argnum=1)([1.0, 2.0], [3.0, 4.0]), np.diag([1, 2])
    )


# --- jit ----------------------------------------------------------------------------------------------


def test_jit_traces_once_for_each_shape_and_dtype() -> None:
    traces = []

    def f(x):
        traces.append((x.shape, x.dtype.name))
        return x * 2

    g = sp.jit(f)
    for x in (
        np.ones(2),
        np.zeros(2),
        np.ones(3),
        np.ones(2, "float32"),
        np.ones(3),
        [1.0, 2.0],
        np.ones(2, "int32"),
    ):
        np.testing.assert_array_equal(g(x), 2 * np.asarray(x))
    assert traces == [((2,), "float64"), ((3,), "float64"), ((2,), "float32"), ((2,), "int32")]


def test_jit_takes_and_returns_dicts_and_tuples() -> None:
    f = sp.jit(lambda p, x: ({"sum": p["a"] + x, "inner": (p["b"], x)}, x * 2))
    (found, twice) = f({"a": 1.0, "b": np.arange(3)}, 10.0)
    assert found["sum"] == 11
    np.testing.assert_array_equal(found["inner"][0], [0, 1, 2])
    assert twice == 20
    swapped, _ = f({"b": np.arange(3), "a": 2.0}, 10.0)  # another order of the same names
    assert swapped["sum"] == 12


def test_jit_inside_a_trace_is_the_function_itself() -> None:
    square = sp.jit(lambda x: x * x)
    assert square(3.0) == 9
    assert sp.grad(lambda x: square(x) * 2)(3.0) == 12
    assert sp.grad(lambda x: x * sp.jit(lambda y: x * y)(2.0))(3.0) == 12


def test_a_jitted_function_never_keeps_the_tensors_of_an_outer_trace() -> None:
    def outer(x):
        return inner(x, 2.0)

    inner = sp.jit(lambda a, b: a * b)
    assert [float(sp.grad(outer)(v)) for v in (1.0, 5.0)] == [2, 2]
    assert inner(3.0, 4.0) == 12


@pytest.mark.parametrize(
    "f", [lambda x: x, lambda x: x.reshape(2, 1), lambda x: x[:1], lambda x: snp.ones(2)]
)
def test_results_belong_to_the_caller(f) -> None:
    x = np.array([1.0, 2.0])
    y = sp.jit(f)(x)
    y += 100
    np.testing.assert_array_equal(x, [1, 2])
    g = sp.grad(lambda x: x.sum())(x)
    g *= 0.1
    np.testing.assert_array_equal(sp.jit(f)(x) + 100, y)


# --- errors -------------------------------------------------------------------------------------------


def test_misuse_is_answered_with_a_sentence() -> None:
    with pytest.raises(
        ShapeError, match=r"a gradient needs a function that returns a scalar; .* shape \(2,\)"
    ):
        sp.grad(lambda x: x)([1.0, 2.0])
    with pytest.raises(InputError, match="cannot differentiate by argument 3: the function was given 1"):
        sp.grad(lambda x: x, argnums=3)(1.0)
    with pytest.raises(
        ShapeError, match=r"hvp needs a point and a direction of one shape and got \(2,\) and \(3,\)"
    ):
        sp.hvp(rosenbrock)([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="jacobian differentiates by one array"):
        sp.jacobian(lambda p: p["a"])({"a": 1.0})
    for bad in ("text", None, object(), [[1.0], [1.0, 2.0]], 1 + 2j, np.array(["a"])):
        with pytest.raises(DTypeError, match=r"expected numbers .*\(test_transforms\.py:\d+\)"):
            sp.grad(lambda x: x)(bad)


def test_asking_for_a_truth_value_inside_a_trace_is_explained() -> None:
    def f(x):
        return x if x > 0 else -x

    with pytest.raises(
        DTypeError, match=r"the truth of this Tensor is not known .* spusk\.numpy\.where instead of `if`"
    ):
        sp.grad(f)(1.0)


def test_a_gradient_check_finds_a_wrong_rule() -> None:
    def wrong(x):
        return sp.stop_gradient(x * x) + x

    def only_first_order_is_right(x):
        still = sp.stop_gradient(x)
        return still * still + 2 * still * (x - still)

    with pytest.raises(GradientError, match="first-order gradient is wrong"):
        sp.check_gradient(wrong, np.array([1.0, 2.0]))
    with pytest.raises(GradientError, match="second-order gradient is wrong"):
        sp.check_gradient(only_first_order_is_right, np.array([1.0]))
    check = sp.check_gradient(lambda x, i: x[i] * 2, np.ones(3), np.array([0, 2]), order=1)
    assert check.second_order is None
    for order, args in ((3, (1.0,)), (2, (np.arange(3),))):
        with pytest.raises(InputError):
            sp.check_gradient(lambda x: x, *args, order=order)
