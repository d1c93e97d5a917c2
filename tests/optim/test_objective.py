"""What rules may ask of the objective, and what the training step makes of it, on both backends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from optim.averages import Average

import spusk as sp
import spusk.numpy as snp
from spusk import data, nn, optim
from spusk.errors import InputError
from spusk.graph import constant, evaluate, scalar
from spusk.graph import input as new_input
from spusk.graph.draws import draw_bits
from spusk.optim import Gradients, Hyper, Objective, SecondOrder, State, Wrapper
from spusk.optim.objective import joined, while_moving
from spusk.streams import key
from spusk.train import descent_step

BACKENDS = ["numpy", "native"]


@dataclass(frozen=True)
class SAM(Wrapper):
    """The gradient of the worst point within rho of the weights (Foret et al., 2021)."""

    rho: Hyper = 0.05

    def gradients_all(self, objective, parameters, state, t):
        here = super().gradients_all(objective, parameters, state, t)
        norm = snp.sqrt(sum((g * g).sum() for g in here.values()))
        worst = {name: w + self.rho / norm * here[name] for name, w in parameters.items()}
        return Gradients(objective.gradients(worst), here.loss)


@dataclass(frozen=True)
class Newton(SecondOrder):
    """Newton's step with the Hessian's diagonal, renewed every k steps."""

    lr: Hyper = 1.0
    k: int = 1

    def start(self, w):
        return State(h=snp.ones_like(w))

    def update_curved(self, w, g, h, s, t):
        h = snp.where((t - 1) % self.k == 0, h, s.h)
        return w - self.lr * g / h, State(h=h)


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def slope(x):
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])


# --- the objective itself -----------------------------------------------------------------------------


def two():
    """A function of two parameters whose Hessian is dense, at given values."""
    a, b = new_input("a", (2,), "float64"), new_input("b", (), "float64")
    return {"a": a, "b": b}, {a: np.array([0.3, -0.7]), b: np.array(1.3)}


def mixed(p):
    return (p["a"] ** 3).sum() * p["b"] ** 2 + p["a"][0] * p["a"][1]


def dense(point):
    """Its Hessian by hand, over (a₀, a₁, b)."""
    (a0, a1), b = point
    return np.array([
        [6 * a0 * b * b, 1, 6 * a0**2 * b],
        [1, 6 * a1 * b * b, 6 * a1**2 * b],
        [6 * a0**2 * b, 6 * a1**2 * b, 2 * (a0**3 + a1**3)],
    ])  # fmt: skip


def test_gradients_with_another_loss_watch_it_unless_they_watch_something_else():
    first, second, other = (constant(x) for x in (1.0, 2.0, 3.0))
    plain = Gradients({"w": first}, first).with_loss(second)
    assert (plain.loss, plain.watched) == (second, second)
    watching = Gradients({"w": first}, first).watching(other).with_loss(second)
    assert (watching.loss, watching.watched) == (second, other)


def test_a_part_of_gradients_has_the_curvature_that_is_known_of_it():
    a, b, loss = (constant(x) for x in (1.0, 2.0, 3.0))
    both = Gradients({"a": a, "b": b}, loss)
    assert both.part("a").curvature is None
    assert dict(both.with_curvature({"b": a}).part(["a", "b"]).curvature) == {"b": a}


def test_gradients_of_parts_come_together_in_the_order_asked_for():
    a, b, loss, other = (constant(x) for x in (1.0, 2.0, 3.0, 4.0))
    parts = [Gradients({"b": b}, other), Gradients({"a": a}, other)]
    plain = joined(parts, loss, ["a", "b"])
    assert list(plain.items()) == [("a", a), ("b", b)]
    assert (plain.loss, plain.watched, plain.curvature) == (loss, loss, None)
    curved = joined([parts[0].with_curvature({"b": a}), parts[1]], loss, ["a", "b"])
    assert curved.curvature == {"b": a}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", [None, 0, 1, 2])
@pytest.mark.parametrize("bearing", [[0], [1, 2], [0, 1, 2]])
def test_a_training_goes_on_while_every_part_bears_what_it_has_seen(bearing, which, bad):
    # Parts that bear a loss that is not finite watch something else.
    parts = []
    for i in range(3):
        seen = constant(bad if i == which else 1.0)
        w = {f"w{i}": constant(1.0)}
        parts.append(Gradients(w, constant(bad)).watching(seen) if i in bearing else Gradients(w, seen))
    watched = joined(parts, constant(1.0), ["w0", "w1", "w2"]).watched
    assert math.isfinite(watched.numpy()) == (which is None)


def test_a_change_is_left_out_where_a_parameter_is_passed_over():
    moving, change = {"a": constant(True), "b": constant(False)}, constant(np.array([2.0, 3.0]))
    found = evaluate([while_moving(moving, name, change) for name in "abc"], {})
    assert [x.tolist() for x in found] == [[2.0, 3.0], [0.0, 0.0], [2.0, 3.0]]


def test_the_product_with_the_hessian_crosses_parameters():
    w, values = two()
    v = {"a": constant(np.array([2.0, -1.0])), "b": constant(np.array(0.5))}
    found = Objective(mixed, scalar(1.0)).hvp(w, v)
    flat = np.append(found["a"].numpy(values), found["b"].numpy(values))
    expected = dense(tuple(values.values())) @ [2.0, -1.0, 0.5]
    np.testing.assert_allclose(flat, expected, rtol=1e-14)


def test_a_vector_that_depends_on_the_weights_counts_as_a_constant():
    w, values = two()
    objective = Objective(mixed, scalar(1.0))
    _, g = objective.loss_and_gradients(w)
    found = objective.hvp(w, g)
    flat = np.append(found["a"].numpy(values), found["b"].numpy(values))
    gradient = np.append(g["a"].numpy(values), g["b"].numpy(values))
    np.testing.assert_allclose(flat, dense(tuple(values.values())) @ gradient, rtol=1e-14)


def test_a_point_that_is_a_function_of_the_weights_is_a_point_of_its_own():
    # b stays where it is, and a's point depends on b: the gradient by b must not go through a's point.
    w, values = two()
    point = {"a": w["a"] + w["b"], "b": w["b"]}
    _, g = Objective(mixed, scalar(1.0)).loss_and_gradients(point)
    a, b = (x.numpy(values) for x in point.values())
    assert g["b"].numpy(values) == pytest.approx(2 * b * (a**3).sum(), rel=1e-14)


def test_hutchinson_s_mean_is_the_diagonal():
    w, values = two()
    objective = Objective(mixed, scalar(1.0), constant(key(0, "optimizer")))
    found = objective.hessian_diagonal(w, samples=200)
    flat = np.append(found["a"].numpy(values), found["b"].numpy(values))
    hessian = dense(tuple(values.values()))
    off = hessian - np.diag(np.diag(hessian))
    spread = np.sqrt((off**2).sum(1) / 200)  # of a mean of 200 estimates
    assert (np.abs(flat - np.diag(hessian)) < 4 * spread).all()
    assert (np.abs(flat - np.diag(hessian)) > 0).any()
    with pytest.raises(InputError, match="samples=0; it needs 1 or more"):
        objective.hessian_diagonal(w, samples=0)


def test_signs_are_fair_and_differ_between_parameters_steps_and_names():
    w = {name: new_input(name, (10_000,), "float32") for name in "ab"}
    k = constant(key(0, "optimizer"))

    def drawn(t, name="signs"):
        return {
            n: s.numpy() for n, s in Objective(lambda p: p["a"].sum(), scalar(t), k).signs(w, name).items()
        }

    first = drawn(1.0)
    assert first["a"].dtype == np.float32
    assert set(np.unique(first["a"])) == {-1.0, 1.0}
    np.testing.assert_array_equal(first["a"], drawn(1.0)["a"])
    others = [first["b"], drawn(2.0)["a"], drawn(1.0, "others")["a"]]
    assert all(abs(float((first["a"] * other).mean())) < 0.05 for other in others)
    assert abs(float(first["a"].mean())) < 0.05


def test_without_a_key_nothing_is_drawn():
    with pytest.raises(InputError, match="draws random numbers, and this objective was given no key"):
        Objective(lambda p: p["a"].sum(), scalar(1.0)).signs(two()[0])


def test_an_objective_knows_whether_it_or_a_view_of_it_has_drawn():
    w = new_input("w", (2,), "float64")
    whole = Objective(lambda p: (p["w"] ** 2).sum(), scalar(1.0), constant(key(0, "optimizer")))
    view = whole.shifted({"w": w})
    view.gradients({"w": w})
    assert not whole.draws
    assert not view.draws
    view.signs({"w": w})
    assert whole.draws
    assert view.draws


def test_random_numbers_are_those_of_the_step_and_the_name():
    seed = constant(key(0, "optimizer"))
    ours = Objective(lambda p: p["w"].sum(), scalar(3.0), seed).random_bits("x", (4,))
    np.testing.assert_array_equal(ours.numpy(), draw_bits(seed, scalar(3.0), "x", (4,)).numpy())


def test_the_diagonal_is_a_mean_over_samples_and_from_one_unless_told():
    w = new_input("w", (30,), "float64")
    whole = Objective(lambda p: p["w"].sum() ** 3, scalar(1.0), constant(key(0, "optimizer")))
    at, values = {"w": w}, {w: np.ones(30)}
    samples = []
    for i in range(4):
        signs = whole.signs(at, f"curvature {i}")
        samples.append((signs["w"] * whole.hvp(at, signs)["w"]).numpy(values))
    assert len({tuple(s) for s in samples}) == 4
    np.testing.assert_allclose(whole.hessian_diagonal(at)["w"].numpy(values), samples[0])
    for n in (2, 4):
        np.testing.assert_allclose(
            whole.hessian_diagonal(at, n)["w"].numpy(values), np.mean(samples[:n], axis=0)
        )


def test_a_part_is_a_function_of_its_parameters_while_the_others_stay():
    a, b, c = (new_input(name, (), "float64") for name in "abc")
    part = Objective(lambda p: 10 * p["a"] + p["b"], scalar(1.0)).part(["a"], {"a": a, "b": b})
    assert part.loss({"a": c}).numpy({a: 1.0, b: 2.0, c: 3.0}) == 32.0


def test_new_gradients_in_place_of_old_ones_keep_the_loss_that_came_with_those():
    old, new, loss = (constant(x) for x in (1.0, 2.0, 3.0))
    found = optim.objective.replaced(Gradients({"w": old}, loss), {"w": new})
    assert (found["w"], found.loss) == (new, loss)
    assert optim.objective.replaced({"w": old}, {"w": new}) == {"w": new}


def test_what_is_known_of_a_point_is_computed_once():
    calls = []
    w, _ = two()
    objective = Objective(lambda p: calls.append(1) or mixed(p), scalar(1.0))
    assert objective.gradients(w) is objective.gradients(dict(w))
    objective.hvp(w, w)
    assert len(calls) == 1


# --- another gradient ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "around",
    [lambda r: r, partial(optim.Lookahead, use="fast"), optim.CyclicalLR],
    ids=["alone", "lookahead", "cyclical"],
)
def test_sam_takes_the_gradient_at_the_worst_point_nearby(backend, around):
    rule = around(SAM(optim.SGD(lr=1e-3), rho=0.1))
    found = sp.minimize(rosenbrock, [-0.5, 1.0], rule, steps=1, backend=backend)
    x = np.array([-0.5, 1.0])
    g = slope(x)
    lr = 0.0025 if isinstance(rule, optim.CyclicalLR) else 1e-3
    np.testing.assert_allclose(found.x, x - lr * slope(x + 0.1 * g / np.linalg.norm(g)), rtol=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sam_around_momentum_follows_a_plain_loop(backend):
    rule = SAM(optim.Momentum(lr=1e-4, mu=0.9), rho=0.1)
    found = sp.minimize(rosenbrock, [-0.5, 1.0], rule, steps=200, backend=backend)
    x, v = np.array([-0.5, 1.0]), np.zeros(2)
    points = [x]
    for _ in range(200):
        g = slope(x)
        v = 0.9 * v - 1e-4 * slope(x + 0.1 * g / np.linalg.norm(g))
        x = x + v
        points.append(x)
    np.testing.assert_allclose(found.path, points, rtol=1e-11)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_loss_of_a_step_is_that_of_the_gradient_s_own_point(backend):
    w = {"x": np.array([-0.5, 1.0])}
    rule = SAM(optim.SGD(lr=1e-3))
    step = descent_step(lambda p, t: rosenbrock(p["x"]), w, rule, backend=backend)
    assert step.program(step.first_values(w, rule))["loss"] == pytest.approx(rosenbrock([-0.5, 1.0]))


def test_sam_sees_the_same_dropout_mask_at_both_points():
    # With rho = 0 the worst point is the weights themselves: any other mask would give another gradient.
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))
    plain = optim.SGD(lr=0.1)
    runs = [
        sp.train(net, data.iris(), optimizer=rule, epochs=3, batch_size=16, progress=False, backend="numpy")
        for rule in (plain, SAM(plain, rho=0.0))
    ]
    for name, w in runs[0].parameters.items():
        np.testing.assert_allclose(runs[1].parameters[name], w, rtol=1e-5, atol=1e-6)


# --- curvature ----------------------------------------------------------------------------------------


def bowl(x):
    return (snp.asarray(np.array([1.0, 10.0, 100.0])) * (x - 1) ** 2).sum() + (x**4).sum()


def bowl_slope(x):
    return 2 * np.array([1.0, 10.0, 100.0]) * (x - 1) + 4 * x**3


def bowl_curvature(x):
    return 2 * np.array([1.0, 10.0, 100.0]) + 12 * x**2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("k", [1, 3])
def test_newton_s_diagonal_follows_a_plain_loop_and_keeps_the_old_curvature_between(backend, k):
    found = sp.minimize(bowl, [3.0, -2.0, 2.0], Newton(lr=0.5, k=k), steps=30, backend=backend)
    x = np.array([3.0, -2.0, 2.0])
    h = np.ones(3)
    points = [x]
    for t in range(1, 31):
        h = bowl_curvature(x) if (t - 1) % k == 0 else h
        x = x - 0.5 * bowl_slope(x) / h
        points.append(x)
    np.testing.assert_allclose(found.path, points, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_curvature_passes_through_wrappers(backend):
    alone = sp.minimize(bowl, [3.0, -2.0, 2.0], Newton(lr=0.5), steps=5, backend=backend)
    within = optim.Lookahead(Average(Newton(lr=0.5)), alpha=1.0)
    found = sp.minimize(bowl, [3.0, -2.0, 2.0], within, steps=5, backend=backend)
    np.testing.assert_allclose(found.path, np.cumsum(alone.path, 0) / np.arange(1, 7)[:, None], rtol=1e-12)


def test_random_numbers_follow_from_the_seed_and_are_the_same_on_both_backends():
    def f(x):
        return rosenbrock(x) + x[0] ** 4

    def run(seed, backend):
        return sp.minimize(f, [1.5, 1.2], Newton(lr=0.1), steps=5, seed=seed, backend=backend).path

    np.testing.assert_allclose(run(0, "native"), run(0, "numpy"), rtol=1e-12)
    np.testing.assert_array_equal(run(0, "numpy"), run(0, "numpy"))
    assert not np.allclose(run(0, "numpy"), run(1, "numpy"))


@pytest.mark.parametrize("activation", [nn.Tanh(), nn.ReLU(), nn.GELU()], ids=repr)
def test_a_network_trains_with_second_derivatives_alike_on_both_backends(activation):
    net = nn.Sequential(nn.Linear(4, 8), activation, nn.Linear(8, 3))

    @dataclass(frozen=True)
    class Damped(SecondOrder):
        lr: Hyper = 0.02

        def update_curved(self, w, g, h, s, t):
            return w - self.lr * g / (abs(h) + 0.1), s

    runs = [
        sp.train(net, data.iris(), optimizer=Damped(), epochs=5, batch_size=16, progress=False, backend=b,
                 dtype="float64")
        for b in BACKENDS
    ]  # fmt: skip
    assert runs[0].history["loss"][-1] < 0.7 * runs[0].initial["loss"]
    for name, w in runs[0].parameters.items():
        np.testing.assert_allclose(runs[1].parameters[name], w, rtol=1e-8, atol=1e-10)


def test_a_wrapper_that_drops_the_curvature_is_told():
    class Dropping(Wrapper):
        def update_all(self, parameters, gradients, state, t):
            return self.inner.update_all(parameters, dict(gradients), state, t)

    with pytest.raises(InputError, match=r"Newton got gradients without a curvature; .* Gradients.replaced"):
        sp.minimize(bowl, [1.0, 2.0, 3.0], Dropping(Newton()), steps=1)


def test_a_curved_rule_without_its_formula_is_told():
    with pytest.raises(InputError, match=r"SecondOrder does not define update_curved\(w, g, h, s, t\)"):
        sp.minimize(bowl, [1.0, 2.0, 3.0], SecondOrder(), steps=1)
