"""PSGD-Kron against its oracle, and what its factors learn."""

import numpy as np
import pytest
from optim.harness import Step, assert_close
from optim.matrix_events import GRADIENTS, START, natively, replay, run

from spusk.errors import InputError
from spusk.graph import evaluate
from spusk.graph import input as new_input
from spusk.optim import PSGDKron
from spusk.optim.psgd_kron import norm_lower_bound, triangular_inverse


def lower_bound(a):
    if not a.any():
        return 0.0
    row = max(a, key=lambda r: float((r**2).sum()))
    x = a @ row
    return float(np.linalg.norm(a @ x) / np.linalg.norm(x))


def li(
    gradients, lrs, w, mu=0.9, eta=0.1, clip=None, scale=None,
    whiten_grad=True, every=1, balance=100, max_size=1024, max_skew=1,
):  # fmt: skip
    """Whitening with dQ = EQ, every factor as a matrix, and the probe by its expectation."""
    k, size = w.ndim, w.size
    q, lip = [np.eye(n) for n in w.shape], [0.0] * k
    full = [1 < n <= max_size and n * n <= max_skew * size for n in w.shape]
    mean = np.zeros_like(w)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        beta = min((t - 1) / t, mu)
        averaged = beta * mean + (1 - beta) * g
        x = g if whiten_grad else averaged
        if t == 1:
            first = scale or (np.mean(x**4) ** (-1 / 8) if x.any() else 1.0)
            q = [first ** (1 / k) * of_axis for of_axis in q]
        a = x
        for i in range(k):
            a = np.moveaxis(np.tensordot(q[i], a, axes=(1, i)), 0, i)
        h = a
        for i in range(k):
            h = np.moveaxis(np.tensordot(q[i].T, h, axes=(1, i)), 0, i)
        if (t - 1) % every == 0 and x.any():
            inverses = [np.linalg.inv(of_axis) for of_axis in q]
            for i in range(k):
                unfolded = np.moveaxis(a, i, 0).reshape(w.shape[i], -1)
                others = np.prod([(inverses[j] ** 2).sum() for j in range(k) if j != i])
                t1, t2 = unfolded @ unfolded.T, others * inverses[i].T @ inverses[i]
                if not full[i]:
                    t1, t2 = np.diag(np.diag(t1)), np.diag(np.diag(t2))
                ell = lower_bound(t1 + t2) if full[i] else (t1 + t2).max()
                lip[i] = max(0.9 * lip[i] + 0.1 * ell, ell)
                q[i] = q[i] - eta / lip[i] * np.triu(t1 - t2) @ q[i]
        if t % balance == 0:
            tops = [np.abs(of_axis).max() for of_axis in q]
            q = [of_axis * np.prod(tops) ** (1 / k) / top for of_axis, top in zip(q, tops, strict=True)]
        mean = beta * mean + (1 - beta) * h if whiten_grad else averaged
        step = mean if whiten_grad else h
        rms = np.sqrt((step**2).mean())
        w = w - lr * step * (min(1.0, clip / rms) if clip is not None and rms > 0 else 1.0)
        yield w


@pytest.mark.parametrize(
    ("rule", "numbers"),
    [
        (PSGDKron(), {}),
        (PSGDKron(clip=1.1), {"clip": 1.1}),
        (PSGDKron(mu=0.5, fit_rate=0.3, clip=0.7), {"mu": 0.5, "eta": 0.3, "clip": 0.7}),
        (PSGDKron(whiten="momentum"), {"whiten_grad": False}),
        (PSGDKron(scale=0.1, every=3, balance=7), {"scale": 0.1, "every": 3, "balance": 7}),
        (PSGDKron(max_skew=2), {"max_skew": 2}),
        (PSGDKron(max_skew=100, max_size=3), {"max_skew": 100, "max_size": 3}),
        (PSGDKron(max_size=0), {"max_size": 0}),
    ],
    ids=repr,
)  # fmt: skip
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, numbers):
    assert_close(run(rule), replay(li, rule.lr, **numbers))


def test_the_authors_numbers_where_gradients_never_rest():
    gradients = np.random.default_rng(3).normal(size=(1000, 4, 3)) * [1.0, 5.0, 0.2]
    rule = PSGDKron.like("authors")
    found = run(rule, gradients)
    assert_close(found, replay(li, rule.lr, gradients, mu=0.0))


@pytest.mark.parametrize("shape", [(12,), (2, 2, 3), ()])
def test_parameters_with_any_number_of_axes(shape):
    gradients, start = (x.reshape(-1, *shape)[:n] for x, n in ((GRADIENTS, 200), (START, 1)))
    rates = np.full(len(gradients), 0.01)
    found = run(PSGDKron(), gradients, start[0], rates)
    at_least_one = [x.reshape(len(x), *(shape or (1,))) for x in (gradients, start)]
    expected = np.stack([at_least_one[1][0], *li(at_least_one[0], rates, at_least_one[1][0])])
    assert_close(found.reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("rule", "shape", "kept"),
    [
        (PSGDKron(), (4, 4), [(4, 4), (4, 4)]),
        (PSGDKron(), (4, 3), [(4,), (3, 3)]),
        (PSGDKron(), (2, 2, 4), [(2, 2), (2, 2), (4, 4)]),
        (PSGDKron(max_size=4), (4, 4), [(4, 4), (4, 4)]),
        (PSGDKron(max_size=3), (4, 4), [(4,), (4,)]),
        # An axis of length 1 has nothing to turn; a vector of 4 needs 4 times as many elements.
        (PSGDKron(max_skew=4), (1, 4), [(1,), (4, 4)]),
        (PSGDKron(max_skew=3), (1, 4), [(1,), (4,)]),
        (PSGDKron(), (), [(1,)]),
    ],
)
def test_long_axes_and_short_ones_keep_a_diagonal_factor(rule, shape, kept):
    state = Step(rule, {"w": np.ones(shape)}).state
    assert [state[f"w/q{axis}"].shape for axis in range(len(kept))] == kept


def test_the_factors_greatest_elements_are_made_equal_when_it_is_time():
    step, other = (Step(PSGDKron(balance=k), {"w": START}) for k in (7, 1000))
    for i, gradient in enumerate(GRADIENTS[20:40], start=1):
        for each in (step, other):
            each({"w": gradient})
        first, second = (abs(step.state[f"w/q{axis}"]).max() for axis in (0, 1))
        assert (abs(first / second - 1) < 1e-12) == (i % 7 == 0)
        # What they do together is the same.
        np.testing.assert_allclose(step.parameters["w"], other.parameters["w"], rtol=1e-12)


def test_the_greatest_element_may_be_a_negative_one():
    step = Step(PSGDKron(balance=1), {"w": START})
    q = np.array([[1.0, -9.0, 0.5], [0.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
    step.state |= {"w/q0": np.full(4, 4.0), "w/q1": q}
    step.t = 1
    step()  # a gradient of 0 teaches nothing
    np.testing.assert_allclose(step.state["w/q0"], np.full(4, 6.0))
    np.testing.assert_allclose(step.state["w/q1"], q * (4 / 6))


@pytest.mark.parametrize("rule", [PSGDKron(max_skew=2), PSGDKron(whiten="momentum", every=2)], ids=repr)
def test_native_code_is_the_interpreter(rule):
    assert_close(natively(rule), run(rule))


def test_its_factors_learn_to_whiten_the_gradient():
    random = np.random.default_rng(6)
    left, right = (np.linalg.qr(random.normal(size=(n, n)))[0] for n in (4, 3))
    sizes = np.outer([8.0, 4.0, 2.0, 1.0], [9.0, 3.0, 1.0])

    def gradients(count):
        return left @ (sizes * random.normal(size=(count, 4, 3))) @ right

    step = Step(PSGDKron(max_skew=2, fit_rate=0.02), {"w": START})
    for gradient in gradients(6000):
        step({"w": gradient})
    p0, p1 = (step.state[f"w/q{i}"].T @ step.state[f"w/q{i}"] for i in range(2))
    white = (p0 @ gradients(20000) @ p1).reshape(-1, 12)
    covariance = white.T @ white / len(white)
    np.testing.assert_allclose(covariance, np.eye(12), atol=0.25)  # of the gradients: from 1 to 5184


@pytest.mark.parametrize("factor", [-1.0, 1e-100, -1e-3, 1.0, 1e100])
def test_the_first_gradient_is_whitened_to_a_mean_fourth_power_of_one_whatever_its_size_and_sign(factor):
    step = Step(PSGDKron(lr=1.0, mu=0.0), {"w": START})
    gradient = factor * abs(GRADIENTS[30])
    gradient[0, 0] = 0.0  # an element without slope is no gradient of 0
    step({"w": gradient})
    assert np.mean((step.parameters["w"] - START) ** 4) == pytest.approx(1, rel=1e-12)


def test_a_first_gradient_of_zero_leaves_the_factors_one():
    step = Step(PSGDKron(), {"w": START})
    step()
    np.testing.assert_array_equal(step.state["w/q0"], np.ones(4))
    np.testing.assert_array_equal(step.state["w/q1"], np.eye(3))
    np.testing.assert_array_equal(step.parameters["w"], START)


def test_gradients_that_rest_do_not_move_the_factors():
    step = Step(PSGDKron(), {"w": START})
    step({"w": GRADIENTS[30]})
    before = dict(step.state)
    step()
    for name in ("w/q0", "w/q1", "w/l0", "w/l1"):
        np.testing.assert_array_equal(step.state[name], before[name])


def test_directions_without_gradient_keep_finite_factors_in_float32():
    gradient = np.ones((4, 4), "float32")
    gradient[0] = 0.0
    step = Step(PSGDKron(), {"w": np.ones((4, 4), "float32")})
    for _ in range(1500):
        step({"w": gradient})
    assert all(np.isfinite(value).all() for value in (*step.state.values(), step.parameters["w"]))
    np.testing.assert_array_equal(step.parameters["w"][0], 1.0)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 33])
def test_the_inverse_of_a_triangle_is_exact(n):
    q = np.triu(np.random.default_rng(n).normal(size=(n, n))) / n + np.eye(n)
    x = new_input("q", (n, n), "float64")
    np.testing.assert_allclose(
        evaluate([triangular_inverse(x)], {x: q})[0], np.linalg.inv(q), rtol=1e-12, atol=1e-14
    )


def test_the_norm_of_a_matrix_that_is_negative_everywhere_is_found():
    a = new_input("a", (3, 3), "float64")
    assert evaluate([norm_lower_bound(a)], {a: -np.ones((3, 3))})[0] == pytest.approx(3, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9, 33])
def test_the_inverse_of_differences_is_sums(n):
    # Every power of the part beyond the diagonal counts in full.
    x = new_input("q", (n, n), "float64")
    found = evaluate([triangular_inverse(x)], {x: np.eye(n) - np.eye(n, k=1)})[0]
    np.testing.assert_array_equal(found, np.triu(np.ones((n, n))))


@pytest.mark.parametrize("rank", [0, 1, 5])
@pytest.mark.parametrize("factor", [1.0, -1.0, 1e-200, -1e200])
def test_the_norm_s_lower_bound_is_one_and_close(rank, factor):
    x = np.random.default_rng(rank).normal(size=(5, rank))
    value, a = factor * x @ x.T, new_input("a", (5, 5), "float64")
    found, exact = evaluate([norm_lower_bound(a)], {a: value})[0], np.linalg.norm(value, 2)
    assert 0.8 * exact <= found <= exact * (1 + 1e-12)


def test_bad_fields_are_told_in_a_sentence():
    for name, bound in {"every": 1, "balance": 1, "max_size": 0, "max_skew": 0}.items():
        with pytest.raises(InputError, match=f"{name} must be a whole number, {bound} or greater"):
            PSGDKron(**{name: bound - 1})
    with pytest.raises(InputError, match="whiten must be 'gradient' or 'momentum'"):
        PSGDKron(whiten="both")
