"""NovoGrad and its variants against their oracle."""

import math

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs, replay_rows
from optim.harness import Step, assert_close, path

from spusk.optim import NovoGrad


def ginsburg(gradients, lrs, w, beta1=0.95, beta2=0.98, eps=1e-8, d=0.0):
    """Algorithm 1, of one layer."""
    n = len(w)
    points, m, v = [w], [0.0] * n, 0.0
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        square = math.fsum(x * x for x in g)
        v = square if t == 1 else beta2 * v + (1 - beta2) * square
        m = [beta1 * m[i] + g[i] / (math.sqrt(v) + eps) + d * w[i] for i in range(n)]
        w = [w[i] - lr * m[i] for i in range(n)]
        points.append(w)
    return points


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (NovoGrad(), {}),
        (NovoGrad(beta1=0.5, beta2=0.5, eps=0.1, weight_decay=0.1),
         {"beta1": 0.5, "beta2": 0.5, "eps": 0.1, "d": 0.1}),
        (NovoGrad.like("optax"), {"beta1": 0.9, "beta2": 0.25, "eps": 1e-6}),
        (NovoGrad.like("timm"), {}),
        (NovoGrad.like("pytorch_optimizer"), {}),
    ],
    ids=repr,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), replay_rows(ginsburg, rule.lr, **numbers))


def test_the_first_step_of_each_layer_has_norm_lr():
    step = Step(NovoGrad(lr=0.5, eps=0.0), {"a": np.zeros(3), "b": np.zeros((2, 2))})
    step({"a": np.array([1.0, 2.0, 3.0]), "b": np.full((2, 2), 1e-6)})
    for w in step.parameters.values():
        assert np.linalg.norm(w) == pytest.approx(0.5, rel=1e-12)


def test_the_state_is_one_number_a_layer_beside_the_momentum():
    step = Step(NovoGrad(), {"a": np.zeros(3)})
    assert {path: value.shape for path, value in step.state.items()} == {"a/m": (3,), "a/v": ()}
