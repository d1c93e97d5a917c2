"""AdaHessian and Sophia-H against plain loops, where the Hessian is diagonal and Hutchinson's estimate exact."""

import math

import numpy as np
import pytest
from optim.descent import N, curvature, follow, slope, through_events
from optim.events import GRADIENTS
from optim.harness import Step, assert_close

import spusk as sp
import spusk.numpy as snp
from spusk.optim import AdaHessian, LayerwiseDecay, Lookahead, SophiaH


def adahessian(beta1=0.9, beta2=0.999, eps=1e-4, k=1.0):
    m, v = [0.0] * N, [0.0] * N

    def step(w, push, lr, t):
        new = []
        for i, (x, p) in enumerate(zip(w, push, strict=True)):
            m[i] = beta1 * m[i] + (1 - beta1) * slope(x, p)
            v[i] = beta2 * v[i] + (1 - beta2) * curvature(x) ** 2
            m_hat, v_hat = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
            new.append(x - lr * m_hat / (math.sqrt(v_hat) ** k + eps))
        return new

    return step


def sophia(
    beta1=0.96, beta2=0.99, gamma=0.01, eps=1e-12, clip=1.0, decay=0.2, k=10, debias=False, late=False
):
    m, h = [0.0] * N, [0.0] * N

    def step(w, push, lr, t):
        new = []
        for i, (x, p) in enumerate(zip(w, push, strict=True)):
            m[i] = beta1 * m[i] + (1 - beta1) * slope(x, p)
            before = h[i]
            if t % k == 1 or k == 1:
                h[i] = beta2 * h[i] + (1 - beta2) * curvature(x)
            m_hat = m[i] / (1 - beta1**t) if debias else m[i]
            ratio = m_hat / max(gamma * (before if late else h[i]), eps)
            x = x - lr * decay * x
            new.append(x - lr * min(clip, max(-clip, ratio)))
        return new

    return step


@pytest.mark.parametrize(
    ("rule", "oracle", "lr"),
    [
        (AdaHessian(), lambda: adahessian(), 0.015),
        (AdaHessian(hessian_power=0.5, eps=1e-2, beta1=0.5), lambda: adahessian(0.5, eps=1e-2, k=0.5), 0.015),
        (AdaHessian.like("pytorch_optimizer"), lambda: adahessian(eps=1e-16), 0.015),
        (SophiaH(), lambda: sophia(), 0.001),
        (SophiaH(gamma=1.0, clip=0.3, k=3, weight_decay=0.0), lambda: sophia(gamma=1.0, clip=0.3, k=3, decay=0.0), 0.01),
        (SophiaH(gamma=2.0, k=1, beta2=0.5, eps=0.7), lambda: sophia(gamma=2.0, k=1, beta2=0.5, eps=0.7), 0.01),
        (SophiaH.like("optax"), lambda: sophia(0.965, eps=1e-8, decay=1e-4, debias=True, late=True), 0.001),
        (SophiaH.like("pytorch_optimizer"), lambda: sophia(gamma=1.0, clip=0.01, decay=0.0), 0.06),
    ],
    ids=lambda x: repr(x) if isinstance(x, AdaHessian | SophiaH) else "",
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, lr):
    assert_close(through_events(rule, lr), follow(oracle(), lr))


@pytest.mark.parametrize("rule", [AdaHessian(), SophiaH(k=3), Lookahead(SophiaH(k=2))], ids=repr)
def test_both_backends_agree(rule):
    assert_close(through_events(rule, 0.001, "native"), through_events(rule, 0.001, "numpy"))


@pytest.mark.parametrize("out_first", [False, True])
def test_over_a_kernel_adahessian_takes_the_mean_of_the_curvatures_sizes(out_first):
    # The gradient sin(w) has the curvature cos(w), of both signs within each kernel.
    w = np.linspace(0.3, 9.0, 36).reshape(3, 2, 2, 3)
    kernel = (2, 3) if out_first else (0, 1)
    size = np.broadcast_to(abs(np.cos(w)).mean(kernel, keepdims=True), w.shape)
    step = Step(AdaHessian(lr=1.0, eps=0.0, out_first=out_first), {"conv": w, "dense": w[0, 0]}, snp.sin)
    step()
    np.testing.assert_allclose(step.parameters["conv"], w - np.sin(w) / size)
    np.testing.assert_allclose(step.parameters["dense"], (w - np.sin(w) / abs(np.cos(w)))[0, 0])


def test_pytorch_optimizer_takes_each_weight_s_own_curvature_and_all_but_no_epsilon():
    rule = AdaHessian.like("pytorch_optimizer", lr=1.0)
    w = np.linspace(0.3, 9.0, 36).reshape(3, 2, 2, 3)
    step = Step(rule, {"w": w}, snp.sin)
    step()
    np.testing.assert_allclose(step.parameters["w"], w - np.sin(w) / abs(np.cos(w)))
    # Its ε is 1e-16: a curvature of that size makes half of Newton's step.
    step = Step(rule, {"w": np.ones(1)}, lambda x: 1e-16 * x)
    step()
    np.testing.assert_allclose(step.parameters["w"], [0.5])


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_where_nothing_pulls_and_nothing_is_bent_adahessian_stays_also_without_epsilon(backend):
    found = sp.minimize(lambda x: x[0] ** 2, [1.0, 3.0], AdaHessian(eps=0.0), steps=3, backend=backend)
    np.testing.assert_array_equal(found.path[:, 1], 3.0)
    assert (np.diff(found.path[:, 0]) < 0).all()


def test_negative_curvature_makes_a_step_of_full_size_downhill():
    rule = SophiaH(lr=0.1, weight_decay=0.0)
    found = sp.minimize(lambda x: -x * x, 1.0, rule, steps=3)
    np.testing.assert_allclose(found.path, [1.0, 1.1, 1.2, 1.3])


def test_one_rate_for_all_layers_leaves_the_curvature_that_of_the_whole():
    # With a dense Hessian, an estimate over parts of the parameters would be another one.
    def mixed(w, push):
        return (w[0] * w[1] * w[2] + push * w).sum() + (w**4).sum()

    given = {"f": mixed, "gradients": GRADIENTS[:50]}
    plain = through_events(AdaHessian(), 0.001, **given)
    assert_close(through_events(LayerwiseDecay(AdaHessian(), gamma=1.0), 0.001, **given), plain)


def test_optax_s_sophia_divides_by_its_epsilon_where_nothing_is_bent():
    rule = SophiaH.like("optax", lr=1.0, weight_decay=0.0)
    np.testing.assert_allclose(sp.minimize(lambda x: 4e-9 * x, 0.0, rule, steps=1).x, -0.4, rtol=1e-12)
