"""Muon and its variants against their oracles, and which parameters it takes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim import harness
from optim.harness import Step, assert_close, named, slope
from optim.matrix_events import GRADIENTS, START, natively, replay, run

from spusk import optim
from spusk.errors import InputError
from spusk.graph import as_tensor, evaluate, topological
from spusk.graph import input as new_input
from spusk.graph.products import Dot
from spusk.optim import SGD, Adam, AdamW, LayerRates, Lookahead, Muon, Nadam
from spusk.optim.muon import newton_schulz

A, B, C = 3.4445, -4.7750, 2.0315


def iterated(x, eps, clamp=False, coefficients=((A, B, C),) * 5):
    """The iteration, on the side on which the Gram matrix is small."""
    size = math.sqrt((x**2).sum())
    y = (x.T if len(x) > len(x[0]) else x) / (max(size, eps) if clamp else size + eps)
    for a, b, c in coefficients:
        gram = np.einsum("ik,jk->ij", y, y)
        y = a * y + np.einsum("ij,jk->ik", b * gram + c * np.einsum("ij,jk->ik", gram, gram), y)
    return y.T if len(x) > len(x[0]) else y


def by_svd(x, eps, clamp=False):
    """What the iteration does to every singular value by itself."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    size = np.linalg.norm(x)
    s = s / (max(size, eps) if clamp else size + eps)
    for _ in range(5):
        s = A * s + B * s**3 + C * s**5
    return u * s @ vt


def jordan(gradients, lrs, w, orthogonal=iterated, mu=0.95, decay=0.0, eps=1e-7, nesterov=True):
    """The authors' code, on weights that are (fan_in, fan_out)."""
    momentum = np.zeros_like(w)
    scale = math.sqrt(max(1.0, w.shape[1] / w.shape[0]))
    for g, lr in zip(gradients, lrs, strict=True):
        momentum = momentum + (1 - mu) * (g - momentum)
        update = g + mu * (momentum - g) if nesterov else momentum
        w = w * (1 - lr * decay) - lr * scale * orthogonal(update, eps)
        yield w


def torch(gradients, lrs, w, scaled=True):
    """As torch has it; on (fan_in, fan_out) its ratio of the axes is the other way round."""
    buffer = np.zeros_like(w)
    for g, lr in zip(gradients, lrs, strict=True):
        buffer = buffer + 0.05 * (g - buffer)
        update = iterated(g + 0.95 * (buffer - g), 1e-7, clamp=True)
        scale = math.sqrt(max(1, w.shape[1] / w.shape[0])) if scaled else 1.0
        w = w - lr * 0.1 * w - lr * scale * update
        yield w


def optax(gradients, lrs, w, nesterov=True, eps=1e-8):
    mu = np.zeros_like(w)
    for t, (g, lr) in enumerate(zip(gradients, lrs, strict=True), start=1):
        mu = 0.95 * mu + 0.05 * g
        mu_hat = (
            0.95 * mu / (1 - 0.95 ** (t + 1)) + 0.05 * g / (1 - 0.95**t) if nesterov else mu / (1 - 0.95**t)
        )
        w = w - lr * math.sqrt(max(1, w.shape[1] / w.shape[0])) * iterated(mu_hat, eps)
        yield w


def keras(gradients, lrs, w):
    m = np.zeros_like(w)
    for g, lr in zip(gradients, lrs, strict=True):
        w = w - w * 0.004 * lr
        m = m + g + m * (0.95 - 1)
        w = w - lr * iterated(g + 0.95 * m, 1e-7) * math.sqrt(max(w.shape)) * 0.2
        yield w


# Cesista, You & Jordan, 2025, "Squeezing 1-2% efficiency gains out of Muon by optimizing the Newton–Schulz
# coefficients".
CESISTA = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
    (2.8366, -3.0525, 1.2012),
)


def timm(gradients, lrs, w):
    buffer = np.zeros_like(w)
    for g, lr in zip(gradients, lrs, strict=True):
        buffer = 0.95 * buffer + 0.05 * g
        update = iterated(buffer, 1e-7, clamp=True, coefficients=CESISTA)
        w = w - lr * 0.2 * math.sqrt(max(w.shape)) * update
        yield w


@pytest.mark.parametrize(
    ("rule", "oracle", "numbers"),
    [
        (Muon(), jordan, {}),
        (Muon(mu=0.5, weight_decay=0.1, eps=1e-3), jordan, {"mu": 0.5, "decay": 0.1, "eps": 1e-3}),
        (Muon(nesterov=False), jordan, {"nesterov": False}),
        (Muon.like("torch"), torch, {}),
        (Muon.like("optax"), optax, {}),
        # Of a bias correction that is a factor, ε alone leaves a trace.
        (Muon.like("optax", nesterov=False, eps=1.0), optax, {"nesterov": False, "eps": 1.0}),
        (Muon.like("torch", scale="none"), torch, {"scaled": False}),
        (Muon.like("keras"), keras, {}),
        (Muon.like("timm"), timm, {}),
    ],
    ids=lambda x: named(x)[:60],
)
@pytest.mark.parametrize("is_wide", [False, True])
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, numbers, is_wide):
    gradients, start = (np.swapaxes(x, -1, -2) if is_wide else x for x in (GRADIENTS, START))
    assert_close(run(rule, gradients, start), replay(oracle, rule.lr, gradients, start, **numbers))


def test_it_does_to_singular_values_what_the_polynomial_does_to_numbers():
    # Singular values of 1e-10 of the norm grow 480 times in five iterations, and so does their rounding.
    assert_close(run(Muon()), replay(jordan, Muon().lr, orthogonal=by_svd), rtol=1e-11)


def test_native_code_is_the_interpreter():
    assert_close(natively(Muon()), run(Muon()))


@pytest.mark.parametrize("shape", [(7, 2), (2, 7), (3, 3)])
def test_the_smaller_of_the_two_gram_matrices_is_multiplied(shape):
    result = newton_schulz(new_input("x", shape, "float64"), steps=3, eps=1e-7)
    products = [t for t in topological([result]) if isinstance(t.primitive, Dot)]
    assert len(products) == 9
    assert sum(t.shape == (min(shape),) * 2 for t in products) >= 6


def test_the_iteration_adds_eps_to_the_norm_unless_it_is_told_to_clamp():
    x = START[:3]
    for clamp in ({}, {"clamp": False}, {"clamp": True}):
        (found,) = evaluate([newton_schulz(as_tensor(x), 5, 2.0, **clamp)], {})
        np.testing.assert_allclose(found, iterated(x, 2.0, **clamp), rtol=1e-12)


@pytest.mark.parametrize(("coefficients", "least", "most"), [("jordan", 0.68, 1.21), ("cesista", 0.85, 1.15)])
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from([(3, 3), (5, 2), (2, 6)]))
def test_singular_values_of_a_500th_of_the_norm_become_nearly_one(seed, shape, coefficients, least, most):
    random = np.random.default_rng(seed)
    u, _, vt = np.linalg.svd(random.normal(size=shape), full_matrices=False)
    s = random.uniform(0.01, 1.0, min(shape))
    x = new_input("x", shape, "float64")
    found = evaluate([newton_schulz(x, 5, 1e-7, coefficients)], {x: u * s @ vt})[0]
    sizes = np.linalg.svd(found)[1]
    assert sizes.min() > least
    assert sizes.max() < most


def test_steps_do_not_depend_on_the_unit_of_the_gradient():
    rule = Muon(eps=0.0)
    assert_close(run(rule, GRADIENTS[20:60] * 1e3), run(rule, GRADIENTS[20:60]), rtol=1e-11)


# --- which parameters -----------------------------------------------------------------------------------


def slots(rule, **shapes):
    step = Step(rule, {name.replace("__", "."): np.ones(shape) for name, shape in shapes.items()})
    return set(step.state)


def test_matrices_are_orthogonalised_and_bias_embedding_and_head_are_left_to_adam():
    found = slots(
        Muon(), embedding__table=(9, 4), a__weight=(4, 4), a__bias=(4,), b__weight=(4, 2), b__bias=(2,)
    )
    adam = {"embedding.table", "a.bias", "b.weight", "b.bias"}
    assert found == {"matrices/a.weight/b"} | {f"rest/{n}/{slot}" for n in adam for slot in "mv"}


def test_a_head_is_known_by_its_name_or_as_the_last_of_several_matrices():
    def taken(rule, *names):
        step = Step(rule, {name: np.ones((2, 2)) for name in names})
        return [path.split("/")[1] for path in step.state if path.startswith("matrices/")]

    assert taken(Muon(), "0.weight", "2.weight", "4.weight") == ["0.weight", "2.weight"]
    assert taken(Muon(), "LM_Head.weight", "2.weight", "4.weight") == ["2.weight"]
    assert taken(Muon(), "body.weight", "head.weight") == ["body.weight"]
    assert taken(Muon(), "x") == ["x"]
    assert taken(Muon(exclude="", exclude_last=False), "embed", "head") == ["embed", "head"]


def test_a_kernel_of_a_convolution_is_a_matrix_of_all_its_inputs():
    random = np.random.default_rng(3)
    kernel, gradients = random.normal(size=(2, 3, 2, 4)), random.normal(size=(40, 2, 3, 2, 4))
    whole = run(Muon(), gradients, kernel)
    flat = run(Muon(), gradients.reshape(40, 12, 4), kernel.reshape(12, 4))
    np.testing.assert_array_equal(whole.reshape(41, 12, 4), flat)
    assert slots(Muon(flatten=False), x=(2, 3, 2, 4)) == {"rest/x/m", "rest/x/v"}


def test_torch_s_layout_is_the_transposed_one():
    turned = run(Muon(out_first=True), np.swapaxes(GRADIENTS, 1, 2), START.T)
    assert_close(np.swapaxes(turned, 1, 2), run(Muon()))


def test_the_rest_is_adam_with_its_share_of_the_rate_and_decay():
    rule, random = Muon(lr=0.1, lr_ratio=0.5, rest_decay=0.2, rest=Adam(eps=0.0)), np.random.default_rng(5)
    bias = random.normal(size=3)
    step = Step(rule, {"b": bias})
    step({"b": np.array([1.0, -2.0, 3.0])})
    np.testing.assert_allclose(step.parameters["b"], bias * 0.99 - 0.05 * np.array([1, -1, 1]), rtol=1e-14)


@pytest.mark.parametrize(
    ("rule", "rest"),
    [
        # The authors train all else with AdamW at 3e-4 where their matrices have 0.02.
        (Muon(lr=0.2), Adam(lr=0.003, beta2=0.95, eps=1e-10)),
        (Muon.like("torch", lr=0.1), AdamW.like("torch", lr=0.1)),
        (Muon.like("optax", lr=0.1), Nadam.like("optax", lr=0.1, eps=1e-8)),
        (Muon.like("keras", lr=0.1), AdamW.like("keras", lr=0.1)),
        (Muon.like("timm", lr=0.1), Adam(lr=0.1, beta2=0.95)),
    ],
    ids=lambda x: repr(x)[:60],
)
def test_the_rest_is_the_library_s_adam(rule, rest):
    gradients, start = GRADIENTS[:, 0], START[0]
    assert_close(run(rule, gradients, start), run(rest, gradients, start))


@pytest.mark.parametrize(
    ("library", "taken"),
    [
        ("torch", {"embed", "embedding", "head", "last"}),
        ("optax", {"embed", "embedding", "head", "last"}),
        ("keras", {"embed", "head", "last"}),
        ("timm", {"embed", "embedding", "kernel", "head", "last"}),
    ],
)
def test_libraries_take_matrices_whatever_their_place(library, taken):
    shapes = {
        "embed": (5, 2),
        "embedding": (5, 2),
        "kernel": (2, 2, 3, 2),
        "head": (2, 2),
        "last": (2, 2),
        "b": (2,),
    }
    found = slots(Muon.like(library), **shapes)
    assert {path.split("/")[1] for path in found if path.startswith("matrices/")} == taken


def test_matrices_are_taken_and_stacks_of_them_are_where_axes_are_flattened():
    def is_taken(shape, flatten):
        return any(path.startswith("matrices/") for path in slots(Muon(flatten=flatten), x=shape))

    for n in range(4):
        assert [is_taken((2,) * n, flatten) for flatten in (False, True)] == [n == 2, n >= 2]


def test_any_optimizer_can_take_the_rest():
    step = Step(Muon(lr=1.0, lr_ratio=0.5, rest=Lookahead(SGD(), k=2)), {"w": np.eye(2), "b": np.ones(2)})
    for _ in range(2):
        step({"w": np.eye(2), "b": np.ones(2)})
    np.testing.assert_array_equal(step.parameters["b"], [0.5, 0.5])


@pytest.mark.parametrize("rest", [optim.SAM(SGD(), rho=0.3), optim.AdaHessian()], ids=repr)
def test_the_rest_asks_for_its_own_gradients(rest):
    """The first step of the rest is what the same rule in a partition takes, and the matrix moves as ever."""
    start = {"w": np.array([[1.0, 2.0], [3.0, -1.0]]), "b": np.array([0.5, -2.0])}
    muon = Muon(lr=0.1, lr_ratio=0.5, rest=rest)
    apart = optim.Partition({"b": rest.with_lr(0.05), "w": Muon(lr=0.1)})
    ours, theirs = (Step(rule, start, harness.slope) for rule in (muon, apart))
    for _ in range(3):
        ours(), theirs()
    for name in start:
        np.testing.assert_allclose(ours.parameters[name], theirs.parameters[name], rtol=1e-12)
    assert muon.needs_curvature == rest.needs_curvature


@pytest.mark.parametrize(
    "rest", [optim.Rprop(lr=7.0), optim.Nesterov(lr=7.0), LayerRates(optim.Rprop())], ids=repr
)
def test_the_rest_begins_and_looks_ahead_with_its_share_of_the_rate(rest):
    """Rprop's state begins with the rate, and Nesterov's gradient is taken where it leads."""
    w = {"w": np.eye(2), "b": np.array([1.0, -2.0])}
    muon = Step(Muon(lr=0.1, lr_ratio=0.5, rest=rest), w, slope)
    alone = Step(rest.with_lr(0.05), {"b": w["b"]}, slope)
    for _ in range(5):
        muon({"w": np.ones((2, 2)), "b": np.ones(2)})
        alone({"b": np.ones(2)})
        np.testing.assert_allclose(muon.parameters["b"], alone.parameters["b"], rtol=1e-13)


def test_the_rest_asks_for_gradients_with_the_number_of_the_step():
    inside = Step(Muon(lr=0.1, lr_ratio=1.0, rest=harness.Counting()), {"b": np.ones(1)}, slope)
    alone = Step(harness.Counting(lr=0.1), {"b": np.ones(1)}, slope)
    for _ in range(3):
        inside({"b": np.ones(1)})
        alone({"b": np.ones(1)})
        np.testing.assert_array_equal(inside.parameters["b"], alone.parameters["b"])


def test_a_decay_pauses_with_the_rest():
    rule = optim.WeightDecay(Muon(rest=optim.Accumulate(SGD(), k=2)), weight_decay=0.5)
    step = Step(rule, {"w": np.eye(2), "b": np.ones(2)})
    step({"w": np.zeros((2, 2)), "b": np.zeros(2)})
    assert step.parameters["w"].tolist() == [[0.5, 0.0], [0.0, 0.5]]
    assert step.parameters["b"].tolist() == [1.0, 1.0]


def test_the_decay_of_the_rest_pauses_with_it_and_leaves_out_what_it_leaves_out():
    rest = optim.Accumulate(optim.Mask(SGD(), but="b"), k=2)
    rule = Muon(lr=1.0, lr_ratio=1.0, rest=rest, rest_decay=0.5)
    step = Step(rule, {"w": np.eye(2), "a": np.ones(2), "b": np.ones(2)})
    sizes = []
    for _ in range(4):
        step({name: np.zeros_like(w) for name, w in step.parameters.items()})
        sizes.append((step.parameters["a"][0].item(), step.parameters["b"][0].item()))
    assert sizes == [(1.0, 1.0), (0.5, 1.0), (0.5, 1.0), (0.25, 1.0)]


def test_the_weights_to_use_are_those_of_each_part():
    names = {n: new_input(n, shape, "float64") for n, shape in {"w": (2, 2), "b": (2,)}.items()}
    rule = Muon()
    assert rule.evaluated_all(names, rule.start_all(names)) == names


def test_bad_fields_are_told_in_a_sentence():
    with pytest.raises(
        InputError, match=r"^Muon\(ns_steps=0\): ns_steps must be a whole number, 1 or greater$"
    ):
        Muon(ns_steps=0)
    with pytest.raises(InputError, match="scale must be 'spectral', 'rms' or 'none'"):
        Muon(scale="mean")
