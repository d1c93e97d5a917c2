"""SOAP against its oracle, and its bases against eigendecompositions."""

import numpy as np
import pytest
from optim.harness import Step, assert_close
from optim.matrix_events import GRADIENTS, START, natively, replay, run

from spusk.errors import InputError
from spusk.optim import SOAP


def triangular(s):
    q, r = np.linalg.qr(s)
    return q * np.where(np.diag(r) < 0, -1.0, 1.0)


def vyas(
    gradients, lrs, w, beta1=0.95, beta2=0.95, beta=None, eps=1e-8, decay=0.01,
    ridge=1e-6, every=10, first=10, sizes=128, debias=True, eps_hat=False, exact=False,
):  # fmt: skip
    """Algorithm 3, which begins with the second gradient; the bases of Algorithm 4, or exact ones."""
    m, v, beta = np.zeros_like(w), np.zeros_like(w), beta2 if beta is None else beta
    axes = [i for i, n in enumerate(w.shape) if n <= sizes] if w.ndim >= 2 else []
    moments = {i: np.zeros((w.shape[i],) * 2) for i in axes}
    bases = {i: np.eye(w.shape[i]) for i in axes}

    def turned(x, back=False):
        for i, q in bases.items():
            x = np.moveaxis(np.tensordot(q if back else q.T, x, axes=(1, i)), 0, i)
        return x

    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True)):
        if t > 0:
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * turned(g) ** 2
            c1, c2 = (1 - beta1**t, 1 - beta2**t) if debias else (1.0, 1.0)
            root = (np.sqrt(v) + eps) / np.sqrt(c2) if eps_hat else np.sqrt(v / c2) + eps
            w = (w - lr * turned(turned(m) / c1 / root, back=True)) * (1 - lr * decay)
        for i in axes:
            unfolded = np.moveaxis(g, i, 0).reshape(w.shape[i], -1)
            moments[i] = p = beta * moments[i] + (1 - beta) * unfolded @ unfolded.T
            if exact:
                bases[i] = np.linalg.eigh(p)[1][:, ::-1]
            elif t % every == 0 or t < first:
                least = ridge * np.linalg.norm(p)
                values = np.diag(bases[i].T @ p @ bases[i])
                order = np.argsort(-np.where(values > least, values, 0), kind="stable")
                bases[i] = triangular((p @ bases[i] + least * bases[i])[:, order])
                v = np.take(v, order, axis=i)
        yield w


VARIANTS = [
    (SOAP(), {}),
    (
        SOAP(beta1=0.5, beta2=0.9, shampoo_beta=0.8, eps=1e-3, weight_decay=0.1),
        {"beta1": 0.5, "beta2": 0.9, "beta": 0.8, "eps": 1e-3, "decay": 0.1},
    ),
    (SOAP(every=1), {"every": 1}),
    (SOAP(every=7, first=3), {"every": 7, "first": 3}),
    (SOAP(max_size=3), {"sizes": 3}),
    (SOAP(max_size=0), {"sizes": 0}),
    (SOAP(debias=False), {"debias": False}),
    (SOAP.like("authors"), {"eps_hat": True, "first": 1}),
    (SOAP.like("pytorch_optimizer"), {"eps_hat": True, "first": 1}),
]


@pytest.mark.parametrize(("rule", "numbers"), VARIANTS, ids=lambda x: repr(x)[:120])
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    # Directions at the ridge are known to the rounding error over it.
    assert_close(run(rule), replay(vyas, rule.lr, **numbers), rtol=1e-8)


@pytest.mark.parametrize(("rule", "numbers"), VARIANTS, ids=lambda x: repr(x)[:120])
def test_it_is_its_formula_to_the_last_digits_where_no_direction_is_without_gradient(rule, numbers):
    gradients = np.random.default_rng(8).normal(size=(1000, 3, 3)) * [[1.0, 2.0, 5.0]]
    found = run(rule, gradients, START[:3])
    assert_close(found, replay(vyas, rule.lr, gradients, START[:3], **numbers), rtol=1e-11)


@pytest.mark.parametrize("shape", [(12,), (2, 2, 3), ()])
def test_parameters_with_any_number_of_axes(shape):
    gradients, start = (x.reshape(-1, *shape)[:n] for x, n in ((GRADIENTS, 200), (START, 1)))
    rates = np.full(len(gradients), 0.01)
    expected = np.stack([start[0], *vyas(gradients, rates, start[0])])
    assert_close(run(SOAP(), gradients, start[0], rates), expected, rtol=1e-8)


def test_native_code_is_the_interpreter():
    assert_close(natively(SOAP()), run(SOAP()), rtol=1e-8)


def test_its_bases_become_the_eigenvectors():
    random = np.random.default_rng(6)
    left, right = (np.linalg.qr(random.normal(size=(n, n)))[0] for n in (4, 3))
    sizes = np.outer([8.0, 4.0, 2.0, 1.0], [9.0, 3.0, 1.0])
    step = Step(SOAP(every=1, shampoo_beta=0.999), {"w": START})
    for _ in range(1500):
        step({"w": left @ (sizes * random.normal(size=(4, 3))) @ right})
    for axis in "01":
        q, square = step.state[f"w/q{axis}"], step.state[f"w/l{axis}"]
        values, vectors = np.linalg.eigh(square)
        np.testing.assert_allclose(q.T @ square @ q, np.diag(values[::-1]), atol=1e-3 * values[-1])
        np.testing.assert_allclose(np.abs(q.T @ vectors[:, ::-1]), np.eye(len(q)), atol=0.02)


def test_its_steps_become_those_of_an_eigendecomposition_in_every_step():
    # The signs of eigenvectors do not matter to the steps.
    g = np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))[0] * [100.0, 10.0, 1.0]
    gradients = np.stack([g] * 60)
    rates, start = np.full(60, 0.01), START[:3]
    exact = np.stack([start, *vyas(gradients, rates, start, exact=True)])
    found = run(SOAP(first=60), gradients, start, rates)
    np.testing.assert_allclose(np.diff(found[40:], axis=0), np.diff(exact[40:], axis=0), atol=1e-4)


def test_bad_fields_are_told_in_a_sentence():
    for name, bound in {"every": 1, "first": 1, "max_size": 0}.items():
        with pytest.raises(InputError, match=f"{name} must be a whole number, {bound} or greater"):
            SOAP(**{name: bound - 1})
