"""Each activation against an independent formula in float64, and its behaviour at the edges."""

import math

import numpy as np
import pytest
from scipy import special, stats

from spusk import check_gradient, nn
from spusk.graph import Evaluator, backprop, topological
from spusk.graph import input as new_input


def gelu_with_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


# layer, function, formula, limit at −∞ (None: none is defined)
CASES = {
    "relu": (nn.ReLU(), nn.relu, lambda x: np.maximum(x, 0), 0.0),
    "leaky_relu": (nn.LeakyReLU(), nn.leaky_relu, lambda x: np.maximum(x, 0.01 * x), -np.inf),
    "elu": (nn.ELU(), nn.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), -1.0),
    "gelu": (nn.GELU(), nn.gelu, lambda x: x * stats.norm.cdf(x), None),
    "gelu_tanh": (nn.GELU(approximate=True), lambda x: nn.gelu(x, approximate=True), gelu_with_tanh, None),
    "silu": (nn.SiLU(), nn.silu, lambda x: x * special.expit(x), None),
    "tanh": (nn.Tanh(), nn.tanh, np.tanh, -1.0),
    "sigmoid": (nn.Sigmoid(), nn.sigmoid, special.expit, 0.0),
    "softplus": (nn.Softplus(), nn.softplus, lambda x: np.logaddexp(0, x), 0.0),
    "softmax": (nn.Softmax(), nn.softmax, lambda x: special.softmax(x, axis=-1), None),
    "log_softmax": (nn.LogSoftmax(), nn.log_softmax, lambda x: special.log_softmax(x, axis=-1), None),
}
EVERY = pytest.mark.parametrize("name", CASES)
ELEMENTWISE = pytest.mark.parametrize("name", [n for n in CASES if "softmax" not in n])
HUGE = np.array([[-1e4, -88.0, -17.0, -1.0, 0.0, 1.0, 17.0, 88.0, 1e4], [1e4] * 9, [-1e4] * 9, [0.0] * 9])


def derivatives(f, x):
    """f(x), and gradients of first and second order of a weighted sum of it."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, *x.shape)).astype(x.dtype)
    t = new_input("x", x.shape, x.dtype)
    y = f(t)
    slope = backprop((y * first).sum(), t)
    return Evaluator([y, slope, backprop((slope * second).sum(), t)], [t])(x)


@EVERY
def test_values_are_those_of_the_formula(name):
    layer, function, formula, _ = CASES[name]
    x = np.concatenate([np.linspace(-30, 30, 240), np.random.default_rng(0).normal(size=260)]).reshape(50, 10)

    expected = formula(x)

    np.testing.assert_allclose(function(x).numpy(), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(layer({}, x).numpy(), function(x).numpy())


@EVERY
def test_gradients_of_first_and_second_order_are_right(name):
    x = np.random.default_rng(1).normal(size=(4, 5)) * 3
    x[np.abs(x) < 0.1] = 0.5  # away from the kinks

    check_gradient(CASES[name][1], x)


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "softplus", "softmax"])
def test_smooth_activations_have_the_right_gradients_at_zero_too(name):
    check_gradient(CASES[name][1], np.zeros((2, 3)))


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_ten_thousand_values_and_gradients_are_finite_and_keep_the_dtype(name, dtype):
    x = HUGE.astype(dtype)

    found = derivatives(CASES[name][1], x)

    np.testing.assert_allclose(found[0], CASES[name][2](x.astype(np.float64)), rtol=1e-5, atol=1e-5)
    for value in found:
        assert value.dtype == dtype
        assert np.isfinite(value).all()


@EVERY
def test_nan_stays_nan(name):
    x = np.array([[1.0, np.nan, -1.0]], np.float32)

    assert np.isnan(CASES[name][1](x).numpy()[0, 1])


@ELEMENTWISE
def test_a_nan_spoils_no_other_element(name):
    _, function, formula, _ = CASES[name]
    x = np.array([1.0, np.nan, -1.0])

    np.testing.assert_allclose(function(x).numpy()[[0, 2]], formula(x[[0, 2]]), rtol=1e-14)


@ELEMENTWISE
def test_infinity_gives_the_limit(name):
    _, function, formula, at_minus_infinity = CASES[name]

    assert function(np.inf).numpy() == formula(np.float64(1e6)) or function(np.inf).numpy() == np.inf
    if at_minus_infinity is not None:
        assert function(-np.inf).numpy() == at_minus_infinity


@pytest.mark.parametrize(("name", "expected"), [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0)])
def test_the_gradient_at_the_kink_is_that_of_the_negative_side(name, expected):
    x = new_input("x", (), "float64")

    assert backprop(CASES[name][1](x), x).numpy({x: 0.0}) == expected


def test_softmax_gives_a_masked_class_probability_zero_and_gradient_zero():
    x = np.array([[0.0, -np.inf, 0.0]], np.float32)

    probabilities, slope, _ = derivatives(nn.softmax, x)

    np.testing.assert_array_equal(probabilities, [[0.5, 0.0, 0.5]])
    assert slope[0, 1] == 0
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2])
def test_softmax_sums_to_one_along_its_axis(axis):
    x = np.random.default_rng(2).normal(size=(3, 4, 5))

    np.testing.assert_allclose(nn.softmax(x, axis).numpy(), special.softmax(x, axis=axis), rtol=1e-14)
    np.testing.assert_allclose(nn.Softmax(axis)({}, x).numpy().sum(axis=axis), 1, rtol=1e-14)
    np.testing.assert_allclose(
        nn.LogSoftmax(axis)({}, x).numpy(), special.log_softmax(x, axis=axis), rtol=1e-13
    )


def test_slopes_and_scales_are_used():
    x = np.array([-2.0, 3.0])

    np.testing.assert_allclose(nn.LeakyReLU(0.3)({}, x).numpy(), [-0.6, 3.0])
    np.testing.assert_allclose(nn.ELU(alpha=2.0)({}, x).numpy(), [2 * math.expm1(-2), 3.0])


def test_whole_numbers_become_floats():
    assert nn.leaky_relu(np.array([-2, 3])).dtype == "float32"


@pytest.mark.parametrize(
    ("name", "limit"),
    [("relu", 2), ("leaky_relu", 3), ("tanh", 1), ("sigmoid", 4), ("silu", 4), ("softplus", 4)],
)
def test_graphs_stay_small(name, limit):
    y = CASES[name][1](new_input("x", (3,)))

    assert len([t for t in topological([y]) if t.inputs]) <= limit


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: nn.LeakyReLU(np.inf), r"LeakyReLU got slope=inf; it needs a finite number \(test_act"),
        (lambda: nn.ELU("1"), "ELU got alpha='1'; it needs a finite number"),
        (lambda: nn.GELU("tanh"), "GELU got approximate='tanh'; it needs True or False"),
        (lambda: nn.Softmax(1.5), "Softmax got axis=1.5; it needs a whole number"),
        (
            lambda: nn.Softmax(2)({}, np.zeros((2, 3))),
            r"input of shape \(2, 3\); it needs an axis 2 \(test_act",
        ),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.peers
@EVERY
def test_torch_agrees_in_value_and_gradient(name, peer):
    torch = peer("torch")
    functional = torch.nn.functional
    theirs = {
        "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "softmax": lambda x: functional.softmax(x, dim=-1),
        "log_softmax": lambda x: functional.log_softmax(x, dim=-1),
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }.get(name) or getattr(functional, name)
    values = np.random.default_rng(4).normal(size=(6, 5)) * 4
    x = torch.tensor(values, requires_grad=True)
    y = theirs(x)
    weights = np.random.default_rng(5).normal(size=(6, 5))
    (y * torch.tensor(weights)).sum().backward()

    ours = new_input("x", values.shape, "float64")
    out = CASES[name][1](ours)
    found = Evaluator([out, backprop((out * weights).sum(), ours)], [ours])(values)

    np.testing.assert_allclose(found[0], y.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[1], x.grad.numpy(), rtol=1e-11, atol=1e-13)
