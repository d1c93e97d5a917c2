"""LAMB and its variants against their oracles."""

import math

import numpy as np
import pytest
from optim.harness import Step, assert_close, named
from optim.matrix_events import GRADIENTS, natively, replay, run

from spusk.optim import LAMB


def length(rows):
    return math.sqrt(sum(x * x for row in rows for x in row))


def you(
    gradients, lrs, w, beta1=0.9, beta2=0.999, eps=1e-6, decay=0.01, low=0.0, high=math.inf, eps_root=0.0
):
    """Algorithm 2; the ratio of the norms is 1 where one of them is 0."""
    n, k = w.shape
    w = w.tolist()
    m, v = ([[0.0] * k for _ in range(n)] for _ in range(2))
    for t, (g, lr) in enumerate(zip(gradients.tolist(), lrs.tolist(), strict=True), start=1):
        step = [[0.0] * k for _ in range(n)]
        for i in range(n):
            for j in range(k):
                m[i][j] = beta1 * m[i][j] + (1 - beta1) * g[i][j]
                v[i][j] = beta2 * v[i][j] + (1 - beta2) * g[i][j] ** 2
                m_hat = m[i][j] / (1 - beta1**t)
                v_hat = v[i][j] / (1 - beta2**t)
                step[i][j] = m_hat / (math.sqrt(v_hat + eps_root) + eps) + decay * w[i][j]
        phi = min(max(length(w), low), high)
        ratio = phi / length(step) if phi > 0 and length(step) > 0 else 1.0
        w = [[w[i][j] - lr * ratio * step[i][j] for j in range(k)] for i in range(n)]
        yield np.array(w)


def timm(gradients, lrs, w, weight_decay=0.01):
    exp_avg, exp_avg_sq = np.zeros_like(w), np.zeros_like(w)
    for step, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        g = g / max(1.0, np.linalg.norm(g))
        exp_avg = exp_avg + (g - exp_avg) * (1 - 0.9)
        exp_avg_sq = 0.999 * exp_avg_sq + (1 - 0.999) * g * g
        denominator = np.sqrt(exp_avg_sq) / math.sqrt(1 - 0.999**step) + 1e-6
        update = exp_avg / (1 - 0.9**step) / denominator
        if weight_decay:
            update = update + weight_decay * w
            if np.linalg.norm(w) > 0 and np.linalg.norm(update) > 0:
                update = update * (np.linalg.norm(w) / np.linalg.norm(update))
        w = w - lr * update
        yield w


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (LAMB(), you, {}),
        (
            LAMB(beta1=0.5, beta2=0.9, eps=1e-3, weight_decay=0.1),
            you,
            {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, "decay": 0.1},
        ),
        (LAMB(low=5.0), you, {"low": 5.0}),
        (LAMB(high=0.5), you, {"high": 0.5}),
        (LAMB.like("optax", eps_root=1e-6), you, {"decay": 0.0, "eps_root": 1e-6}),
        (LAMB.like("keras"), you, {"decay": 0.0, "eps": 1e-7}),
        (LAMB.like("timm"), timm, {}),
        (LAMB.like("timm", weight_decay=0.0), timm, {"weight_decay": 0.0}),
    ],
    ids=named,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers):
    assert_close(run(rule), replay(oracle, rule.lr, **numbers))


@pytest.mark.parametrize("rule", [LAMB(), LAMB.like("timm")], ids=named)
def test_native_code_is_the_interpreter(rule):
    assert_close(natively(rule), run(rule))


def test_every_step_has_the_size_of_the_weights_times_lr():
    points = run(LAMB(weight_decay=0.0), GRADIENTS[3:60], lrs=np.full(57, 0.01))
    steps = np.linalg.norm(np.diff(points, axis=0), axis=(1, 2))
    np.testing.assert_allclose(steps, 0.01 * np.linalg.norm(points[:-1], axis=(1, 2)), rtol=1e-12)


def test_a_parameter_of_norm_zero_takes_adam_s_step():
    step = Step(LAMB(lr=0.5, eps=0.0), {"bias": np.zeros(2)})
    step({"bias": np.array([1.0, -2.0])})
    np.testing.assert_allclose(step.parameters["bias"], [-0.5, 0.5], rtol=1e-15)


@pytest.mark.parametrize("clip", [1.0, 2.0])
def test_gradients_are_clipped_to_the_given_norm_of_all_parameters(clip):
    step = Step(LAMB(clip=clip), {"a": np.ones(1), "b": np.ones(1)})
    step({"a": np.array([3.0]), "b": np.array([4.0])})
    means = [step.state["a/m"][0], step.state["b/m"][0]]
    np.testing.assert_allclose(means, [0.06 * clip, 0.08 * clip], rtol=1e-12)


def test_gradients_below_the_norm_are_not_clipped():
    step = Step(LAMB(clip=10.0), {"a": np.ones(1), "b": np.ones(1)})
    step({"a": np.array([3.0]), "b": np.array([4.0])})
    np.testing.assert_allclose([step.state["a/m"][0], step.state["b/m"][0]], [0.3, 0.4], rtol=1e-12)
