"""Wrappers and rules of second order against torch, optax, keras, timm and pytorch_optimizer, in float64."""

from types import SimpleNamespace

import numpy as np
import pytest
from optim.descent import through_events
from optim.events import GRADIENTS, LR_FACTORS, START, lrs
from optim.harness import Step, assert_close, path
from optim.peers import keras_like, optax_like, torch_like

from spusk import optim
from spusk.optim.wrappers.plateau import Watch

pytestmark = pytest.mark.peers

O = optim  # noqa: E741


# --- torch and timm -------------------------------------------------------------------------------------


def torch_clipped(torch, clip, lr):
    """The points of torch's SGD after `clip([w])` has changed the gradients."""
    w = torch.tensor(START, requires_grad=True)
    optimizer, points = torch.optim.SGD([w], lr=lr), [START]
    for g, factor in zip(GRADIENTS, LR_FACTORS, strict=True):
        optimizer.param_groups[0]["lr"] = lr * factor
        w.grad = torch.tensor(g)
        clip([w])
        optimizer.step()
        points.append(w.detach().numpy().copy())
    return np.stack(points)


def test_clipping_is_torch_s(torch):
    utils = torch.nn.utils
    for rule, clip in [
        (O.Clip.like("torch", inner=O.SGD(), global_norm=1.5), lambda ws: utils.clip_grad_norm_(ws, 1.5)),
        (O.Clip.like("torch", inner=O.SGD(), value=0.5), lambda ws: utils.clip_grad_value_(ws, 0.5)),
    ]:
        assert_close(path(rule, GRADIENTS, START, lrs(0.01)), torch_clipped(torch, clip, 0.01))


def test_adaptive_clipping_is_timm_s(torch, peer):
    agc = peer("timm.utils.agc").adaptive_clip_grad
    rule = O.AGC.like("timm", inner=O.SGD())
    assert_close(path(rule, GRADIENTS, START, lrs(0.01)), torch_clipped(torch, agc, 0.01))
    # The units of a matrix: torch's weights are (out, in).
    random = np.random.default_rng(0)
    w, g = random.normal(size=(4, 6)), random.normal(size=(4, 6)) * np.logspace(-3, 1, 6)
    step = Step(O.AGC(O.SGD(lr=1.0), clip=0.1), {"w": w})
    step({"w": g})
    theirs = torch.tensor(w.T.copy(), requires_grad=True)
    theirs.grad = torch.tensor(g.T.copy())
    agc(theirs, clip_factor=0.1)
    np.testing.assert_allclose(w - step.parameters["w"], theirs.grad.numpy().T, rtol=1e-12)


def test_weight_decay_is_torch_s(torch):
    cases = [
        (O.WeightDecay.like("torch", inner=O.Adam()), lambda ws: torch.optim.AdamW(ws), 0.001),
        (
            O.WeightDecay(O.Momentum.like("torch"), weight_decay=0.1, kind="l2"),
            lambda ws: torch.optim.SGD(ws, momentum=0.9, weight_decay=0.1),
            0.01,
        ),
        (
            O.WeightDecay(O.Adam(), weight_decay=0.1, kind="l2"),
            lambda ws: torch.optim.Adam(ws, weight_decay=0.1),
            0.001,
        ),
    ]
    for rule, make, lr in cases:
        assert_close(path(rule, GRADIENTS, START, lrs(lr)), torch_like(make, lr))


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_averages_are_torch_s(torch, kind):
    utils = torch.optim.swa_utils
    module = torch.nn.Module()
    module.w = torch.nn.Parameter(torch.tensor(START))
    if kind == "ema":
        mean = utils.AveragedModel(module, multi_avg_fn=utils.get_ema_multi_avg_fn(0.95))
        rule = O.EMA.like("torch", inner=O.Momentum.like("torch"), beta=0.95)
    else:
        mean = utils.AveragedModel(module)
        rule = O.SWA.like("torch", inner=O.Momentum.like("torch"), begin=300, every=50)
    optimizer, points = torch.optim.SGD([module.w], lr=0.01, momentum=0.9), [START]
    for t, (g, factor) in enumerate(zip(GRADIENTS, LR_FACTORS, strict=True), start=1):
        optimizer.param_groups[0]["lr"] = 0.01 * factor
        module.w.grad = torch.tensor(g)
        optimizer.step()
        if kind == "ema" or (t >= 300 and t % 50 == 0):
            mean.update_parameters(module)
        used = module.w if kind == "swa" and t < 300 else mean.module.w
        points.append(used.detach().numpy().copy())
    assert_close(path(rule, GRADIENTS, START, lrs(0.01), evaluated=True), np.stack(points))


def test_an_average_from_the_initial_weights_is_timm_s(torch, peer):
    ema = peer("timm.utils.model_ema").ModelEmaV2
    module = torch.nn.Module()
    module.w = torch.nn.Parameter(torch.tensor(START))
    mean = ema(module, decay=0.9999)
    optimizer, points = torch.optim.SGD([module.w], lr=0.01), [START]
    for g in GRADIENTS:
        module.w.grad = torch.tensor(g)
        optimizer.step()
        mean.update(module)
        points.append(mean.module.w.detach().numpy().copy())
    assert_close(path(O.EMA.like("timm", inner=O.SGD()), GRADIENTS, START, evaluated=True), np.stack(points))


def test_cautious_adam_is_timm_s(torch, peer):
    adamw = peer("timm.optim.adamw").AdamWLegacy
    for decay in (0.0, 0.01):
        rule = O.WeightDecay(O.Cautious.like("timm", inner=O.Adam()), weight_decay=decay, decay_by_lr=True)
        expected = torch_like(
            lambda ws, d=decay: adamw(ws, weight_decay=d, caution=True, foreach=False), 0.001
        )
        assert_close(path(rule, GRADIENTS, START, lrs(0.001)), expected)


def test_a_partition_is_torch_s_parameter_groups(torch):
    names = {"0.weight": START, "0.bias": START[:2], "2.weight": START[1:4]}
    ws = {name: torch.tensor(w, requires_grad=True) for name, w in names.items()}
    groups = [
        {"params": [ws["0.weight"], ws["2.weight"]], "lr": 0.003},
        {"params": [ws["0.bias"]], "lr": 0.01, "betas": (0.5, 0.9)},
    ]
    theirs = torch.optim.Adam(groups)
    rates = torch.optim.Adam([{"params": [w.detach().clone()]} for w in ws.values()])
    assert len(rates.param_groups) == 3
    rule = O.Partition({"*bias": O.Adam(lr=0.01, beta1=0.5, beta2=0.9), "*": O.Adam(lr=0.003)})
    step = Step(rule, names)
    for g in GRADIENTS[:200]:
        given = {"0.weight": g, "0.bias": g[:2], "2.weight": g[1:4]}
        step(given)
        for name, w in ws.items():
            w.grad = torch.tensor(given[name])
        theirs.step()
    for name, w in ws.items():
        np.testing.assert_allclose(step.parameters[name], w.detach().numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 2, "factor": 0.5, "cooldown": 3},
        {"patience": 1, "threshold": 0.05, "threshold_mode": "abs"},
        {"patience": 3, "mode": "max", "threshold": 0.02, "cooldown": 1},
    ],
)
def test_a_plateau_is_torch_s(torch, arguments):
    given = {k: v for k, v in arguments.items() if k != "threshold_mode"}
    rule = O.Plateau.like("torch", absolute=arguments.get("threshold_mode") == "abs", **given)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **arguments)
    watch, random = Watch(rule), np.random.default_rng(1)
    for i in range(200):
        measure = float(1 / (1 + 0.02 * i) + 0.05 * random.random())
        theirs.step(measure)
        assert watch.after(measure) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)


# --- optax ----------------------------------------------------------------------------------------------


def test_optax_s_clipping_and_decay(optax):
    cases = [
        (O.Clip(O.SGD(), global_norm=1.5), optax.clip_by_global_norm(1.5)),
        (O.Clip(O.SGD(), value=0.5), optax.clip(0.5)),
        (O.AGC.like("optax", inner=O.SGD()), optax.adaptive_grad_clip(0.01)),
        (O.WeightDecay(O.SGD(), weight_decay=0.05, kind="l2"), optax.add_decayed_weights(0.05)),
    ]
    for rule, before in cases:
        expected = optax_like(lambda lr, b=before: optax.chain(b, optax.sgd(lr)), 0.01)
        assert_close(path(rule, GRADIENTS, START, lrs(0.01)), expected)
    rule = O.WeightDecay.like("optax", inner=O.Adam())
    assert_close(path(rule, GRADIENTS, START, lrs(0.001)), optax_like(optax.adamw, 0.001))


@pytest.mark.parametrize("inner", [O.Adam(), O.Nesterov.like("optax")], ids=repr)
def test_accumulation_is_optax_s(optax, inner):
    import jax

    def made(lr):
        base = optax.adam(lr) if isinstance(inner, O.Adam) else optax.sgd(lr, 0.9, nesterov=True)
        return optax.MultiSteps(base, 4, accumulator_dtype="float64").gradient_transformation()

    # Its schedules count its own steps, too. Its sums are float32 unless told.
    schedule = O.StepDecay(0.01, every=50, factor=0.5)
    rule = O.Accumulate.like("optax", inner=inner.with_lr(schedule), k=4)
    rates = jax.numpy.asarray(0.01 * 0.5 ** (np.arange(len(GRADIENTS)) // 50))
    expected = optax_constant(made(lambda count: rates[count]))
    assert_close(path(rule, GRADIENTS, START), expected)


def optax_constant(transformation, gradients=GRADIENTS):
    """The points of a transformation with the gradients given."""
    import jax
    import optax

    def step(carried, g):
        w, state = carried
        updates, state = transformation.update(g, state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    first = jax.numpy.asarray(START)
    _, points = jax.lax.scan(step, (first, transformation.init(first)), jax.numpy.asarray(gradients))
    return np.concatenate([START[None], np.asarray(points)])


def test_skipping_is_optax_s_as_long_as_it_skips(optax):
    gradients = GRADIENTS.copy()
    gradients[::9, 2] = np.nan
    gradients[1::50, 0] = np.inf
    rule = O.SkipNonFinite.like("optax", inner=O.Adam())
    expected = optax_constant(optax.apply_if_finite(optax.adam(0.001), 10), gradients)
    assert_close(path(rule, gradients, START), expected)


def test_the_debiased_average_is_optax_s(optax):
    import jax

    rule = O.EMA.like("optax", inner=O.Adam(), beta=0.97)
    points = path(rule, GRADIENTS, START)
    mean = optax.ema(0.97, debias=True)
    state, expected = mean.init(jax.numpy.asarray(START)), [START]
    for w in points[1:]:
        shown, state = mean.update(jax.numpy.asarray(w), state)
        expected.append(np.asarray(shown))
    assert_close(path(rule, GRADIENTS, START, evaluated=True), np.stack(expected))


def events_value(jnp, w, push):
    """`descent.value` in jax."""
    return (jnp.sqrt(1 + w * w) + 0.15 * w * w + push * w).sum()


def test_sam_is_optax_s(optax):
    import jax

    jnp = jax.numpy
    adversary = optax.chain(optax.contrib.normalize(), optax.sgd(0.5))
    theirs = optax.contrib.sam(optax.adam(0.001), adversary, opaque_mode=True)

    def step(carried, push):
        w, state = carried

        def slope(p, _=0):
            return jax.grad(lambda v: events_value(jnp, v, push))(p)

        updates, state = theirs.update(slope(w), state, w, grad_fn=slope)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    first = jnp.asarray(START)
    _, points = jax.lax.scan(step, (first, theirs.init(first)), jnp.asarray(GRADIENTS))
    rule = O.SAM.like("optax", inner=O.Adam(), rho=0.5)
    assert_close(through_events(rule), np.concatenate([START[None], np.asarray(points)]))


def test_sophia_is_optax_s(optax):
    import jax

    jnp = jax.numpy
    theirs = optax.contrib.sophia(0.001)

    def step(carried, push):
        w, state = carried
        f = lambda v: events_value(jnp, v, push)  # noqa: E731
        updates, state = theirs.update(jax.grad(f)(w), state, w, obj_fn=f)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    first = jnp.asarray(START)
    _, points = jax.lax.scan(step, (first, theirs.init(first)), jnp.asarray(GRADIENTS))
    expected = np.concatenate([START[None], np.asarray(points)])
    assert_close(through_events(O.SophiaH.like("optax")), expected)


# --- pytorch_optimizer ----------------------------------------------------------------------------------


def closure_of(torch, w, push):
    def closure():
        loss = (torch.sqrt(1 + w * w) + 0.15 * w * w + push * w).sum()
        if w.grad is not None:
            w.grad = None
        loss.backward(create_graph=True)
        return loss

    return closure


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (O.AdaHessian.like("pytorch_optimizer"), "AdaHessian", {}),
        (O.AdaHessian.like("pytorch_optimizer", hessian_power=0.5), "AdaHessian", {"hessian_power": 0.5}),
        (O.SophiaH.like("pytorch_optimizer"), "SophiaH", {"hessian_distribution": "rademacher"}),
    ],
    ids=repr,
)
def test_rules_of_second_order_are_pytorch_optimizer_s(torch, peer, rule, name, arguments):
    w = torch.tensor(START, requires_grad=True)
    theirs = getattr(peer("pytorch_optimizer"), name)([w], foreach=False, **arguments)
    assert rule.lr == theirs.param_groups[0]["lr"]
    points = [START]
    for push in GRADIENTS[:300]:
        closure_of(torch, w, torch.tensor(push))()
        theirs.step()
        points.append(w.detach().numpy().copy())
    assert_close(through_events(rule, gradients=GRADIENTS[:300]), np.stack(points))


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_is_pytorch_optimizer_s(torch, peer, adaptive):
    w = torch.tensor(START, requires_grad=True)
    theirs = peer("pytorch_optimizer").SAM(
        [w], torch.optim.SGD, rho=0.5, adaptive=adaptive, lr=0.01, momentum=0.9
    )
    rule = O.SAM.like(
        "pytorch_optimizer", inner=O.Momentum.like("torch", lr=0.01), rho=0.5, adaptive=adaptive
    )
    points = [START]
    for push in GRADIENTS:
        closure = closure_of(torch, w, torch.tensor(push))
        closure()
        theirs.step(closure)
        points.append(w.detach().numpy().copy())
    assert_close(through_events(rule), np.stack(points), rtol=1e-7)  # its norm is a float32


# --- keras ----------------------------------------------------------------------------------------------


def test_clipping_and_decay_are_keras_s(keras):
    for rule, arguments in [
        (O.Clip.like("keras", inner=O.SGD(), norm=1.5), {"clipnorm": 1.5}),
        (O.Clip.like("keras", inner=O.SGD(), global_norm=1.5), {"global_clipnorm": 1.5}),
        (O.Clip.like("keras", inner=O.SGD(), value=0.5), {"clipvalue": 0.5}),
        (O.WeightDecay.like("keras", inner=O.SGD()), {"weight_decay": 0.004}),
    ]:
        expected = keras_like(lambda a=arguments: keras.optimizers.SGD(0.01, **a), 0.01)
        assert_close(path(rule, GRADIENTS, START, lrs(0.01)), expected)


def test_the_average_is_keras_s(keras):
    w = keras.Variable(START, dtype="float64")
    optimizer = keras.optimizers.SGD(0.01, use_ema=True)
    points = [START]
    for g in GRADIENTS[:200]:
        optimizer.apply([keras.ops.convert_to_tensor(g, dtype="float64")], [w])
        points.append(np.array(optimizer._model_variables_moving_average[0].value))
    rule = O.EMA.like("keras", inner=O.SGD())
    assert_close(path(rule, GRADIENTS[:200], START, evaluated=True), np.stack(points))


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"patience": 0, "factor": 0.9},
        {"patience": 1, "factor": 0.9, "cooldown": 1},
        {"patience": 2, "factor": 0.8, "cooldown": 3},
        {"patience": 3, "factor": 0.8, "mode": "max", "cooldown": 2},
    ],
    ids=repr,
)
def test_a_plateau_is_keras_s(keras, arguments):
    theirs = keras.callbacks.ReduceLROnPlateau(monitor="loss", **{"mode": "min", **arguments})
    optimizer = keras.optimizers.SGD(1.0)
    theirs.set_model(SimpleNamespace(optimizer=optimizer))
    theirs.on_train_begin()
    watch, random = Watch(O.Plateau.like("keras", **arguments)), np.random.default_rng(1)
    for i in range(120):
        measure = float(1 / (1 + 0.05 * i) + 0.05 * random.random())
        theirs.on_epoch_end(i, {"loss": measure})
        assert watch.after(measure) == pytest.approx(float(optimizer.learning_rate), rel=1e-6)
    assert watch.scale < 1
