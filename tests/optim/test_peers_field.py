"""Presets of the rules beyond the lecture against the libraries themselves, in float64."""

from functools import partial

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs
from optim.harness import assert_close, path
from optim.peers import keras_like, optax_like, torch_like

from spusk import optim

pytestmark = pytest.mark.peers


def ours(rule, lr=None, shape=START.shape):
    start, gradients = START.reshape(shape), GRADIENTS.reshape(len(GRADIENTS), *shape)
    return path(rule, gradients, start, lrs(rule.lr if lr is None else lr)).reshape(-1, *START.shape)


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.AdamW.like("torch"), "AdamW", {}),
        (optim.AdamW.like("torch", weight_decay=0.1, eps=1e-3), "AdamW", {"weight_decay": 0.1, "eps": 1e-3}),
        (optim.Rprop.like("torch"), "Rprop", {}),
        (optim.ASGD.like("torch"), "ASGD", {}),
        (optim.ASGD.like("torch", decay=0.1), "ASGD", {"lambd": 0.1}),
    ],
    ids=repr,
)
def test_the_torch_preset_is_torch(torch, rule, name, arguments):
    make = partial(getattr(torch.optim, name), **arguments)
    assert rule.lr == make([torch.zeros(1)]).param_groups[0]["lr"]
    assert_close(ours(rule), torch_like(make, rule.lr))


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.AdamW.like("optax"), "adamw", {}),
        (optim.SignSGD.like("optax"), "sign_sgd", {}),
        (optim.SignSGD.like("optax", beta=0.9), "signum", {}),
        (optim.Lion.like("optax"), "lion", {}),
        (optim.Yogi.like("optax"), "yogi", {}),
        (optim.Adan.like("optax"), "adan", {}),
        (optim.Adan.like("optax", weight_decay=0.1), "adan", {"weight_decay": 0.1}),
        (optim.ADOPT.like("optax"), "adopt", {}),
        (optim.AdEMAMix.like("optax"), "ademamix", {}),
        (optim.NovoGrad.like("optax"), "novograd", {}),
        (optim.NovoGrad.like("optax", weight_decay=0.1), "novograd", {"weight_decay": 0.1}),
        (optim.Prodigy.like("optax", weight_decay=1e-5), "prodigy", {"weight_decay": 1e-5}),
        (optim.DAdaptAdam.like("optax"), "dadapt_adamw", {}),
        (optim.DoG.like("optax"), "dog", {}),
        (optim.DoWG.like("optax"), "dowg", {}),
    ],
    ids=repr,
)
def test_the_optax_preset_is_optax(optax, rule, name, arguments):
    module = optax if hasattr(optax, name) else optax.contrib
    assert_close(ours(rule), optax_like(partial(getattr(module, name), **arguments), rule.lr))


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.AdamW.like("keras"), "AdamW", {}),
        (optim.Lion.like("keras"), "Lion", {}),
        (optim.Lion.like("keras", weight_decay=0.1), "Lion", {"weight_decay": 0.1}),
        (optim.FTRL.like("keras"), "Ftrl", {}),
        (
            optim.FTRL.like("keras", l1=0.3, l2=0.4),
            "Ftrl",
            {"l1_regularization_strength": 0.3, "l2_regularization_strength": 0.4},
        ),
    ],
    ids=repr,
)
def test_the_keras_preset_is_keras(keras, rule, name, arguments):
    make = partial(getattr(keras.optimizers, name), **arguments)
    assert rule.lr == pytest.approx(float(make().learning_rate.value), rel=1e-6)
    assert_close(ours(rule), keras_like(make, rule.lr))


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.SGDW.like("timm"), "SGDW", {}),
        (
            optim.SGDW.like("timm", beta1=0.9, weight_decay=0.1),
            "SGDW",
            {"momentum": 0.9, "weight_decay": 0.1},
        ),
        (optim.Lion.like("timm"), "Lion", {}),
        (optim.Lion.like("timm", weight_decay=0.1), "Lion", {"weight_decay": 0.1}),
        (optim.LaProp.like("timm"), "LaProp", {}),
        (optim.Adan.like("timm"), "Adan", {}),
        (optim.Adan.like("timm", weight_decay=0.1), "Adan", {"weight_decay": 0.1}),
        (optim.ADOPT.like("timm"), "Adopt", {}),
        (optim.MADGRAD.like("timm"), "MADGRAD", {}),
        (optim.NovoGrad.like("timm", weight_decay=0.1), "NvNovoGrad", {"weight_decay": 0.1}),
        (optim.MARS.like("timm", weight_decay=0.0), "Mars", {}),
    ],
    ids=repr,
)
def test_the_timm_preset_is_timm(torch, peer, rule, name, arguments):
    make = partial(getattr(peer("timm.optim"), name), **arguments)
    assert rule.lr == make([torch.zeros(1)]).param_groups[0]["lr"]
    assert_close(ours(rule), torch_like(make, rule.lr))


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.SGDW.like("pytorch_optimizer"), "SGDW", {}),
        (
            optim.SGDW.like("pytorch_optimizer", beta1=0.9, weight_decay=0.1),
            "SGDW",
            {"momentum": 0.9, "weight_decay": 0.1},
        ),
        (optim.SignSGD.like("pytorch_optimizer"), "SignSGD", {}),
        (optim.Lion.like("pytorch_optimizer"), "Lion", {}),
        (optim.LaProp.like("pytorch_optimizer"), "LaProp", {"foreach": False}),
        (optim.Yogi.like("pytorch_optimizer"), "Yogi", {}),
        (optim.Adan.like("pytorch_optimizer"), "Adan", {}),
        (optim.ADOPT.like("pytorch_optimizer"), "ADOPT", {}),
        (optim.AdEMAMix.like("pytorch_optimizer"), "AdEMAMix", {}),
        (optim.AdEMAMix.like("pytorch_optimizer", warmup=400.0), "AdEMAMix", {"t_alpha_beta3": 400.0}),
        (optim.FTRL.like("pytorch_optimizer"), "FTRL", {}),
        (
            optim.FTRL.like("pytorch_optimizer", beta=0.5, l1=0.3, l2=0.2),
            "FTRL",
            {"beta": 0.5, "lambda_1": 0.3, "lambda_2": 0.2},
        ),
        (optim.MADGRAD.like("pytorch_optimizer"), "MADGRAD", {}),
        (optim.MARS.like("pytorch_optimizer"), "MARS", {}),
        (optim.Grams.like("pytorch_optimizer", weight_decay=0.1), "Grams", {"weight_decay": 0.1}),
        (optim.NovoGrad.like("pytorch_optimizer"), "NovoGrad", {}),
        (optim.Prodigy.like("pytorch_optimizer"), "Prodigy", {"foreach": False}),
        (optim.DAdaptAdam.like("pytorch_optimizer"), "DAdaptAdam", {"foreach": False}),
    ],
    ids=repr,
)
def test_the_pytorch_optimizer_preset_is_pytorch_optimizer(torch, peer, rule, name, arguments):
    make = partial(getattr(peer("pytorch_optimizer"), name), **arguments)
    assert rule.lr == make([torch.zeros(1)]).param_groups[0]["lr"]
    assert_close(ours(rule), torch_like(make, rule.lr))


def test_madgrad_is_optax_s(optax):
    # Optax takes the root of an int32 step number, which jax computes in float32.
    rule = optim.MADGRAD.like("optax")
    assert_close(ours(rule), optax_like(optax.contrib.madgrad, rule.lr), rtol=1e-7)


def test_rprop_is_optax_s(optax):
    # Its rate cannot be a schedule; ours has no effect after the first step.
    rule = optim.Rprop.like("optax")
    assert_close(ours(rule), optax_like(optax.rprop, rule.lr, constant=True))


@pytest.mark.parametrize(("library", "name"), [("timm.optim", "Mars"), ("pytorch_optimizer", "MARS")])
def test_mars_is_the_libraries_for_a_matrix(torch, peer, library, name):
    rule = optim.MARS.like(library.split(".")[0], weight_decay=0.1)
    make = partial(getattr(peer(library), name), weight_decay=0.1)
    assert_close(ours(rule, shape=(1, 5)), torch_like(make, rule.lr, shape=(1, 5)))


def test_torch_s_average_is_asgd_s(torch):
    averages = [START]

    def make(parameters):
        optimizer = torch.optim.ASGD(parameters, t0=100.0)

        def remember(*_):
            averages.append(optimizer.state[parameters[0]]["ax"].numpy().copy())

        optimizer.register_step_post_hook(remember)
        return optimizer

    torch_like(make, 0.01)
    found = path(optim.ASGD.like("torch", t0=100.0), GRADIENTS, START, lrs(0.01), evaluated=True)
    assert_close(found, averages)


def test_dadapt_sgd_is_pytorch_optimizer_s(torch, peer):
    # Pytorch_optimizer keeps the first gradient's norm in float32; the points are followed while that is small.
    rule = optim.DAdaptSGD.like("pytorch_optimizer")
    make = partial(peer("pytorch_optimizer").DAdaptSGD, foreach=False)
    expected = torch_like(make, rule.lr)[:50]
    assert_close(ours(rule)[:50], expected, rtol=1e-6)


# Schedule-Free: the libraries carry y, we carry z; what is compared is the average x, which is used.


def x_of(y, z, beta=0.9):
    return (y - (1 - beta) * z) / beta


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (optim.ScheduleFreeSGD.like("optax", lr=0.01), "schedule_free_sgd"),
        (optim.ScheduleFreeAdamW.like("optax", weight_decay=0.1), "schedule_free_adamw"),
    ],
    ids=repr,
)
def test_schedule_free_is_optax_s(optax, rule, name):
    import jax

    # Optax asks a schedule for the weight's rate one step before the step's, so the rate is constant here.
    transformation = getattr(optax.contrib, name)(rule.lr, weight_decay=rule.weight_decay)
    y = jax.numpy.asarray(START)
    state, used = transformation.init(y), [START]
    step = jax.jit(transformation.update)
    for g in GRADIENTS:
        updates, state = step(jax.numpy.asarray(g), state, y)
        y = optax.apply_updates(y, updates)
        used.append(np.asarray(optax.contrib.schedule_free_eval_params(state, y)))
    assert_close(path(rule, GRADIENTS, START, evaluated=True), used)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (optim.ScheduleFreeSGD.like("pytorch_optimizer", weight_decay=0.1, lr=0.01), "ScheduleFreeSGD"),
        (optim.ScheduleFreeAdamW.like("pytorch_optimizer", weight_decay=0.1), "ScheduleFreeAdamW"),
    ],
    ids=repr,
)
def test_schedule_free_is_pytorch_optimizer_s(torch, peer, rule, name):
    module, used = peer("pytorch_optimizer"), [START]

    def make(parameters):
        optimizer = getattr(module, name)(parameters, lr=rule.lr, weight_decay=0.1)

        def remember(*_):
            y, z = parameters[0].detach(), optimizer.state[parameters[0]]["z"]
            used.append(x_of(y, z).numpy())

        optimizer.register_step_post_hook(remember)
        return optimizer

    torch_like(make, rule.lr)
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr), evaluated=True), used)


def test_schedule_free_adamw_is_keras_s(keras):
    rule, used = optim.ScheduleFreeAdamW.like("keras"), [START]
    w, optimizer = keras.Variable(START, dtype="float64"), keras.optimizers.ScheduleFreeAdamW()
    for g, rate in zip(GRADIENTS, lrs(rule.lr), strict=True):
        optimizer.learning_rate = float(rate)
        optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])
        used.append(np.array(x_of(w.value, optimizer._momentums[0].value)))
    assert_close(path(rule, GRADIENTS, START, lrs(rule.lr), evaluated=True), used)
