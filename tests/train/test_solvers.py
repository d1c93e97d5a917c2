"""Solvers of SciPy on our compiled derivatives."""

import numpy as np
import pytest
from scipy.optimize import minimize as scipy_minimize
from scipy.optimize import rosen, rosen_der, rosen_hess_prod

import spusk as sp
import spusk.numpy as snp
from spusk import optim
from spusk.errors import InputError, ShapeError

NAMES = ["L-BFGS", "lbfgs", "trust-ncg", "trust-krylov", "trust-exact"]


def rosenbrock(x):
    return snp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("name", NAMES)
def test_every_solver_finds_the_minimum_of_rosenbrock(name, backend):
    r = sp.minimize(rosenbrock, START, name, steps=200, backend=backend)
    np.testing.assert_allclose(r.x, np.ones(5), atol=1e-4)
    assert r.status == "finished"
    assert r.path.shape == (r.steps + 1, 5)
    np.testing.assert_allclose(r.values, [rosen(p) for p in r.path], rtol=1e-9, atol=1e-15)
    assert r.value < 1e-8


def test_our_gradient_gives_the_path_of_scipys_own():
    path = [START]
    scipy_minimize(rosen, START, jac=rosen_der, method="L-BFGS-B", callback=lambda x: path.append(x.copy()))
    r = sp.minimize(rosenbrock, START, "L-BFGS", steps=1000)
    np.testing.assert_allclose(r.path, path, rtol=1e-6)


def test_our_hessian_products_give_the_path_of_scipys_own():
    path = [START]
    scipy_minimize(
        rosen,
        START,
        jac=rosen_der,
        hessp=rosen_hess_prod,
        method="trust-ncg",
        options={"gtol": 1e-5},
        callback=lambda x: path.append(x.copy()),
    )
    r = sp.minimize(rosenbrock, START, "trust-ncg", steps=1000)
    np.testing.assert_allclose(r.path, path, rtol=1e-6)


def test_a_trust_region_needs_one_step_where_the_model_is_exact():
    f = lambda x: snp.sum((x - 0.25) ** 2 * snp.asarray([1.0, 10.0]))  # noqa: E731
    r = sp.minimize(f, [0.0, 0.0], optim.TrustRegion(subproblem="exact", radius=10.0, max_radius=20.0))
    np.testing.assert_allclose(r.path[1], [0.25, 0.25], atol=1e-12)
    assert r.steps <= 2


def test_steps_bound_a_solver():
    assert sp.minimize(rosenbrock, START, "l-bfgs", steps=3).steps == 3
    none = sp.minimize(rosenbrock, START, "l-bfgs", steps=0)
    assert none.steps == 0
    assert (none.x == START).all()


def test_shape_and_dtype_of_the_start_are_kept():
    f = lambda x: snp.sum((x - 2) ** 2)  # noqa: E731
    r = sp.minimize(f, np.zeros((2, 3), np.float32), optim.LBFGS(history=3))
    assert r.x.dtype == np.float32
    assert r.path.shape == (r.steps + 1, 2, 3)
    np.testing.assert_allclose(r.x, np.full((2, 3), 2.0), atol=1e-5)


def test_a_function_that_is_not_finite_at_the_start_has_diverged():
    r = sp.minimize(lambda x: snp.log(x), -1.0, "L-BFGS")
    assert (r.status, r.steps) == ("diverged", 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_solver_that_cannot_leave_the_start_has_diverged(name):
    r = sp.minimize(lambda x: snp.sum(snp.log(x)), [0.1], name)  # it falls without end towards 0
    assert r.status == "diverged"


def test_ctrl_c_keeps_the_last_point(monkeypatch):
    calls = 0
    from spusk.train import solve

    def value_and_gradient(self, x, real=solve._Functions.value_and_gradient):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return real(self, x)

    monkeypatch.setattr(solve._Functions, "value_and_gradient", value_and_gradient)
    r = sp.minimize(rosenbrock, START, "L-BFGS")
    assert r.status == "interrupted"
    assert 0 < r.steps < 6
    assert (r.x == r.path[-1]).all()


def test_defaults_are_those_of_scipy_s_manual_but_for_one_bound_of_the_gradient():
    trust = {"initial_trust_radius": 1.0, "max_trust_radius": 1000.0, "eta": 0.15, "gtol": 1e-5}
    for name in ("trust-ncg", "trust-krylov", "trust-exact"):
        assert optim.solvers.solver(name).options(7) == {"maxiter": 7, **trust}
    options = optim.LBFGS().options(7)
    assert options.pop("maxfun") > 1e8
    assert options == {"maxiter": 7, "maxcor": 10, "gtol": 1e-5, "ftol": 2.2e-9}


def test_evaluations_do_not_bound_a_solver():
    r = sp.minimize(rosenbrock, np.tile([-1.2, 1.0], 20), optim.LBFGS(gtol=1e-9, ftol=0.0), steps=1000)
    assert r.steps > 90
    assert r.status == "finished"
    np.testing.assert_allclose(r.values[-1], 0.0, atol=1e-15)


def test_bounds_of_settings_are_in_them_where_the_docstring_says_so():
    assert optim.LBFGS(history=1).history == 1
    assert optim.TrustRegion(eta=0.0).eta == 0.0
    for wrong in ({"eta": 0.25}, {"radius": 0.0}, {"radius": 3.0, "max_radius": 3.0}):
        with pytest.raises(InputError, match=r"^TrustRegion"):
            optim.TrustRegion(**wrong)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: optim.LBFGS(history=0), "history must be a whole number, 1 or greater"),
        (lambda: optim.TrustRegion(subproblem="cg"), "subproblem must be 'ncg', 'krylov' or 'exact'"),
        (lambda: optim.TrustRegion(radius=2.0, max_radius=1.0), "below max_radius=1.0"),
        (lambda: optim.TrustRegion(eta=0.3), "eta must be at least 0 and below 0.25"),
        (lambda: optim.LBFGS(gtol=float("nan")), "gtol must be finite"),
        (lambda: optim.get("l-bfgs"), "works in sp.minimize only"),
        (lambda: optim.get(optim.LBFGS()), "works in sp.minimize only"),
    ],
)
def test_mistakes_are_told(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_solver_needs_a_scalar():
    with pytest.raises(ShapeError, match="returns a scalar"):
        sp.minimize(lambda x: x, [1.0, 2.0], "L-BFGS")
