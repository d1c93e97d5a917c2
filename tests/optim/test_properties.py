"""Laws that hold whatever the numbers: parts and wholes, pauses, inclusions, scales, permutations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optim import harness
from optim.descent import through_events
from optim.events import GRADIENTS, START
from optim.harness import Step, assert_close, path

import spusk as sp
import spusk.numpy as snp
from spusk import data, nn, optim
from spusk.graph import input as new_input
from spusk.optim import (
    AGC,
    EMA,
    SAM,
    SGD,
    SWA,
    Accumulate,
    AdaHessian,
    Adam,
    Cautious,
    Clip,
    LayerRates,
    LayerwiseDecay,
    Lookahead,
    Mask,
    Momentum,
    Nadam,
    Nesterov,
    Partition,
    Plateau,
    RAdam,
    RMSprop,
    SkipNonFinite,
    SophiaH,
    WeightDecay,
)
from spusk.train import descent_step

BACKENDS = ["numpy", "native"]
INNERS = [SGD(), Adam(), Nesterov(), Nadam(), RAdam(), Lookahead(Nesterov(), k=3), EMA(Adam(), beta=0.9)]
PLAIN = [optim.CATALOGUE[name]() for name in optim.LECTURE if name not in ("lookahead", "cyclicallr")]


# --- parts and wholes -----------------------------------------------------------------------------------


def coupled(p):
    """A function of three parameters whose gradients need one another."""
    a, b, c = p["a"], p["b"], p["c"]
    return (snp.sqrt(1 + a * a).sum() * b + (a * c).sum() * 0.1) + 0.5 * b * b + (c**2).sum()


FIRST = {"a": np.array([1.0, -2.0]), "b": np.array(0.5), "c": np.array([0.3, 0.1])}


def run(rule, f=coupled, first=FIRST, steps=30, backend="numpy"):
    step = descent_step(lambda p, t: f(p), first, rule, backend=backend)
    loop = step.program.run(step.first_values(first, rule), steps=steps)
    return {name: loop.values[f"parameters/{name}"] for name in first}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inner", [*INNERS, AdaHessian(lr=0.01)], ids=repr)
def test_a_partition_into_equal_rules_is_the_rule_itself(inner, backend):
    # A dense Hessian's estimate differs between parts and the whole: there, of separate functions only.
    f = (lambda p: sum((x**4).sum() for x in p.values())) if inner.needs_curvature else coupled
    whole, parts = (run(r, f, backend=backend) for r in (inner, Partition({"a": inner, "*": inner})))
    for name in FIRST:
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_partition_of_the_parameters_is_separate_optimizers(backend):
    # Of functions that do not meet, each by the rule of its own.
    rules = {"a": Adam(lr=0.1), "b": SAM(Momentum(lr=0.05), rho=0.3), "c": AdaHessian(lr=0.1)}

    def f(p):
        return snp.sqrt(1 + p["a"] * p["a"]).sum() + p["b"] ** 4 + (p["c"] ** 4 + p["c"] ** 2).sum()

    together = run(Partition(rules), f, backend=backend)
    for name, rule in rules.items():
        others = {key: w for key, w in FIRST.items() if key != name}
        alone = run(rule, lambda p, o=others: f({**o, **p}), {name: FIRST[name]}, backend=backend)
        np.testing.assert_allclose(together[name], alone[name], rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_masked_parameter_is_to_the_others_a_constant(backend):
    for inner in (
        Adam(lr=0.1),
        SAM(SGD(lr=0.1), rho=0.5),
        AdaHessian(lr=0.1),
        Clip(SGD(lr=0.1), global_norm=0.5),
    ):
        masked = run(Mask(inner, but="b"), backend=backend)
        free = {name: w for name, w in FIRST.items() if name != "b"}
        alone = run(inner, lambda p: coupled({"a": p["a"], "b": snp.asarray(FIRST["b"]), "c": p["c"]}), free)
        np.testing.assert_array_equal(masked["b"], FIRST["b"])
        for name in free:
            np.testing.assert_allclose(masked[name], alone[name], rtol=1e-12)


def test_a_wrapper_around_a_mask_leaves_alone_what_it_leaves_alone():
    inner = Mask(Adam(lr=0.1), but="b")
    for rule in (
        WeightDecay(inner, weight_decay=0.1),
        SAM(inner),
        EMA(inner),
        Cautious(inner),
        Lookahead(inner),
    ):
        np.testing.assert_array_equal(run(rule)["b"], FIRST["b"])
    # SAM goes out along what is trained only: as if the masked parameter were a constant.
    within, around = (
        run(Mask(SAM(SGD(lr=0.1), rho=0.5), but="b")),
        run(SAM(Mask(SGD(lr=0.1), but="b"), rho=0.5)),
    )
    for name in FIRST:
        np.testing.assert_allclose(around[name], within[name], rtol=1e-13)


# --- accumulation ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "inner",
    [
        Adam(lr=0.01),
        Nesterov(lr=0.05),
        SGD(lr=optim.Cosine(0.2, steps=12)),
        Clip(Lookahead(Nadam(lr=0.01), k=2), global_norm=0.1),
        WeightDecay(EMA(Adam(lr=0.01), beta=0.5)),
        AdaHessian(lr=0.05),
    ],
    ids=repr,
)
def test_k_micro_batches_are_the_large_batch(inner, backend):
    k, small, steps = 3, 8, 12
    rows = np.random.default_rng(0).integers(0, 100, (steps, k * small))
    x, y = np.random.default_rng(1).normal(size=(100, 4)), np.random.default_rng(2).normal(size=(100, 2))
    first = {"w": np.random.default_rng(3).normal(size=(4, 2)), "b": np.zeros(2)}

    def trained(rule, rows):
        batch = new_input("rows", rows.shape[1:], "int64")

        def loss(p, t):
            # The curvature by signs of step t differs between micro-batches unless the Hessian is diagonal.
            features = snp.take(snp.asarray(x), batch, axis=0)
            if inner.needs_curvature:
                return snp.mean(features**2, axis=0).sum() * ((p["w"] ** 4).sum() + (p["b"] ** 4).sum())
            found = features @ p["w"] + p["b"]
            return snp.mean((found - snp.take(snp.asarray(y), batch, axis=0)) ** 2)

        step = descent_step(
            loss, first, rule, inputs={"rows": batch}, outputs=lambda p: {f"use {n}": w for n, w in p.items()},
            backend=backend,
        )  # fmt: skip
        loop = step.program.run(step.first_values(first, rule), steps=len(rows), each={"rows": rows})
        return loop.values, {name: loop.collected[f"use {name}"] for name in first}

    large, shown = trained(inner, rows)
    micro, shown_each = trained(Accumulate(inner, k=k), rows.reshape(steps * k, small))
    for name in first:
        np.testing.assert_allclose(micro[f"parameters/{name}"], large[f"parameters/{name}"], rtol=1e-11)
        # Between the steps everything stands still, also what is shown of it.
        np.testing.assert_allclose(shown_each[name], np.repeat(shown[name], k, axis=0), rtol=1e-11)


# --- pauses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "rule",
    [
        *PLAIN,
        Clip(Lookahead(RAdam(lr=1e-2)), global_norm=1.0),
        Accumulate(EMA(SAM(Momentum(), rho=0.1), beta=0.9), k=3),
        SkipNonFinite(Partition({"a": SophiaH(k=2), "*": SWA(Nadam(), begin=3, every=2)})),
        LayerwiseDecay(WeightDecay(Cautious(AdaHessian()), decay_by_lr=True)),
    ],
    ids=repr,
)
def test_a_run_that_was_saved_and_resumed_is_the_same_to_the_bit(rule, backend):
    step = descent_step(lambda p, t: coupled(p), FIRST, rule, backend=backend)
    values = step.first_values(FIRST, rule, seed=5)
    whole = step.program.run(values, steps=20)
    half = step.program.run(values, steps=7)
    saved = {name: np.array(x).tobytes() for name, x in half.values.items()}
    like = {name: np.asarray(x) for name, x in half.values.items()}
    loaded = {n: np.frombuffer(b, like[n].dtype).reshape(like[n].shape) for n, b in saved.items()}
    anew = descent_step(lambda p, t: coupled(p), FIRST, rule, backend=backend)
    rest = anew.program.run(loaded, steps=13)
    for name, value in whole.values.items():
        np.testing.assert_array_equal(rest.values[name], value)
    np.testing.assert_array_equal(
        np.append(half.collected["loss"], rest.collected["loss"]), whole.collected["loss"]
    )


# --- one rule within another ----------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [SGD(), Adam(), Nesterov(), Lookahead(Nadam(), k=2)], ids=repr)
@pytest.mark.parametrize(
    "around",
    [
        lambda r: Lookahead(r, alpha=1.0, use="fast"),
        lambda r: Clip(r, value=1e12, norm=1e12, global_norm=1e12),
        lambda r: AGC(r, clip=1e12),
        lambda r: WeightDecay(r, weight_decay=0.0),
        lambda r: WeightDecay(r, weight_decay=0.0, kind="l2"),
        lambda r: Accumulate(r, k=1),
        lambda r: EMA(r, beta=0.0),
        lambda r: SWA(r, begin=10_000),
        lambda r: SkipNonFinite(r),
        lambda r: Mask(r),
        lambda r: Partition({"*": r}),
        lambda r: LayerRates(r, {"*": 1.0}),
        lambda r: LayerwiseDecay(r, gamma=1.0),
        lambda r: Plateau(r),
    ],
)  # fmt: skip
def test_with_numbers_that_switch_it_off_a_wrapper_is_its_inner(inner, around):
    pushes = GRADIENTS[:110]  # with a burst
    expected = path(inner, pushes, START, slope=harness.slope, evaluated=True)
    found = path(around(inner), pushes, START, slope=harness.slope, evaluated=True)
    assert_close(found, expected, rtol=1e-14)


@pytest.mark.parametrize("inner", [SGD(), Adam(), Nesterov()], ids=repr)
def test_sam_that_goes_nowhere_is_its_inner(inner):
    assert_close(through_events(SAM(inner, rho=0.0), 0.001), through_events(inner, 0.001), rtol=1e-14)


@given(beta=st.floats(0.0, 0.99), lr=st.floats(1e-4, 1e-1))
@settings(max_examples=20, deadline=None)
def test_adam_of_a_huge_eps_is_momentum_with_debiased_mean(beta, lr):
    # ε so large that the root does not matter: α = ε·lr and m̂ = m/(1 − βᵗ) remain.
    eps = 1e18
    found = path(Adam(lr=lr * eps, beta1=beta, eps=eps), GRADIENTS[:40], START, slope=harness.slope)
    debiased = [lr / (1 - beta**t) for t in range(1, 41)]
    average = Momentum.like("ema", mu=beta)
    expected = path(average, GRADIENTS[:40], START, debiased, slope=harness.slope)
    assert_close(found, expected, rtol=1e-10)


# --- scales and permutations ----------------------------------------------------------------------------


@given(scale=st.sampled_from([1e-6, 1e-3, 0.1, 10.0, 1e4]))
@settings(max_examples=5, deadline=None)
@pytest.mark.parametrize(
    "rule",
    [
        Adam(eps=0.0),
        Nadam(eps=0.0),
        RMSprop(eps=0.0),
        optim.Adagrad(eps=0.0),
        optim.AdaMax(),
        Lookahead(Adam(eps=0.0)),
        Cautious(Adam(eps=0.0)),
        RAdam(eps=0.0, step_before=False),
    ],
    ids=repr,
)
def test_rules_that_divide_by_the_gradient_s_size_do_not_see_its_scale(rule, scale):
    pushes = np.random.default_rng(0).normal(size=(60, 4)) + 0.2
    start = np.array([1.0, -2.0, 0.0, 3.0])
    assert_close(path(rule, scale * pushes, start), path(rule, pushes, start), rtol=1e-9)


@given(order=st.permutations(range(5)))
@settings(max_examples=5, deadline=None)
@pytest.mark.parametrize(
    "rule",
    [
        *PLAIN,
        Clip(Adam(), value=0.5),
        Clip(Lookahead(RAdam()), global_norm=1.0),
        WeightDecay(Cautious(Adam())),
        SkipNonFinite(EMA(Accumulate(Nesterov(), k=2))),
    ],
    ids=repr,
)
def test_elements_in_another_order_take_the_same_steps(rule, order):
    order = list(order)
    plain = path(rule, GRADIENTS[:30], START, slope=harness.slope)
    other = path(rule, GRADIENTS[:30, order], START[order], slope=harness.slope)
    assert_close(other, plain[:, order], rtol=1e-13)


def test_a_step_does_not_depend_on_the_order_of_parameters():
    rule = Clip(Partition({"*b": SGD(lr=0.1), "*": Adam(lr=0.1)}), global_norm=1.0)
    g = {"0.w": START, "0.b": START[:2]}
    steps = [Step(rule, dict(items)) for items in (g.items(), reversed(list(g.items())))]
    for step in steps:
        step(g)
    for name in g:
        np.testing.assert_allclose(steps[0].parameters[name], steps[1].parameters[name], rtol=1e-15)


def test_skipping_and_averages_are_what_a_training_returns():
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    given = {"epochs": 3, "batch_size": 16, "progress": False, "dtype": "float64"}
    plain = sp.train(net, data.iris(), optimizer=SGD(lr=0.5), **given)
    mean = sp.train(net, data.iris(), optimizer=SkipNonFinite(EMA(SGD(lr=0.5), beta=0.9)), **given)
    np.testing.assert_allclose(mean.batch_loss, plain.batch_loss, rtol=1e-13)
    assert all(not np.allclose(mean.parameters[n], w) for n, w in plain.parameters.items())
