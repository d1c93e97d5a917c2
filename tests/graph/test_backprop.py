"""Backpropagation as a transform from graph to graph."""

from __future__ import annotations

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.errors import DTypeError, ShapeError
from spusk.graph import topological


def values(tensors, feeds):
    return [float(v) for v in sp.evaluate(tensors, feeds)]


def test_the_gradient_of_a_product_is_the_other_factor() -> None:
    x, y = sp.input("x"), sp.input("y")
    assert values(sp.backprop(x * y, [x, y]), {x: 3, y: 5}) == [5, 3]


def test_one_variable_gives_one_tensor_and_several_give_a_list() -> None:
    x = sp.input("x", (2,))
    loss = (x * x).sum()
    assert isinstance(sp.backprop(loss, x), sp.Tensor)
    assert isinstance(sp.backprop(loss, [x]), list)
    assert sp.backprop(loss, []) == []


def test_what_the_output_does_not_depend_on_has_gradient_zero() -> None:
    x, other = sp.input("x"), sp.input("other", (2, 3), "float64")
    g = sp.backprop(x * 2, other)
    assert (g.shape, g.dtype.name) == ((2, 3), "float64")
    np.testing.assert_array_equal(g.numpy(), np.zeros((2, 3)))


def test_the_gradient_of_a_node_by_itself_is_one() -> None:
    x = sp.input("x", ())
    assert values([sp.backprop(x, x)], {x: 4}) == [1]


def test_a_cotangent_weighs_the_elements_of_the_output() -> None:
    x = sp.input("x", (3,), "float64")
    for cotangent in (
        snp.asarray(np.array([1.0, 10.0, 100.0])),
        np.array([1.0, 10.0, 100.0]),
        [1.0, 10.0, 100.0],
    ):
        g = sp.backprop(x * x, x, cotangent=cotangent)
        assert g.dtype == np.float64
        np.testing.assert_array_equal(g.numpy({x: [1.0, 2.0, 3.0]}), [2, 40, 600])


def test_backprop_is_linear_in_the_cotangent() -> None:
    x = sp.input("x", (4,), "float64")
    y, rng = snp.sin(x) * x, np.random.default_rng(0)
    u, v, at = rng.normal(size=(3, 4))
    along = [sp.backprop(y, x, cotangent=c).numpy({x: at}) for c in (u, v, 2 * u - 3 * v)]
    np.testing.assert_allclose(along[2], 2 * along[0] - 3 * along[1], rtol=1e-12)


def test_interior_nodes_are_variables_as_well() -> None:
    x = sp.input("x")
    h = snp.exp(x)
    y = h * h * x
    by_h, by_x = sp.backprop(y, [h, x])
    assert values([by_h], {x: 0.5}) == pytest.approx([2 * np.exp(0.5) * 0.5], rel=1e-6)
    assert values([by_x], {x: 0.5}) == pytest.approx([(2 * 0.5 + 1) * np.exp(1)], rel=1e-6)


def test_contributions_of_all_uses_add_up() -> None:
    x = sp.input("x", (), "float64")
    y = x
    for _ in range(5):
        y = y + y * x
    found = values([sp.backprop(y, x)], {x: 0.3})
    assert found == pytest.approx([(1 + 0.3) ** 5 + 0.3 * 5 * (1 + 0.3) ** 4])


def test_fan_out_costs_one_visit_a_node_and_not_one_a_path() -> None:
    x = sp.input("x", (), "float64")
    y = x
    for _ in range(60):  # 2⁶⁰ paths
        y = y + y
    g = sp.backprop(y, x)
    assert len(topological([g])) < 1000
    assert values([g], {x: 1.0}) == [2.0**60]


def test_gradients_of_gradients_go_on_as_long_as_wanted() -> None:
    x = sp.input("x", (), "float64")
    y, expected = snp.sin(x), [np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin]
    for f in expected:
        y = sp.backprop(y, x)
        assert values([y], {x: 0.7}) == pytest.approx([f(0.7)])


def test_a_gradient_that_uses_a_gradient_is_differentiated_through() -> None:
    w = sp.input("w", (2,), "float64")
    loss = (w**4).sum()
    stepped = w - 0.1 * sp.backprop(loss, w)
    after = (stepped**4).sum()
    v = np.array([0.5, -0.3])
    expected = 4 * (v - 0.4 * v**3) ** 3 * (1 - 1.2 * v**2)
    np.testing.assert_allclose(sp.backprop(after, w).numpy({w: v}), expected, rtol=1e-12)


def test_broadcasting_is_undone_by_summing() -> None:
    x, b = sp.input("x", (4, 3), "float64"), sp.input("b", (3,), "float64")
    s = sp.input("s", (), "float64")
    by_x, by_b, by_s = sp.backprop(((x + b) * s).sum(), [x, b, s])
    assert (by_x.shape, by_b.shape, by_s.shape) == ((4, 3), (3,), ())
    feeds = {x: np.ones((4, 3)), b: np.zeros(3), s: 2.0}
    found = sp.evaluate([by_x, by_b, by_s], feeds)
    np.testing.assert_array_equal(found[0], np.full((4, 3), 2))
    np.testing.assert_array_equal(found[1], np.full(3, 8))
    assert found[2] == 12


def test_a_gradient_keeps_the_dtype_of_its_variable_in_a_mixed_graph() -> None:
    x, y = sp.input("x", (2,), "float32"), sp.input("y", (2,), "float64")
    by_x, by_y = sp.backprop((x * y).sum(), [x, y])
    assert (by_x.dtype.name, by_y.dtype.name) == ("float32", "float64")


def test_stop_gradient_lets_the_value_pass_and_nothing_back() -> None:
    x = sp.input("x", (), "float64")
    y = sp.stop_gradient(x * x) * x
    assert values([y, sp.backprop(y, x)], {x: 3.0}) == [27, 9]


def test_gradient_nodes_belong_to_the_line_of_the_forward_computation() -> None:
    x = sp.input("x")
    y = snp.tanh(x) * 2
    line = y.place
    g = sp.backprop(y, x)
    places = {t.place for t in topological([g]) if t.inputs}
    assert places == {line}


def test_backprop_costs_nodes_in_proportion_to_the_forward_graph() -> None:
    def nodes(n: int) -> int:
        x = sp.input("x")
        y = x
        for _ in range(n):
            y = snp.tanh(y * x + 1)
        return len(topological([sp.backprop(y, x)]))

    assert nodes(300) - nodes(200) == nodes(200) - nodes(100) <= 1200


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (
            lambda x, i: sp.backprop(x * x, x),
            ShapeError,
            r"backprop needs a scalar output and got shape \(3,\); sum it, or give a cotangent of that shape",
        ),
        (
            lambda x, i: sp.backprop(x * x, x, cotangent=snp.ones(2)),
            ShapeError,
            r"backprop got a cotangent of shape \(2,\) for an output of shape \(3,\)",
        ),
        (lambda x, i: sp.backprop(i.sum(), x), DTypeError, r"backprop needs floats; output is int64 \(\)"),
        (lambda x, i: sp.backprop(x.sum(), i), DTypeError, r"backprop needs floats; wrt is int64 \(3,\)"),
    ],
)
def test_an_impossible_gradient_is_refused_in_a_sentence_with_the_users_line(make, error, sentence) -> None:
    x, i = sp.input("x", (3,)), sp.input("i", (3,), "int64")
    with pytest.raises(error, match=sentence + r" \(test_backprop\.py:\d+\)$"):
        make(x, i)
