"""Shampoo against its oracles, with eigendecompositions and with the same iteration."""

import numpy as np
import pytest
from optim.harness import Step, assert_close
from optim.matrix_events import GRADIENTS, START, natively, replay, run

from spusk.errors import InputError
from spusk.optim import Adagrad, Shampoo


def by_eigenvectors(h, p, ridge):
    values, vectors = np.linalg.eigh(h + ridge * np.linalg.norm(h) * np.eye(len(h)))
    return vectors * values ** (-1 / p) @ vectors.T


def by_iteration(h, p, ridge):
    """Guo & Higham's coupled Newton iteration."""
    n = len(h)
    h = h + ridge * np.sqrt((h**2).sum()) * np.eye(n)
    z = (1 + p) / (2 * np.sqrt((h**2).sum()))
    root, m = z ** (1 / p) * np.eye(n), z * h
    for _ in range(25):
        step = ((p + 1) * np.eye(n) - m) / p
        root, m = root @ step, np.linalg.matrix_power(step, p) @ m
    return root


def gupta(gradients, lrs, w, eps=1e-4, ridge=1e-6, mu=None, every=1, sizes=256, power=by_eigenvectors):
    """Algorithm 2, which is Algorithm 1 for matrices; roots every so many steps, diagonals of long axes."""
    k = w.ndim
    h = [eps * np.eye(n) for n in w.shape]
    roots, v = [np.zeros_like(x) for x in h], np.zeros_like(w)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True)):
        step = g
        for i, n in enumerate(w.shape):
            unfolded = np.moveaxis(g, i, 0).reshape(n, -1)
            product = unfolded @ unfolded.T
            h[i] = h[i] + (product if n <= sizes else np.diag(np.diag(product)))
            if t % every == 0:
                is_full = n <= sizes
                roots[i] = power(h[i], 2 * k, ridge) if is_full else np.diag(np.diag(h[i]) ** (-1 / (2 * k)))
            step = np.moveaxis(np.tensordot(roots[i], step, axes=(1, i)), 0, i)
        v = step if mu is None else mu * v + step
        w = w - lr * v
        yield w


@pytest.mark.parametrize(("power", "rtol"), [(by_iteration, 1e-12), (by_eigenvectors, 1e-11)])
@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (Shampoo(), {}),
        (Shampoo(eps=1e-2, ridge=1e-3), {"eps": 1e-2, "ridge": 1e-3}),
        (Shampoo(momentum=0.9), {"mu": 0.9}),
        (Shampoo(every=7), {"every": 7}),
        (Shampoo(max_size=3), {"sizes": 3}),
        (Shampoo(max_size=0, every=3), {"sizes": 0, "every": 3}),
    ],
    ids=repr,
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers, power, rtol):
    assert_close(run(rule), replay(gupta, rule.lr, power=power, **numbers), rtol)


@pytest.mark.parametrize("shape", [(12,), (2, 2, 3), (2, 3, 1, 2)])
def test_parameters_with_any_number_of_axes(shape):
    # Burst after tiny gradients: condition numbers at the ridge, times the precision.
    gradients, start = GRADIENTS[:120].reshape(-1, *shape), START.reshape(shape)
    rates = np.full(120, 0.1)
    expected = np.stack([start, *gupta(gradients, rates, start)])
    assert_close(run(Shampoo(), gradients, start, rates), expected, rtol=1e-6)


def test_native_code_is_the_interpreter():
    assert_close(natively(Shampoo(every=3)), run(Shampoo(every=3)))


def test_without_matrices_a_vector_s_rule_is_adagrad():
    gradients, start = GRADIENTS[:, 0], START[0]
    found = run(Shampoo(eps=0.01, max_size=0), gradients, start)
    assert_close(found, run(Adagrad(lr=0.1, s0=0.01, eps=0.0), gradients, start))


def test_a_scalar_is_a_vector_of_length_one():
    scalar = run(Shampoo(), GRADIENTS[:50, 0, 0], START[0, 0])
    assert_close(scalar[:, None], run(Shampoo(), GRADIENTS[:50, 0, :1], START[0, :1]))


def test_turning_the_gradients_turns_the_steps():
    random = np.random.default_rng(1)
    left, right = (np.linalg.qr(random.normal(size=(n, n)))[0] for n in (4, 3))
    turned = run(Shampoo(), left @ GRADIENTS[:100] @ right, left @ START @ right)
    assert_close(turned, left @ run(Shampoo(), GRADIENTS[:100]) @ right, rtol=1e-9)


def test_its_state_is_a_matrix_for_each_axis():
    shapes = {path: s.shape for path, s in Step(Shampoo(max_size=3, every=2), {"w": START}).state.items()}
    assert shapes == {"w/h0": (4,), "w/root0": (4,), "w/h1": (3, 3), "w/root1": (3, 3)}


def test_bad_fields_are_told_in_a_sentence():
    for name, bound in {"every": 1, "max_size": 0, "iterations": 1}.items():
        with pytest.raises(InputError, match=f"{name} must be a whole number, {bound} or greater"):
            Shampoo(**{name: bound - 1})
    with pytest.raises(InputError, match="every must be a whole number"):
        Shampoo(every=2.0)


def test_in_pytorch_optimizer_a_diagonal_gradient_s_first_step_is_adagrad_s_with_eps_within_the_root():
    g = np.diag([2.0, -0.3, 0.05])
    points = run(Shampoo.like("pytorch_optimizer"), g[None], np.zeros((3, 3)), np.array([0.001]))
    np.testing.assert_allclose(points[1], -0.001 * g / np.sqrt(g**2 + 1e-6), rtol=1e-9, atol=1e-12)
