"""Presets and schedules against torch and optax themselves, in float64, over the thousand eventful steps."""

from functools import partial

import numpy as np
import pytest
from optim.events import GRADIENTS, LR_FACTORS, START, lrs
from optim.harness import assert_close, path

from spusk.optim import (
    SGD,
    AdaBelief,
    Adadelta,
    Adagrad,
    Adam,
    AdaMax,
    AMSGrad,
    Cosine,
    CyclicalLR,
    ExponentialDecay,
    ExpRange,
    Lookahead,
    Momentum,
    MultiStep,
    Nadam,
    Nesterov,
    OneCycle,
    Piecewise,
    Polynomial,
    RAdam,
    RMSprop,
    StepDecay,
    Triangular,
    Triangular2,
    WarmRestarts,
    WarmUp,
)

pytestmark = pytest.mark.peers

STEPS = np.arange(1, 301)


# --- torch --------------------------------------------------------------------------------------------


def torch_path(torch, name, arguments, rates=None, schedule=None):
    """The points of a torch optimizer, its rate set before each step or by a torch scheduler after it."""
    w = torch.tensor(START, requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **arguments)
    scheduler = schedule(optimizer) if schedule is not None else None
    points = [w.detach().numpy().copy()]
    for i, g in enumerate(GRADIENTS):
        if rates is not None:
            optimizer.param_groups[0]["lr"] = float(rates[i])
        w.grad = torch.tensor(g)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        points.append(w.detach().numpy().copy())
    return np.stack(points)


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (SGD.like("torch"), "SGD", {}),
        (Momentum.like("torch"), "SGD", {"momentum": 0.9}),
        (Momentum.like("torch", dampening=0.3), "SGD", {"momentum": 0.9, "dampening": 0.3}),
        (Nesterov.like("torch"), "SGD", {"momentum": 0.9, "nesterov": True}),
        (Nesterov.like("torch", mu=0.5), "SGD", {"momentum": 0.5, "nesterov": True}),
        (Adagrad.like("torch"), "Adagrad", {}),
        (
            Adagrad.like("torch", lr_decay=0.01, s0=0.2),
            "Adagrad",
            {"lr_decay": 0.01, "initial_accumulator_value": 0.2},
        ),
        (RMSprop.like("torch"), "RMSprop", {}),
        (RMSprop.like("torch", momentum=0.9), "RMSprop", {"momentum": 0.9}),
        (RMSprop.like("torch", centered=True), "RMSprop", {"centered": True}),
        (RMSprop.like("torch", centered=True, momentum=0.5), "RMSprop", {"centered": True, "momentum": 0.5}),
        (Adadelta.like("torch"), "Adadelta", {}),
        (Adadelta.like("paper"), "Adadelta", {"rho": 0.95}),
        (Adam.like("torch"), "Adam", {}),
        (Adam.like("torch", beta1=0.5, eps=1e-3), "Adam", {"betas": (0.5, 0.999), "eps": 1e-3}),
        (AdaMax.like("torch"), "Adamax", {}),
        (Nadam.like("torch"), "NAdam", {}),
        (Nadam.like("torch", psi=0.05), "NAdam", {"momentum_decay": 0.05}),
        (RAdam.like("torch"), "RAdam", {}),
        (RAdam.like("torch", beta2=0.9, eps=1e-4), "RAdam", {"betas": (0.9, 0.9), "eps": 1e-4}),
        (AMSGrad.like("torch"), "Adam", {"amsgrad": True}),
        (
            AMSGrad.like("torch", beta2=0.9, eps=1e-4),
            "Adam",
            {"amsgrad": True, "betas": (0.9, 0.9), "eps": 1e-4},
        ),
    ],
    ids=repr,
)
def test_the_torch_preset_is_torch(torch, rule, name, arguments):
    default = getattr(torch.optim, name)([torch.zeros(1)], **arguments).param_groups[0]["lr"]
    assert rule.lr == default
    expected = torch_path(torch, name, arguments, rates=lrs(rule.lr))
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), expected)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (AdaBelief.like("timm"), {}),
        (AdaBelief.like("authors", eps=1e-4, eps_root=1e-4), {"eps": 1e-4}),
        (AdaBelief(), {"rectify": False}),
    ],
    ids=repr,
)
def test_the_timm_preset_is_timm(torch, peer, rule, arguments):
    optimizers = peer("timm.optim")
    assert rule.lr == 0.001
    rates = lrs(rule.lr)
    w = torch.tensor(START, requires_grad=True)
    optimizer = optimizers.AdaBelief([w], lr=1e-3, **arguments)
    points = [START]
    for g, rate in zip(GRADIENTS, rates, strict=True):
        optimizer.param_groups[0]["lr"] = float(rate)
        w.grad = torch.tensor(g)
        optimizer.step()
        points.append(w.detach().numpy().copy())
    assert_close(path(rule, GRADIENTS, START, rates), np.stack(points))


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(
    ("inner", "name", "arguments"),
    [(Momentum.like("torch"), "SGD", {"momentum": 0.9}), (Adam.like("torch"), "Adam", {})],
    ids=repr,
)
def test_cyclical_rates_are_torch_s(torch, inner, name, arguments, mode):
    numbers = {"half_cycle": 70, "gamma": 0.995, "mode": mode}
    rule = CyclicalLR.like("torch", inner=inner, lr=0.02, base_ratio=0.1, **numbers)
    cyclic = partial(
        torch.optim.lr_scheduler.CyclicLR, base_lr=0.002, max_lr=0.02, step_size_up=70, mode=mode, gamma=0.995
    )
    assert_close(path(rule, GRADIENTS, START), torch_path(torch, name, arguments, schedule=cyclic))


@pytest.mark.parametrize(
    ("schedule", "name", "arguments"),
    [
        (StepDecay(0.5, every=30), "StepLR", {"step_size": 30}),
        (StepDecay(0.5, every=7, factor=0.9), "StepLR", {"step_size": 7, "gamma": 0.9}),
        (ExponentialDecay(0.5, factor=0.98), "ExponentialLR", {"gamma": 0.98}),
        (Cosine(0.5, steps=300, final=0.01), "CosineAnnealingLR", {"T_max": 300, "eta_min": 0.01}),
        (WarmUp(0.5, steps=50, start=0.125), "LinearLR", {"start_factor": 0.25, "total_iters": 50}),
        (MultiStep(0.5, (50, 120), factor=0.2), "MultiStepLR", {"milestones": [50, 120], "gamma": 0.2}),
        (Polynomial(0.5, steps=200, power=2.0), "PolynomialLR", {"total_iters": 200, "power": 2.0}),
        (
            WarmRestarts(0.5, steps=30, factor=2, final=0.01),
            "CosineAnnealingWarmRestarts",
            {"T_0": 30, "T_mult": 2, "eta_min": 0.01},
        ),
        (Triangular(0.1, 0.5, 40), "CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 40}),
        (
            Triangular2(0.1, 0.5, 40),
            "CyclicLR",
            {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 40, "mode": "triangular2"},
        ),
        (
            ExpRange(0.1, 0.5, 40, gamma=0.99),
            "CyclicLR",
            {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 40, "mode": "exp_range", "gamma": 0.99},
        ),
        (
            OneCycle(0.5, 300, rise=(0.3 * 301 - 1) / 300, div=25, shape="cosine", three_phase=False),
            "OneCycleLR",
            {"max_lr": 0.5, "total_steps": 301},
        ),
        (
            OneCycle(0.5, 300, rise=(0.4 * 301 - 1) / 300, back=(0.8 * 301 - 2) / 300, div=10),
            "OneCycleLR",
            {
                "max_lr": 0.5, "total_steps": 301, "pct_start": 0.4, "div_factor": 10,
                "anneal_strategy": "linear", "three_phase": True,
            },
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_a_schedule_is_torch_s(torch, schedule, name, arguments):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5, momentum=0.9)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **arguments)
    rates = []
    for _ in STEPS:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(schedule(STEPS), rates, rtol=1e-12)


def test_one_cycle_for_momentum_is_torch_s(torch):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, total_steps=301, base_momentum=0.85, max_momentum=0.95
    )
    momenta = []
    for _ in STEPS:
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        scheduler.step()
    cycle = OneCycle(0.5, 300, rise=(0.3 * 301 - 1) / 300, shape="cosine", three_phase=False)
    np.testing.assert_allclose(cycle.inverse(0.85, 0.95)(STEPS), momenta, rtol=1e-12)


# --- optax --------------------------------------------------------------------------------------------


def optax_path(transformation, gradients=GRADIENTS, parameters=None):
    import jax
    import optax

    first = START if parameters is None else parameters

    def step(carried, g):
        w, state = carried
        updates, state = transformation.update(g, state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), getattr(w, "fast", w)

    first = jax.tree.map(lambda x: jax.numpy.asarray(x, "float64"), first)
    _, points = jax.lax.scan(step, (first, transformation.init(first)), jax.numpy.asarray(gradients))
    return np.concatenate([START[None], np.asarray(points)])


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (SGD.like("optax"), "sgd", {}),
        (Momentum.like("optax"), "sgd", {"momentum": 0.9}),
        (Nesterov.like("optax"), "sgd", {"momentum": 0.9, "nesterov": True}),
        (Adagrad.like("optax"), "adagrad", {}),
        (Adagrad.like("optax", s0=0.0, eps=0.0), "adagrad", {"initial_accumulator_value": 0.0, "eps": 0.0}),
        (RMSprop.like("optax"), "rmsprop", {}),
        (RMSprop.like("optax", momentum=0.9), "rmsprop", {"momentum": 0.9}),
        (RMSprop.like("optax", centered=True), "rmsprop", {"centered": True}),
        (RMSprop.like("optax", s0=1.0), "rmsprop", {"initial_scale": 1.0}),
        (RMSprop.like("optax", eps_inside=False), "rmsprop", {"eps_in_sqrt": False}),
        (Adadelta.like("optax"), "adadelta", {}),
        (Adam.like("optax"), "adam", {}),
        (Adam.like("optax", eps_root=1e-6), "adam", {"eps_root": 1e-6}),
        (AdaMax.like("optax"), "adamax", {}),
        (Nadam.like("optax"), "nadam", {}),
        (RAdam.like("optax"), "radam", {}),
        (RAdam.like("optax", threshold=6.0), "radam", {"threshold": 6.0}),
        (AMSGrad.like("optax"), "amsgrad", {}),
        (AMSGrad.like("optax", eps_root=1e-6), "amsgrad", {"eps_root": 1e-6}),
        (AMSGrad(), "amsgrad", {"bias_correction_mu": False, "bias_correction_nu": False}),
        (AdaBelief.like("optax"), "adabelief", {}),
        (AdaBelief.like("optax", eps=1e-3, eps_root=1e-6), "adabelief", {"eps": 1e-3, "eps_root": 1e-6}),
    ],
    ids=repr,
)
def test_the_optax_preset_is_optax(optax, rule, name, arguments):
    import jax

    factors = jax.numpy.asarray(LR_FACTORS)
    transformation = getattr(optax, name)(lambda count: rule.lr * factors[count], **arguments)
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr)), optax_path(transformation))


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    ("inner", "name", "arguments"),
    [
        (Adam.like("optax"), "adam", {}),
        (Momentum.like("optax"), "sgd", {"momentum": 0.9}),
        (RAdam.like("optax"), "radam", {}),
    ],
    ids=repr,
)
def test_lookahead_is_optax_s(optax, inner, name, arguments, reset):
    rule = Lookahead(inner, k=7, alpha=0.3, state="reset" if reset else "keep")
    transformation = optax.lookahead(getattr(optax, name)(inner.lr, **arguments), 7, 0.3, reset_state=reset)
    expected = optax_path(transformation, parameters=optax.LookaheadParams(fast=START, slow=START))
    assert_close(path(rule, GRADIENTS, START), expected)


@pytest.mark.parametrize(
    ("schedule", "name", "arguments"),
    [
        (StepDecay(0.5, every=30, factor=0.5), "exponential_decay", (0.5, 30, 0.5, 0, True)),
        (ExponentialDecay(0.5, factor=0.9, every=7), "exponential_decay", (0.5, 7, 0.9)),
        (Cosine(0.5, steps=200, final=0.05), "cosine_decay_schedule", (0.5, 200, 0.1)),
        (WarmUp(0.5, steps=40, start=0.1), "warmup_constant_schedule", (0.1, 0.5, 40)),
        (
            WarmUp(Cosine(0.5, steps=160, final=0.05), steps=40, start=0.1),
            "warmup_cosine_decay_schedule",
            (0.1, 0.5, 40, 200, 0.05),
        ),
        (
            OneCycle(0.5, 200, rise=0.3, div=25, shape="cosine", three_phase=False),
            "cosine_onecycle_schedule",
            (200, 0.5),
        ),
        (OneCycle(0.5, 200, rise=0.3, back=0.85, div=25), "linear_onecycle_schedule", (200, 0.5)),
        (Polynomial(0.5, steps=200, final=0.05, power=2.0), "polynomial_schedule", (0.5, 0.05, 2.0, 200)),
        (
            MultiStep(0.5, (50, 120), factor=0.2),
            "piecewise_constant_schedule",
            (0.5, {50: 0.2, 120: 0.2}),
        ),
        (
            Piecewise((0.5, 0.1, 0.4), (50, 120), between="linear"),
            "piecewise_interpolate_schedule",
            ("linear", 0.5, {50: 0.2, 120: 4.0}),
        ),
        (
            WarmRestarts(0.5, steps=100),
            "sgdr_schedule",
            ([{"init_value": 0.5, "peak_value": 0.5, "warmup_steps": 0, "decay_steps": 100}] * 10,),
        ),
    ],
    ids=repr,
)
def test_a_schedule_is_optax_s(optax, schedule, name, arguments):
    import jax

    theirs = getattr(optax, name)(*arguments)
    rates = [float(theirs(jax.numpy.asarray(float(n), "float64"))) for n in STEPS - 1]
    np.testing.assert_allclose(schedule(STEPS), rates, rtol=1e-12)
