"""Minimising functions, with the whole path kept."""

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk import optim
from spusk.errors import InputError, ShapeError


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def test_gradient_descent_on_a_quadratic_is_a_geometric_series():
    r = sp.minimize(lambda x: 0.5 * 4.0 * x * x, 3.0, optim.GradientDescent(lr=0.1), steps=20)
    np.testing.assert_allclose(r.path, 3.0 * (1 - 0.1 * 4.0) ** np.arange(21), rtol=1e-14)
    np.testing.assert_allclose(r.values, 2.0 * r.path**2, rtol=1e-14)


def test_heavy_ball_reaches_its_rate_on_an_ill_conditioned_quadratic():
    # Polyak 1964: with the best α and μ the error shrinks by (√κ − 1)/(√κ + 1) a step.
    kappa = 100.0
    rate = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
    rule = optim.Momentum(lr=(2 / (1 + np.sqrt(kappa))) ** 2, mu=rate**2)
    r = sp.minimize(lambda x: 0.5 * (x[0] ** 2 + kappa * x[1] ** 2), [1.0, 1.0], rule, steps=400)
    errors = np.linalg.norm(r.path, axis=1)
    measured = (errors[400] / errors[100]) ** (1 / 300)
    assert measured == pytest.approx(rate, abs=0.01)


def test_path_and_values_begin_with_the_start_and_end_with_the_result():
    r = sp.minimize(rosenbrock, [-1.5, 2.0], optim.Adam(lr=0.05), steps=300)
    assert r.path.shape == (301, 2)
    assert r.values.shape == (301,)
    assert r.path[0].tolist() == [-1.5, 2.0]
    assert (r.path[-1] == r.x).all()
    assert r.values[-1] == r.value
    np.testing.assert_allclose(r.values, [rosenbrock(p) for p in r.path], rtol=1e-12)
    assert (r.status, r.steps) == ("finished", 300)


def test_values_are_taken_on_the_path_even_where_the_gradient_is_taken_ahead_of_it():
    r = sp.minimize(rosenbrock, [-1.5, 2.0], optim.Nesterov(lr=1e-4), steps=50)
    np.testing.assert_allclose(r.values, [rosenbrock(p) for p in r.path], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_the_start_is_kept(dtype):
    r = sp.minimize(rosenbrock, np.array([0.0, 0.0], dtype), "adam", steps=3)
    assert r.x.dtype == r.path.dtype == dtype


def test_whole_numbers_become_float64():
    assert sp.minimize(rosenbrock, [0, 0], steps=1).x.dtype == np.float64


def test_any_shape_can_be_minimised():
    target = np.arange(6.0).reshape(2, 3)
    r = sp.minimize(lambda w: ((w - target) ** 2).sum(), np.zeros((2, 3)), optim.SGD(lr=0.25), steps=60)
    np.testing.assert_allclose(r.x, target, atol=1e-10)
    assert r.path.shape == (61, 2, 3)


def test_divergence_is_a_result():
    r = sp.minimize(lambda x: x**4, 10.0, optim.SGD(lr=1.0), steps=50)
    assert r.status == "diverged"
    assert r.path.shape == (51,)
    assert np.isfinite(r.x)
    assert r.x == r.path[r.steps]
    assert np.isnan(r.values[-1])


def test_zero_steps_only_evaluate_the_start():
    r = sp.minimize(lambda x: x * x, 2.0, steps=0)
    assert (float(r.x), r.value, r.path.shape) == (2.0, 4.0, (1,))


def test_a_schedule_changes_the_rate_from_step_to_step():
    halving = optim.ExponentialDecay(0.5, 0.5)
    r = sp.minimize(lambda x: x, 0.0, optim.SGD(lr=halving), steps=3)
    np.testing.assert_allclose(np.diff(r.path), [-0.5, -0.25, -0.125], rtol=1e-15)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: sp.minimize(rosenbrock, [np.nan, 0.0]), "x0 holds values that are not finite"),
        (
            lambda: sp.minimize(rosenbrock, [0.0, 0.0], "adamm"),
            "unknown optimizer 'adamm'; did you mean 'adam'",
        ),
        (lambda: sp.minimize(rosenbrock, [0.0, 0.0], steps=-1), "steps is -1"),
    ],
)
def test_bad_input_is_told_in_a_sentence(call, sentence):
    with pytest.raises(InputError, match=sentence):
        call()


def test_a_function_that_returns_no_scalar_is_refused():
    with pytest.raises(ShapeError, match=r"returns shape \(2,\)"):
        sp.minimize(lambda x: snp.exp(x), [0.0, 0.0])


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("seed", ["a", -1, 1.5, None, True])
@pytest.mark.parametrize("optimizer", ["adam", "L-BFGS"])
def test_a_seed_is_a_whole_number(backend, seed, optimizer):
    with pytest.raises(InputError, match=f"^seed is {seed!r}; it must be a whole number, 0 or more$"):
        sp.minimize(lambda x: x * x, 1.0, optimizer, seed=seed, backend=backend)


def test_only_functions_are_minimised():
    with pytest.raises(InputError, match=r"^minimize got the int 3; it needs a function$"):
        sp.minimize(3, [1.0])
