"""Wrappers against oracles that are plain loops over lists of numbers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from optim import harness
from optim.events import GRADIENTS, START, lrs
from optim.harness import Step, assert_close, path
from optim.plain import PlainAdam, PlainMomentum, PlainSGD, follow

import spusk as sp
from spusk import data, nn, optim
from spusk.errors import InputError
from spusk.graph import as_tensor, evaluate, scalar
from spusk.optim import (
    AGC,
    EMA,
    SAM,
    SGD,
    SWA,
    Accumulate,
    Adam,
    Cautious,
    Clip,
    CyclicalLR,
    LayerRates,
    LayerwiseDecay,
    Mask,
    Momentum,
    Nadam,
    Nesterov,
    Optimizer,
    Partition,
    Plateau,
    SkipNonFinite,
    WeightDecay,
)
from spusk.optim.complete import require_complete
from spusk.optim.wrappers.wrapper import Wrapper

N = len(START)


def length(xs):
    return math.sqrt(math.fsum(x * x for x in xs))


# --- gradients that are changed -------------------------------------------------------------------------


def clipping(inner, value=None, norm=None, eps=0.0):
    def step(w, g, lr, t):
        if value is not None:
            g = [min(value, max(-value, x)) for x in g]
        if norm is not None and length(g) + eps > norm:
            shrunk = norm / (length(g) + eps)
            g = [x * shrunk for x in g]
        return inner.step(w, g, lr)

    return step


def adaptive(inner, clip=0.01, eps=1e-3):
    def step(w, g, lr, t):
        bound = clip * max(length(w), eps)
        if length(g) > bound:
            g = [x * (bound / length(g)) for x in g]
        return inner.step(w, g, lr)

    return step


def penalised(inner, decay):
    return lambda w, g, lr, t: inner.step(w, [x + decay * y for x, y in zip(g, w, strict=True)], lr)


def decayed(inner, decay, eta=1.0, by_lr=False):
    def step(w, g, lr, t):
        share = eta * decay * (lr if by_lr else 1.0)
        return [x - share * y for x, y in zip(inner.step(w, g, lr), w, strict=True)]

    return step


def accumulated(inner, k):
    total = [0.0] * N

    def step(w, g, lr, t):
        for i, x in enumerate(g):
            total[i] += x
        if t % k:
            return w
        mean = [x / k for x in total]
        total[:] = [0.0] * N
        return inner.step(w, mean, lr)

    return step


def cautious(inner, xi=1.0, floor=0.0):
    def step(w, g, lr, t):
        new = inner.step(w, g, lr)
        moves = [(x - y) * slope > 0 for x, y, slope in zip(w, new, g, strict=True)]
        scale = N / (max(sum(moves), floor * N) + xi) if any(moves) or xi or floor else 0.0
        return [x - scale * (x - y) if move else x for x, y, move in zip(w, new, moves, strict=True)]

    return step


@pytest.mark.parametrize(
    ("rule", "oracle", "lr"),
    [
        (Clip(Adam(), value=0.7), lambda: clipping(PlainAdam(N), value=0.7), 0.001),
        (Clip(Momentum(), norm=1.5), lambda: clipping(PlainMomentum(N), norm=1.5), 0.01),
        (Clip(Adam(), global_norm=1.5), lambda: clipping(PlainAdam(N), norm=1.5), 0.001),
        (Clip(SGD(), value=0.9, norm=1.2), lambda: clipping(PlainSGD(N), value=0.9, norm=1.2), 0.01),
        (
            Clip.like("torch", inner=SGD(), global_norm=1.2),
            lambda: clipping(PlainSGD(N), norm=1.2, eps=1e-6),
            0.01,
        ),
        (AGC(Adam()), lambda: adaptive(PlainAdam(N)), 0.001),
        (AGC(Momentum(), clip=0.2, eps=2.0), lambda: adaptive(PlainMomentum(N), 0.2, 2.0), 0.01),
        (WeightDecay(Adam()), lambda: decayed(PlainAdam(N), 1e-4), 0.001),
        (
            WeightDecay(Momentum(), weight_decay=0.01, eta=0.3),
            lambda: decayed(PlainMomentum(N), 0.01, 0.3),
            0.01,
        ),
        (WeightDecay.like("torch"), lambda: decayed(PlainAdam(N), 0.01, by_lr=True), 0.001),
        (
            WeightDecay.like("torch", inner=Momentum(), eta=0.3),
            lambda: decayed(PlainMomentum(N), 0.01, 0.3, by_lr=True),
            0.01,
        ),
        (WeightDecay(Adam(), weight_decay=0.1, kind="l2"), lambda: penalised(PlainAdam(N), 0.1), 0.001),
        # optax.adamw decays by 1e-4·lr, keras.optimizers.AdamW by 0.004·lr.
        (WeightDecay.like("optax"), lambda: decayed(PlainAdam(N), 1e-4, by_lr=True), 0.001),
        (WeightDecay.like("keras"), lambda: decayed(PlainAdam(N), 0.004, by_lr=True), 0.001),
        (Accumulate(Adam()), lambda: accumulated(PlainAdam(N), 4), 0.001),
        (Accumulate(Adam(), k=4), lambda: accumulated(PlainAdam(N), 4), 0.001),
        (Accumulate(Momentum(), k=7), lambda: accumulated(PlainMomentum(N), 7), 0.01),
        (Accumulate(SGD(), k=1), lambda: accumulated(PlainSGD(N), 1), 0.01),
        (Cautious(Adam()), lambda: cautious(PlainAdam(N)), 0.001),
        (Cautious.like("authors", inner=Momentum()), lambda: cautious(PlainMomentum(N), 0.0, 1e-3), 0.01),
        (Cautious.like("timm", inner=Momentum()), lambda: cautious(PlainMomentum(N), 0.0, 1e-3), 0.01),
        (Cautious(Momentum(), xi=0.5, floor=0.5), lambda: cautious(PlainMomentum(N), 0.5, 0.5), 0.01),
        (Cautious(Momentum(), xi=0.0), lambda: cautious(PlainMomentum(N), 0.0), 0.01),
    ],
    ids=lambda x: repr(x) if isinstance(x, optim.Optimizer) else "",
)
def test_it_is_its_formula_over_a_thousand_eventful_steps(rule, oracle, lr):
    found = path(rule, GRADIENTS, START, lrs(lr), slope=harness.slope)
    assert_close(found, np.array(follow(oracle(), lr)))


def test_norms_of_each_parameter_and_of_all_together():
    w = {"a": np.zeros(2), "b": np.zeros((2, 2))}
    g = {"a": np.array([3.0, 4.0]), "b": np.array([[1.0, 2.0], [2.0, 4.0]])}  # of norms 5 and 5
    for rule, a in [(Clip(SGD(lr=1.0), norm=1.0), 0.2), (Clip(SGD(lr=1.0), global_norm=5.0), math.sqrt(0.5))]:
        step = Step(rule, w)
        step(g)
        for name in w:
            np.testing.assert_allclose(step.parameters[name], -a * g[name], rtol=1e-14)


def test_adaptive_clipping_goes_by_the_weights_of_one_output():
    w = {
        "kernel": np.full((2, 2, 1, 2), 0.5),
        "weight": np.array([[3.0, 0.0], [4.0, 0.1]]),
        "bias": np.ones(2),
    }
    w["kernel"][..., 1] = 5.0
    step = Step(AGC(SGD(lr=1.0), clip=0.1), w)
    g = {name: np.ones_like(x) for name, x in w.items()}
    step(g)
    moved = {name: w[name] - step.parameters[name] for name in w}
    np.testing.assert_allclose(moved["kernel"][0, 0, 0], [0.1 * 1 / 2, 0.1 * 10 / 2])
    np.testing.assert_allclose(moved["weight"][0], [0.1 * 5 / math.sqrt(2), 0.1 * 0.1 / math.sqrt(2)])
    np.testing.assert_allclose(moved["bias"], 0.1)


@pytest.mark.parametrize("out_first", [False, True])
def test_adaptive_clipping_in_either_order_of_axes(out_first):
    random = np.random.default_rng(5)
    shapes = {"kernel": (2, 3, 4, 5), "weight": (4, 5), "bias": (5,)}
    w, g = ({name: random.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))
    w["bias"][0] = 10.0
    expected = {name: np.empty_like(x) for name, x in w.items()}
    for name in w:
        units = (
            [()] if name == "bias" else [(..., o) for o in range(5)]
        )  # all weights of an output; all of a bias
        for unit in units:
            bound = 0.1 * max(np.linalg.norm(w[name][unit]), 1e-3)
            size = np.linalg.norm(g[name][unit])
            expected[name][unit] = w[name][unit] - g[name][unit] * min(1.0, bound / size)

    def laid_out(tensors):
        order = {"kernel": (3, 2, 0, 1), "weight": (1, 0), "bias": (0,)}
        return {n: np.transpose(x, order[n]) for n, x in tensors.items()} if out_first else tensors

    step = Step(AGC(SGD(lr=1.0), clip=0.1, out_first=out_first), laid_out(w))
    step(laid_out(g))
    for name, x in laid_out(expected).items():
        np.testing.assert_allclose(step.parameters[name], x, rtol=1e-13)


@pytest.mark.parametrize(
    "inner",
    [optim.SophiaH(), optim.SophiaH(gamma=1.0, clip=1e6), optim.AdaHessian(), Adam()],
    ids=repr,
)
def test_equal_batches_are_one_with_their_curvature(inner):
    parts, whole = (Step(rule, PARAMETERS, harness.slope) for rule in (Accumulate(inner, k=3), inner))
    for g in GRADIENTS[:9]:
        given = {"0.weight": g.reshape(5, 1), "0.bias": g[:2], "2.weight": g[1:4], "2.bias": g[:1]}
        for _ in range(3):
            parts(given)
        whole(given)
    for name, x in whole.parameters.items():
        np.testing.assert_allclose(parts.parameters[name], x, rtol=1e-12)


def test_batches_are_added_up_beside_a_rule_that_asks_for_curvature():
    rule = Partition({"0.*": optim.AdaHessian(), "*": Accumulate(SGD(), k=2)})
    found, expected = both(rule, Partition({"0.*": SGD(), "*": Accumulate(SGD(), k=2)}), steps=4)
    for name in ("2.weight", "2.bias"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("library", ["authors", "timm"])
@pytest.mark.parametrize(("size", "scale"), [(500, 500.0), (4000, 1000.0)])
def test_a_single_element_that_moves_is_scaled_by_a_thousand_at_most(library, size, scale):
    # mask.mean().clamp_(min=1e-3), as the authors and timm have it
    g = np.zeros(size)
    g[3] = 1.0
    step = Step(Cautious.like(library, inner=SGD(lr=1e-3)), {"w": np.zeros(size)})
    step({"w": g})
    np.testing.assert_allclose(step.parameters["w"], -1e-3 * scale * g, rtol=1e-12)


def test_l2_is_the_gradient_of_the_penalty_where_the_gradient_is_taken():
    # Nesterov looks ahead; its penalty must, too: descent on L + λ/2·w² by hand.
    points, w, v = [1.0], 1.0, 0.0
    for _ in range(20):
        at = w + 0.9 * v
        v = 0.9 * v - 0.1 * (math.tanh(at) + 0.3 * at + 0.5 * at)
        w = w + v
        points.append(w)
    rule = WeightDecay(Nesterov(lr=0.1), weight_decay=0.5, kind="l2")
    np.testing.assert_allclose(path(rule, np.zeros(20), 1.0, slope=harness.slope), points, rtol=1e-13)


def test_what_decays_is_chosen_by_name_and_by_the_rate_of_its_own():
    rule = Partition({"*bias": SGD(lr=0.5), "*": SGD(lr=0.25)})
    rule = WeightDecay(rule, weight_decay=0.1, decay_by_lr=True, only=("*weight", "2.*"))
    w = {name: np.ones(1) for name in ("0.weight", "0.bias", "2.bias")}
    step = Step(rule, w)
    step({name: np.zeros(1) for name in w})
    found = {name: x.item() for name, x in step.parameters.items()}
    assert found == {"0.weight": 1 - 0.025, "0.bias": 1.0, "2.bias": 1 - 0.05}


# --- averages -------------------------------------------------------------------------------------------


def ema(columns, beta, begin, warm_up=False):
    """The averages of points, a plain loop over each column."""
    shown = []
    for points in np.array(columns).T.tolist():
        mean = 0.0 if begin == "debiased" else points[0]
        averages = [points[0]]
        for t, w in enumerate(points[1:], start=1):
            b = min(beta, (1 + t) / (10 + t)) if warm_up else beta
            mean = w if begin == "first" and t == 1 else b * mean + (1 - b) * w
            averages.append(mean / (1 - beta**t) if begin == "debiased" else mean)
        shown.append(averages)
    return np.array(shown).T


@pytest.mark.parametrize("begin", ["initial", "first", "debiased"])
@pytest.mark.parametrize("warm_up", [False, True])
def test_ema_averages_the_points_of_its_inner(begin, warm_up):
    if warm_up and begin == "debiased":
        with pytest.raises(InputError, match="warm_up"):
            EMA(Adam(), begin=begin, warm_up=True)
        return
    rule = EMA(Adam(), beta=0.98, begin=begin, warm_up=warm_up)
    plain = follow(clipping(PlainAdam(N)), 0.001)
    given = {"slope": harness.slope, "lrs": lrs(0.001)}
    assert_close(path(rule, GRADIENTS, START, **given), np.array(plain))
    assert_close(path(rule, GRADIENTS, START, evaluated=True, **given), ema(plain, 0.98, begin, warm_up))


@pytest.mark.parametrize(
    ("rule", "beta", "begin"),
    [
        (EMA(), 0.999, "initial"),
        (EMA.like("torch"), 0.999, "first"),  # swa_utils.get_ema_multi_avg_fn
        (EMA.like("keras"), 0.99, "first"),  # Optimizer(use_ema=True)
        (EMA.like("timm"), 0.9999, "initial"),  # ModelEmaV3
        (EMA.like("optax"), 0.999, "debiased"),  # optax.ema
    ],
    ids=repr,
)
def test_ema_s_numbers_are_those_of_each_library(rule, beta, begin):
    given = {"slope": harness.slope, "lrs": lrs(0.001)[:200]}
    plain = path(rule, GRADIENTS[:200], START, **given)
    assert_close(path(rule, GRADIENTS[:200], START, evaluated=True, **given), ema(plain, beta, begin))


def test_swa_begins_after_a_thousand_steps_and_takes_every_hundredth():
    step = Step(SWA(SGD(lr=1.0)), {"w": np.zeros(1)})
    shown = {}
    for t in range(1, 1211):
        step({"w": -np.ones(1)})  # so that w = t
        if t in (999, 1000, 1099, 1100, 1199, 1200):
            shown[t] = step.evaluated["w"].item()
    assert shown == {999: 999, 1000: 1000, 1099: 1000, 1100: 1050, 1199: 1050, 1200: 1100}


@pytest.mark.parametrize(("begin", "every"), [(0, 1), (10, 1), (100, 7), (1, 50)])
def test_swa_averages_the_points_of_its_inner_at_the_steps_it_is_told(begin, every):
    rule = SWA(Momentum(), begin=begin, every=every)
    plain = follow(clipping(PlainMomentum(N)), 0.01)
    expected, taken = [], []
    for t, w in enumerate(plain):
        if t <= begin:
            taken = [w]
        elif (t - begin) % every == 0:
            taken.append(w)
        expected.append([math.fsum(x) / len(taken) for x in zip(*taken, strict=True)])
    found = path(rule, GRADIENTS, START, slope=harness.slope, lrs=lrs(0.01), evaluated=True)
    assert_close(found, np.array(expected))


# --- steps that are skipped -----------------------------------------------------------------------------


def test_what_is_not_finite_changes_nothing_and_is_counted():
    gradients = GRADIENTS.copy()
    bad = np.random.default_rng(0).random(len(gradients)) < 0.1
    bad[0] = True
    gradients[bad, np.arange(bad.sum()) % N] = np.resize([np.nan, np.inf, -np.inf], bad.sum())
    for inner in (Adam(), Nadam(), optim.Lookahead(Nesterov(lr=0.001), k=3)):
        found = path(SkipNonFinite(inner), gradients, START, lrs(0.001), slope=harness.slope)
        kept = np.concatenate([[True], ~bad])
        expected = path(inner, gradients[~bad], START, lrs(0.001)[~bad], slope=harness.slope)
        np.testing.assert_array_equal(found[kept], expected)
        np.testing.assert_array_equal(found[1:][bad], found[:-1][bad])
    step = Step(SkipNonFinite(Adam()), {"w": START})
    for g in gradients[:50]:
        step({"w": g})
    assert step.state["skipped"] == bad[:50].sum()


def test_what_is_not_finite_anywhere_is_skipped_and_the_step_number_goes_on_without_it():
    step = Step(SkipNonFinite(harness.Counting()), {"a": np.zeros(1), "b": np.zeros(2)})
    found = []
    for bad in (False, False, True, False, True):
        step({"a": np.ones(1), "b": np.array([1.0, np.inf if bad else 1.0])})
        found.append(step.parameters["a"].item())
    assert found == [1.0, 3.0, 3.0, 6.0, 6.0]


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("where", ["loss", "curvature", "nowhere"])
def test_a_loss_or_a_curvature_that_is_not_finite_skips_the_step_whatever_its_gradient(where, bad):
    rule, w = SkipNonFinite(SGD(lr=1.0)), {"w": as_tensor(np.array([1.0, 2.0]))}
    loss = bad if where == "loss" else 0.5
    curvature = {"w": as_tensor(np.array([1.0, bad if where == "curvature" else 1.0]))}
    told = optim.Gradients({"w": as_tensor(np.ones(2))}, as_tensor(np.array(loss)), curvature)
    new, _ = rule.update_all(w, told, rule.start_all(w), scalar(1.0))
    assert evaluate([new["w"]], {})[0].tolist() == ([0.0, 1.0] if where == "nowhere" else [1.0, 2.0])


def test_a_limit_of_no_skipped_steps_lets_finite_ones_pass():
    rule = SkipNonFinite(SGD(lr=0.1), limit=0)
    run = sp.train(nn.Sequential(nn.Linear(4, 3)), data.iris(), optimizer=rule, epochs=1)
    assert run.status == "finished"


# --- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "needs"),
    [
        (WeightDecay(), False),
        (WeightDecay(only="*.weight"), True),
        (WeightDecay(only=("*",)), True),
        (WeightDecay(optim.Muon()), optim.Muon().needs_names),
        (WeightDecay(Mask(only="*.weight")), True),
        (Mask(), False),
        (Mask(but="2.*"), True),
        (Mask(WeightDecay(only="*.weight")), True),
        (Partition({"*": Adam()}), False),
        (Partition({"*": WeightDecay(only="*.weight")}), True),
        (Partition({"a": Adam(), "*": Adam()}), True),
        (Clip(LayerRates(factors={"*": 0.5})), True),
    ],
    ids=repr,
)
def test_what_goes_by_names_says_so(rule, needs):
    assert rule.needs_names is needs


@pytest.mark.parametrize("whole", [["a", "*"], ["a"], ["*"], []])
def test_a_partition_takes_the_whole_batch_if_one_of_its_rules_does(whole):
    rules = {name: optim.GradientDescent() if name in whole else SGD() for name in ("a", "*")}
    assert Partition(rules).full_batch is bool(whole)


@pytest.mark.parametrize("pair", [["a", SGD()], ("a",), ("a", SGD(), SGD()), (1, SGD()), "ab"])
def test_a_partition_is_made_of_pairs(pair):
    with pytest.raises(InputError, match=r"^Partition got .* it needs pairs \(pattern, optimizer\)$"):
        Partition((pair, ("*", SGD())))


PARAMETERS = {
    "0.weight": START.reshape(5, 1),
    "0.bias": START[:2],
    "2.weight": START[1:4],
    "2.bias": START[:1],
}


def both(rule, other, steps=40):
    """The parameters of two rules side by side, after the same gradients."""
    runs = [Step(r, PARAMETERS, harness.slope) for r in (rule, other)]
    for g in GRADIENTS[:steps]:
        for run in runs:
            run({"0.weight": g.reshape(5, 1), "0.bias": g[:2], "2.weight": g[1:4], "2.bias": g[:1]})
    return [run.parameters for run in runs]


def test_a_mask_leaves_alone_what_it_does_not_fit():
    rule = Mask(Momentum(), only=("*.weight", "2.*"), but="2.bias")
    masked, plain = both(rule, Momentum())
    for name in PARAMETERS:
        is_trained = name.endswith("weight")
        np.testing.assert_array_equal(masked[name], plain[name] if is_trained else PARAMETERS[name])
    assert all("bias" not in slot for slot in Step(rule, PARAMETERS).state)


@pytest.mark.parametrize(
    "inner", [Adam(), Momentum(), Nesterov(), optim.Lookahead(Nesterov(), k=3)], ids=repr
)
def test_rates_by_layer_are_those_of_separate_rules(inner):
    def at(factor):
        return inner.with_lr((inner.inner if hasattr(inner, "inner") else inner).lr * factor)

    separate = Partition({"0.bias": at(0.25), "0.*": at(3.0), "*": at(1.0)})
    for found, expected in zip(
        *(x.values() for x in both(LayerRates(inner, {"0.*": 3.0, "0.bias": 0.25}), separate)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    separate = Partition({"0.*": at(0.5), "*": at(1.0)})
    for found, expected in zip(
        *(x.values() for x in both(LayerwiseDecay(inner, gamma=0.5), separate)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_rates_by_layer_leave_a_global_norm_global():
    rule = LayerRates(Clip(SGD(lr=1.0), global_norm=1.0), {"0.*": 0.5})
    step = Step(rule, PARAMETERS)
    g = {name: np.ones_like(w) for name, w in PARAMETERS.items()}
    step(g)
    norm = math.sqrt(sum(x.size for x in g.values()))
    for name, w in PARAMETERS.items():
        np.testing.assert_allclose(w - step.parameters[name], (0.5 if name[0] == "0" else 1.0) / norm)


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (
            lambda decay: decay(Accumulate(Momentum(), k=3)),
            lambda decay: Accumulate(decay(Momentum()), k=3),
        ),
        (
            lambda decay: decay(Clip(Accumulate(Adam(), k=2), norm=0.5)),
            lambda decay: Clip(Accumulate(decay(Adam()), k=2), norm=0.5),
        ),
        (
            lambda decay: decay(Partition({"0.*": Accumulate(SGD(), k=4), "*": Adam()})),
            lambda decay: Partition({"0.*": Accumulate(decay(SGD()), k=4), "*": decay(Adam())}),
        ),
        (
            lambda decay: decay(LayerRates(SkipNonFinite(Accumulate(SGD(), k=2)), {"0.*": 0.5})),
            lambda decay: LayerRates(SkipNonFinite(Accumulate(decay(SGD()), k=2)), {"0.*": 0.5}),
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_lr", [False, True])
def test_weights_do_not_decay_while_the_inner_optimizer_stands_still(outside, inside, by_lr):
    def decay(rule):
        return WeightDecay(rule, weight_decay=0.1, decay_by_lr=by_lr)

    for found, expected in zip(
        *(x.values() for x in both(outside(decay), inside(decay), steps=23)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    step = Step(outside(decay), PARAMETERS)
    g = {name: np.ones_like(w) for name, w in PARAMETERS.items()}
    step(g)  # the first of several, so that nothing moves yet
    np.testing.assert_array_equal(step.parameters["0.weight"], PARAMETERS["0.weight"])


AROUND = [
    Cautious, EMA, lambda inner: optim.Lookahead(inner, k=3), lambda inner: SWA(inner, begin=2, every=2), SAM,
    lambda inner: WeightDecay(inner, kind="l2"), lambda inner: AGC(inner, clip=0.1), Plateau,
    lambda inner: CyclicalLR(inner, half_cycle=4.0), lambda inner: Mask(inner, but="0.bias"),
    lambda inner: LayerRates(inner, {"0.*": 0.5}), lambda inner: Clip(inner, global_norm=1.0),
]  # fmt: skip


@pytest.mark.parametrize("pausing", [lambda inner: Accumulate(inner, k=1), SkipNonFinite])
@pytest.mark.parametrize("around", AROUND)
def test_decay_stays_outside_of_wrappers_around_one_that_pauses_but_never_does(around, pausing):
    """What they see of the step, average or mask is the step without decay, as where nothing can pause."""
    runs = [
        Step(WeightDecay(around(inner), weight_decay=0.1), PARAMETERS, harness.slope)
        for inner in (pausing(Momentum()), Momentum())
    ]
    for g in GRADIENTS[:10]:
        for run in runs:
            run({"0.weight": g.reshape(5, 1), "0.bias": g[:2], "2.weight": g[1:4], "2.bias": g[:1]})
    for name in PARAMETERS:
        np.testing.assert_allclose(runs[0].parameters[name], runs[1].parameters[name], rtol=1e-13)
        np.testing.assert_allclose(runs[0].evaluated[name], runs[1].evaluated[name], rtol=1e-13)


@dataclasses.dataclass(frozen=True)
class DecayEvery(Wrapper):
    """Weights decay after every k-th step, whatever the inner optimizer does."""

    k: int = 3

    def update_all(self, parameters, gradients, state, t):
        new, after = self.inner.update_all(parameters, gradients, state, t)
        is_time = t % self.k == 0
        return {n: w - sp.numpy.where(is_time, 0.1 * parameters[n], 0) for n, w in new.items()}, after


@pytest.mark.parametrize(
    "around",
    [
        *(a for a in AROUND if "0.bias" not in repr(a(Momentum()))),
        Mask,
        lambda inner: Partition({"*": inner}),
    ],
)
def test_what_lies_around_a_wrapper_that_pauses_decays_when_it_moves(around):
    inner = around(Accumulate(Momentum(), k=3))
    found, expected = both(WeightDecay(inner, weight_decay=0.1), DecayEvery(inner))
    for name in PARAMETERS:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-13)


def test_weights_do_not_decay_in_steps_that_are_skipped():
    step = Step(WeightDecay(SkipNonFinite(SGD()), weight_decay=0.5), PARAMETERS)
    step({name: np.full_like(w, np.inf) for name, w in PARAMETERS.items()})
    for name, w in PARAMETERS.items():
        np.testing.assert_array_equal(step.parameters[name], w)


def test_of_two_wrappers_that_pause_both_must_let_the_weights_decay():
    def sizes(inner, batches=(0.0, 0.0, 0.0, np.inf, 0.0, 0.0)):
        step = Step(WeightDecay(inner, weight_decay=0.5), PARAMETERS)
        for x in batches:
            step({name: np.full_like(w, x) for name, w in PARAMETERS.items()})
            yield step.parameters["2.bias"].item() / START[0]

    # A mean of two that is not finite is skipped; a skipped batch is none of the two.
    assert [*sizes(Accumulate(SkipNonFinite(SGD()), k=2))] == [1.0, 0.5, 0.5, 0.5, 0.5, 0.25]
    assert [*sizes(Accumulate(Accumulate(SGD(), k=2), k=2), [0.0] * 5)] == [1.0, 1.0, 1.0, 0.5, 0.5]
    assert [*sizes(SkipNonFinite(Accumulate(SGD(), k=2)))] == [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_decay_by_the_rate_is_by_each_parameter_s_own_in_a_rule_with_two():
    rule = optim.Muon(lr=0.02, lr_ratio=0.5)
    plain, decayed = both(rule, WeightDecay(rule, weight_decay=0.1, decay_by_lr=True), steps=1)
    shares = {"0.weight": 0.002, "0.bias": 0.001, "2.weight": 0.001, "2.bias": 0.001}  # of matrix and rest
    for name, w in PARAMETERS.items():
        np.testing.assert_allclose(decayed[name], plain[name] - shares[name] * w, rtol=1e-12)


JOINT = [
    optim.DoG(), optim.DoWG(), optim.Prodigy(), optim.DAdaptAdam(), optim.DAdaptSGD(), optim.LAMB(clip=0.5),
    optim.Muon(), optim.LARS(), optim.AdaHessian(), optim.ScheduleFreeAdamW(), optim.Shampoo(),
]  # fmt: skip


@pytest.mark.parametrize("rule", JOINT, ids=lambda rule: rule.label)
def test_rates_by_layer_leave_what_a_rule_computes_of_all_parameters_to_all_of_them(rule):
    each = LayerRates(rule, dict.fromkeys(PARAMETERS, 1.0))
    for found, expected in zip(*(x.values() for x in both(each, rule)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "rule",
    [optim.DoG(), optim.Prodigy(weight_decay=0.1), optim.DAdaptAdam(), optim.LAMB(clip=0.5), optim.Muon()],
    ids=lambda rule: rule.label,
)
def test_rates_by_layer_scale_the_first_step_of_a_rule_that_looks_at_all_parameters(rule):
    factors = {"0.*": 0.25, "2.bias": 3.0}
    plain, scaled = both(rule, LayerRates(rule, factors), steps=1)
    for name, factor in zip(PARAMETERS, (0.25, 0.25, 1.0, 3.0), strict=True):
        np.testing.assert_allclose(
            scaled[name] - PARAMETERS[name], factor * (plain[name] - PARAMETERS[name]), rtol=1e-9
        )


def test_rates_by_layer_multiply_when_nested():
    inside = LayerRates(LayerwiseDecay(Adam(), gamma=0.5), {"0.bias": 3.0})
    separate = Partition({"0.bias": Adam(lr=0.0015), "0.*": Adam(lr=0.0005), "*": Adam(lr=0.001)})
    for found, expected in zip(*(x.values() for x in both(inside, separate)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_a_rule_that_reads_one_rate_for_all_parameters_is_told_how_to_read_each():
    class Whole(Optimizer):
        lr: float = 0.1

        def update_all(self, parameters, gradients, state, t):
            rate = 1 - self.lr
            return {name: w - rate * gradients[name] for name, w in parameters.items()}, dict(state)

    rule = LayerRates(dataclasses.dataclass(frozen=True)(Whole)(), {"0.*": 0.5})
    with pytest.raises(InputError, match=r"must read self\.for_parameter\(name\)\.lr"):
        Step(rule, PARAMETERS)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Clip(value=-1.0), r"Clip\(value=-1.0\): value must be greater than 0"),
        (lambda: Clip(norm=0.0), "norm must be greater than 0"),
        (lambda: AGC(clip=0.0), "clip must be greater than 0"),
        (lambda: WeightDecay(kind="l1"), "kind must be 'decoupled' or 'l2'"),
        (lambda: WeightDecay(kind="l2", eta=0.5), "takes no eta or decay_by_lr"),
        (lambda: WeightDecay(only=3), "only must be a parameter's name or a glob, or a tuple of them"),
        (lambda: Accumulate(k=0), r"Accumulate\(k=0\): k must be a whole number, 1 or greater"),
        (lambda: EMA(beta=1.0), "beta must be at least 0 and below 1"),
        (lambda: EMA(begin="late"), "begin must be 'initial', 'first' or 'debiased'"),
        (lambda: SWA(every=0), "every must be a whole number, 1 or greater"),
        (lambda: Cautious(floor=2.0), "floor must be at least 0 and at most 1"),
        (lambda: optim.SAM(rho=-1.0), "rho must be 0 or greater"),
        (lambda: Partition({}), "has no rules"),
        (lambda: Partition({"*": "adam"}), r"Partition got 'adam' for '\*'; it must be an optimizer"),
        (lambda: Partition((("*", SGD()), ("*", Adam()))), "one pattern twice"),
        (lambda: Partition({"0.*": SGD()}).rule_of("2.bias"), "no rule for parameter '2.bias'; its patterns are '0"),
        (lambda: Step(Partition({"1.*": SGD(), "*": Adam()}), PARAMETERS), r"pattern '1.\*' that fits no parameter"),
        (lambda: Step(Mask(but="3.bias"), PARAMETERS), "pattern '3.bias' that fits no parameter"),
        (lambda: Step(Mask(but="*"), PARAMETERS), "leaves no parameter to train"),
        (lambda: Step(LayerRates(factors={"1.*": 0.1}), PARAMETERS), r"pattern '1.\*' that fits no parameter"),
        (lambda: LayerRates(factors={"*": -0.1}), "must be 0 or greater"),
        (lambda: Plateau(factor=2.0), "factor must be greater than 0 and at most 1"),
        (lambda: Plateau(mode="most"), "mode must be 'min' or 'max'"),
        (lambda: optim.CyclicalLR(Plateau(SGD())), r"write Plateau\(CyclicalLR\(…\)\)"),
        (lambda: optim.SophiaH(k=0), "k must be a whole number, 1 or greater"),
    ],
)  # fmt: skip
def test_bad_arguments_are_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_clip_without_a_limit_is_not_trained():
    rule = optim.Lookahead(optim.Partition({"*": optim.Clip(optim.Adam())}))
    with pytest.raises(InputError, match=r"^Clip got no limit; give value, norm or global_norm$"):
        sp.minimize(lambda x: x * x, 1.0, rule)
    with pytest.raises(InputError, match="Clip got no limit"):
        require_complete(optim.Clip.like("torch"))


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: AGC(inner, clip=1e9),
        lambda inner: Clip(inner, value=1e9),
        lambda inner: optim.CyclicalLR(inner, lr=1.0, base_ratio=1.0),
        EMA,
        lambda inner: LayerRates(inner, {"*": 1.0}),
        lambda inner: optim.Lookahead(inner, alpha=1.0),
        Mask,
        lambda inner: Partition({"*": inner}),
        Plateau,
        lambda inner: SAM(inner, rho=0.0),
        SkipNonFinite,
        SWA,
        lambda inner: WeightDecay(inner, weight_decay=0.0),
        lambda inner: WeightDecay(inner, weight_decay=0.0, kind="l2"),
    ],
    ids=lambda around: repr(around(SGD())),
)
def test_the_inner_rule_asks_for_gradients_with_the_number_of_the_step(around):
    step = Step(around(harness.Counting()), {"w": np.zeros(1)})
    found = []
    for _ in range(4):
        step({"w": np.ones(1)})
        found.append(step.parameters["w"].item())
    assert found == [1, 1 + 2, 1 + 2 + 3, 1 + 2 + 3 + 4]


def test_the_inner_rule_asks_for_gradients_with_the_number_of_its_own_step():
    step = Step(Accumulate(harness.Counting(), k=2), {"w": np.zeros(1)})
    found = []
    for _ in range(6):
        step({"w": np.ones(1)})
        found.append(step.parameters["w"].item())
    assert found == [0, 1, 1, 1 + 2, 1 + 2, 1 + 2 + 3]
