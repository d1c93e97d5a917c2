"""LARS and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.harness import Step, assert_close, named
from optim.matrix_events import GRADIENTS, natively, replay, run

from spusk.optim import LARS


def length(rows):
    return math.sqrt(sum(x * x for row in rows for x in row))


def you(gradients, lrs, w, mu=0.9, decay=0.0005, trust=0.001):
    """Algorithm 1, with λ of equation 6."""
    n, m = w.shape
    w, v = w.tolist(), [[0.0] * m for _ in range(n)]
    for g, lr in zip(gradients.tolist(), lrs.tolist(), strict=True):
        size = length(g) + decay * length(w)
        local = trust * length(w) / size if size > 0 and length(w) > 0 else 1.0
        for i in range(n):
            for j in range(m):
                v[i][j] = mu * v[i][j] + lr * local * (g[i][j] + decay * w[i][j])
                w[i][j] -= v[i][j]
        yield np.array(w)


def optax(gradients, lrs, w, weight_decay=0.0, trust_coefficient=0.001, momentum=0.9, nesterov=False):
    trace = np.zeros_like(w)
    for g, lr in zip(gradients, lrs, strict=True):
        update = g + weight_decay * w
        size = np.linalg.norm(update)
        if size > 0 and np.linalg.norm(w) > 0:
            update = update * (trust_coefficient * np.linalg.norm(w) / size)
        update = -lr * update
        trace = update + momentum * trace
        w = w + (update + momentum * trace if nesterov else trace)
        yield w


def timm(gradients, lrs, w, momentum=0.0, weight_decay=0.0):
    buffer = None
    for g, lr in zip(gradients, lrs, strict=True):
        if weight_decay != 0:
            norm_w, norm_g = np.linalg.norm(w), np.linalg.norm(g)
            ratio = 1.0
            if norm_w > 0 and norm_g > 0:
                ratio = 0.001 * norm_w / (norm_g + norm_w * weight_decay + 1e-8)
            g = (g + weight_decay * w) * ratio
        buffer = g if buffer is None else momentum * buffer + g
        w = w - lr * buffer
        yield w


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (LARS(), you, {}),
        (LARS(mu=0.5, weight_decay=0.01, trust=0.1), you, {"mu": 0.5, "decay": 0.01, "trust": 0.1}),
        (LARS(weight_decay=0.0), you, {"decay": 0.0}),
        (LARS.like("optax"), optax, {}),
        (
            LARS.like("optax", weight_decay=0.1, nesterov=True),
            optax,
            {"weight_decay": 0.1, "nesterov": True},
        ),
        (LARS.like("timm"), timm, {}),
        (LARS.like("timm", mu=0.9, weight_decay=0.01), timm, {"momentum": 0.9, "weight_decay": 0.01}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(run(rule), replay(oracle, rule.lr, **numbers))


def test_native_code_is_the_interpreter():
    assert_close(natively(LARS()), run(LARS()))


def test_steps_do_not_depend_on_the_unit_of_the_gradient():
    rule = LARS(weight_decay=0.0)
    assert_close(run(rule, GRADIENTS[:50] * 1e3), run(rule, GRADIENTS[:50]))


def test_a_parameter_of_norm_zero_moves_by_plain_momentum():
    step = Step(LARS(lr=0.5), {"bias": np.zeros(2)})
    step({"bias": np.array([1.0, -2.0])})
    np.testing.assert_array_equal(step.parameters["bias"], [-0.5, 1.0])


def test_a_gradient_of_zero_leaves_decay_to_the_formula_and_to_momentum_in_the_authors_code():
    # λ = η/β by the formula, so that λβw = ηw; the authors' λ is 1.
    for rule, expected in [(LARS(lr=1.0), 1 - 0.001), (LARS.like("authors", lr=1.0), 1 - 0.0005)]:
        step = Step(rule, {"w": np.ones(3)})
        step({"w": np.zeros(3)})
        np.testing.assert_allclose(step.parameters["w"], expected, rtol=1e-15)


def test_vectors_can_be_left_to_momentum():
    step = Step(LARS.like("pytorch_optimizer", lr=0.5, weight_decay=0.1), {"bias": np.ones(2)})
    step({"bias": np.array([1.0, -2.0])})
    np.testing.assert_array_equal(step.parameters["bias"], [0.5, 2.0])


def test_of_what_leaves_vectors_to_momentum_matrices_have_their_own_rate():
    start, g = np.ones((2, 1)), np.array([[3.0], [4.0]])
    step = Step(LARS.like("pytorch_optimizer", lr=0.5), {"w": start})
    step({"w": g})
    expected = start - 0.5 * (0.001 * np.sqrt(2.0) / 5.0) * g
    np.testing.assert_allclose(step.parameters["w"], expected, rtol=1e-15)


def test_in_pytorch_optimizer_a_new_rate_holds_for_what_momentum_carries():
    step = Step(LARS.like("pytorch_optimizer"), {"bias": np.zeros(1)})
    step({"bias": np.ones(1)}, lr=0.5)
    step({"bias": np.zeros(1)}, lr=0.1)
    np.testing.assert_allclose(step.parameters["bias"], [-0.5 - 0.1 * 0.9], rtol=1e-15)
