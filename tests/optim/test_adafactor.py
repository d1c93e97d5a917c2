"""Adafactor and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.harness import Step, assert_close, named
from optim.matrix_events import GRADIENTS, START, natively, replay, run

from spusk.optim import Adafactor
from spusk.optim.layout import in_layout


def root_mean_square(x):
    return math.sqrt(sum(v * v for v in x.ravel().tolist()) / x.size)


def shazeer(
    gradients, lrs, x, c=0.8, eps1=1e-30, eps2=1e-3, d=1.0, decay=0.0, beta1=None, relative=True, scale=True
):
    """Algorithms 4 and 5, with sums as there."""
    n, m = x.shape if x.ndim == 2 else (len(x), 0)
    r, col, v, mean = [0.0] * n, [0.0] * m, np.zeros_like(x), np.zeros_like(x)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        beta = 1 - t**-c
        alpha = (max(eps2, root_mean_square(x)) if scale else 1.0) * (
            min(lr, 1 / math.sqrt(t)) if relative else lr
        )
        if m:
            for i in range(n):
                r[i] = beta * r[i] + (1 - beta) * sum(g[i, j] ** 2 + eps1 for j in range(m))
            for j in range(m):
                col[j] = beta * col[j] + (1 - beta) * sum(g[i, j] ** 2 + eps1 for i in range(n))
            v = np.array([[r[i] / sum(r) * col[j] for j in range(m)] for i in range(n)])
        else:
            v = beta * v + (1 - beta) * (g**2 + eps1)
        u = g / np.sqrt(v)
        step = alpha * u / max(1.0, root_mean_square(u) / d)
        if beta1 is not None:
            step = mean = beta1 * mean + (1 - beta1) * step
        x = x - lr * decay * x - step
        yield x


def torch(gradients, lrs, x, eps1=2.0**-23):
    row, column, v = np.zeros((x.shape[0], 1)), np.zeros((1, x.shape[-1])), np.zeros_like(x)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        weight = t**-0.8
        alpha = max(1e-3, root_mean_square(x)) * min(lr, 1 / t**0.5)
        if x.ndim > 1:
            row = row + weight * ((g**2).mean(1, keepdims=True) - row)
            column = column + weight * ((g**2).mean(0, keepdims=True) - column)
            estimate = row @ column / max(row.mean(), eps1)
        else:
            estimate = v = v + weight * (g**2 - v)
        update = g / np.sqrt(np.maximum(estimate, eps1**2))
        x = x - alpha / max(1.0, root_mean_square(update)) * update
        yield x


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Adafactor(), shazeer, {}),
        (
            Adafactor(decay_rate=0.5, eps=1e-6, eps_rms=0.1, threshold=0.3, weight_decay=0.05),
            shazeer,
            {"c": 0.5, "eps1": 1e-6, "eps2": 0.1, "d": 0.3, "decay": 0.05},
        ),
        (Adafactor(lr=1.0), shazeer, {}),
        (Adafactor(beta1=0.9), shazeer, {"beta1": 0.9}),
        (Adafactor(scale_by_rms=False), shazeer, {"scale": False}),
        (Adafactor.like("optax", min_size=1), shazeer, {"relative": False}),
        (Adafactor.like("torch"), torch, {}),
    ],
    ids=named,
)
@pytest.mark.parametrize("column", [None, 1])
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers, column):
    gradients, start = (GRADIENTS, START) if column is None else (GRADIENTS[:, :, column], START[:, column])
    assert_close(run(rule, gradients, start), replay(oracle, rule.lr, gradients, start, **numbers))


@pytest.mark.parametrize("rule", [Adafactor(), Adafactor.like("torch", beta1=0.9)], ids=named)
def test_native_code_is_the_interpreter(rule):
    assert_close(natively(rule), run(rule))


def test_a_matrix_keeps_its_rows_and_columns_only():
    step = Step(Adafactor(), {"w": START, "b": START[0]})
    assert {path: s.shape for path, s in step.state.items()} == {"w/r": (4, 1), "w/c": (1, 3), "b/v": (3,)}


def test_axes_are_the_last_two_or_the_largest_and_short_ones_are_not_factored():
    def shapes(rule):
        state = Step(rule, {"w": np.ones((6, 2, 3, 5))}).state
        return {path[2:]: value.shape for path, value in state.items()}

    assert shapes(Adafactor()) == {"r": (6, 2, 3, 1), "c": (6, 2, 1, 5)}
    assert shapes(Adafactor(largest_axes=True)) == {"r": (1, 2, 3, 5), "c": (6, 2, 3, 1)}
    assert shapes(Adafactor(min_size=4)) == {"v": (6, 2, 3, 5)}


@pytest.mark.parametrize("out_first", [False, True])
def test_torch_s_factors_the_last_two_axes_in_any_layout(out_first):
    # torch/optim/_adafactor.py: row_var and col_var are means over the axes -1 and -2, also in convolutions.
    rule = in_layout(Adafactor.like("torch"), out_first=out_first)
    state = Step(rule, {"w": np.ones((6, 2, 3, 5))}).state
    assert {path: s.shape for path, s in state.items()} == {"w/r": (6, 2, 3, 1), "w/c": (6, 2, 1, 5)}


@pytest.mark.parametrize(
    ("library", "shape", "is_factored"),
    [
        # optax: min_dim_size_to_factor=128, of the two longest axes.
        ("optax", (128, 128), True),
        ("optax", (127, 500), False),
        ("optax", (128, 3, 128), True),
        # timm: axes longer than 16.
        ("timm", (17, 17), True),
        ("timm", (16, 500), False),
    ],
)
def test_libraries_factor_long_axes_only(library, shape, is_factored):
    state = Step(Adafactor.like(library), {"w": np.ones(shape)}).state
    assert state.keys() == ({"w/r", "w/c"} if is_factored else {"w/v"})


def test_torch_divides_by_the_precision_of_float32_at_least():
    # A first gradient of a quarter of 2⁻²³ is divided by 2⁻²³ where the formula divides it by itself.
    step = Step(Adafactor.like("torch", lr=0.01), {"w": np.ones(1)})
    step({"w": np.array([2.0**-25])})
    np.testing.assert_allclose(step.parameters["w"], [1 - 0.01 / 4], rtol=1e-12)


def test_squares_of_rank_one_are_kept_exactly():
    # Then the factored estimate is the full one, and the first step is the sign.
    g = np.outer([1.0, -2.0, 3.0, 4.0], [0.1, 1.0, -10.0])
    points = run(Adafactor(), g[None], lrs=np.array([0.01]))
    expected = -0.01 * root_mean_square(START) * np.sign(g)
    np.testing.assert_allclose(points[1] - points[0], expected, rtol=1e-12)


def test_zero_gradients_from_the_first_step_on_are_no_trouble_in_float32():
    step = Step(Adafactor(), {"w": START.astype("float32")})
    for _ in range(3):
        step()
    np.testing.assert_array_equal(step.parameters["w"], START.astype("float32"))


def test_rows_and_columns_without_gradient_are_no_trouble_in_float32():
    # A pixel that is never lit and a unit that is never active: both means are 1e-30 where they meet.
    g = np.ones((4, 3), "float32")
    g[1], g[:, 2] = 0.0, 0.0
    step = Step(Adafactor(), {"w": START.astype("float32")})
    for _ in range(3):
        step({"w": g})
    assert np.isfinite(step.parameters["w"]).all()
    np.testing.assert_array_equal(step.parameters["w"][1], START.astype("float32")[1])
