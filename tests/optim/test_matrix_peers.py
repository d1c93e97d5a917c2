"""Presets of the layer-wise and matrix rules against the libraries themselves, in float64."""

import numpy as np
import pytest
from optim.harness import assert_close
from optim.matrix_events import GRADIENTS, START, rates, run
from optim.peers import keras_like

from spusk.optim import LAMB, LARS, SOAP, Adafactor, Muon, Shampoo

pytestmark = pytest.mark.peers


def torch_path(torch, make, lr, gradients=GRADIENTS, start=START):
    """The points of a torch optimizer, its rate set before each step."""
    w = torch.tensor(start, requires_grad=True)
    optimizer = make([w])
    points = [start]
    for g, rate in zip(gradients, rates(lr), strict=False):
        optimizer.param_groups[0]["lr"] = float(rate)
        w.grad = torch.tensor(g)
        optimizer.step()
        points.append(w.detach().numpy().copy())
    return np.stack(points)


def optax_path(make, lr, gradients=GRADIENTS, start=START):
    """The points of an optax transformation with the changing rates."""
    import jax
    import optax

    each = jax.numpy.asarray(rates(lr))
    transformation = make(lambda count: each[count])

    def step(carried, g):
        w, state = carried
        updates, state = transformation.update(g, state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    first = jax.numpy.asarray(start)
    _, points = jax.lax.scan(step, (first, transformation.init(first)), jax.numpy.asarray(gradients))
    return np.concatenate([start[None], np.asarray(points)])


# --- LARS and LAMB --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (LARS.like("timm"), {}),
        (LARS.like("timm", mu=0.9, weight_decay=0.01), {"momentum": 0.9, "weight_decay": 0.01}),
        (
            LARS.like("timm", mu=0.9, weight_decay=0.01, nesterov=True),
            {"momentum": 0.9, "weight_decay": 0.01, "nesterov": True},
        ),
    ],
    ids=repr,
)
def test_lars_is_timm_s(torch, peer, rule, arguments):
    lars = peer("timm.optim").Lars
    assert_close(run(rule), torch_path(torch, lambda w: lars(w, **arguments), rule.lr))


@pytest.mark.parametrize(("decay", "nesterov"), [(0.0, False), (0.01, True)])
def test_lars_is_pytorch_optimizer_s(torch, peer, decay, nesterov):
    lars = peer("pytorch_optimizer").LARS
    rule = LARS.like("pytorch_optimizer", weight_decay=decay, nesterov=nesterov)
    theirs = torch_path(torch, lambda w: lars(w, weight_decay=decay, nesterov=nesterov), rule.lr)
    assert rule.lr == lars([torch.zeros(1)]).defaults["lr"]
    assert_close(run(rule), theirs)


@pytest.mark.parametrize(("decay", "nesterov"), [(0.0, False), (0.01, True)])
def test_lars_is_optax_s(optax, decay, nesterov):
    rule = LARS.like("optax", weight_decay=decay, nesterov=nesterov)
    theirs = optax_path(lambda lr: optax.lars(lr, weight_decay=decay, nesterov=nesterov), rule.lr)
    assert_close(run(rule), theirs)


@pytest.mark.parametrize("decay", [0.01, 0.0])
def test_lamb_is_timm_s(torch, peer, decay):
    lamb = peer("timm.optim").Lamb
    rule = LAMB.like("timm", weight_decay=decay)
    assert rule.lr == lamb([torch.zeros(1)]).defaults["lr"]
    assert_close(run(rule), torch_path(torch, lambda w: lamb(w, weight_decay=decay), rule.lr))


@pytest.mark.parametrize(("decay", "eps_root"), [(0.0, 0.0), (0.01, 1e-6)])
def test_lamb_is_optax_s(optax, decay, eps_root):
    rule = LAMB.like("optax", weight_decay=decay, eps_root=eps_root)
    theirs = optax_path(lambda lr: optax.lamb(lr, weight_decay=decay, eps_root=eps_root), rule.lr)
    assert_close(run(rule), theirs)


# --- Muon -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"nesterov": False}, {"adjust_lr_fn": "match_rms_adamw"}])
def test_muon_is_torch_s(torch, monkeypatch, arguments):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # it would compute to two digits only
    fields = {
        "nesterov": arguments.get("nesterov", True),
        "scale": "rms" if "adjust_lr_fn" in arguments else "spectral",
    }
    rule = Muon.like("torch", out_first=True, **fields)
    assert rule.lr == torch.optim.Muon([torch.zeros(1, 1)]).defaults["lr"]
    theirs = torch_path(torch, lambda w: torch.optim.Muon(w, **arguments), rule.lr)
    assert_close(run(rule), theirs)


def test_muon_is_torch_s_to_the_digits_of_bfloat16(torch):
    rule = Muon.like("torch", out_first=True)
    steps = slice(20, 40)
    ours = run(rule, GRADIENTS[steps])
    theirs = torch_path(torch, torch.optim.Muon, rule.lr, GRADIENTS[steps])
    assert np.abs(ours - theirs).max() < 0.1 * np.abs(ours - START).max()


@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
@pytest.mark.parametrize(
    "arguments", [{}, {"nesterov": True}, {"adjust_lr_fn": "original"}, {"ns_coefficients": "original"}]
)
def test_muon_is_timm_s(torch, peer, monkeypatch, arguments, shape):
    module = peer("timm.optim.muon")
    exact = module.zeropower_via_newtonschulz
    monkeypatch.setattr(
        module, "zeropower_via_newtonschulz", lambda *a, **kw: exact(*a, **{**kw, "dtype": torch.float64})
    )
    fields = {
        "nesterov": "nesterov" in arguments,
        "scale": "spectral" if "adjust_lr_fn" in arguments else "rms",
        "coefficients": "jordan" if "ns_coefficients" in arguments else "cesista",
    }
    rule = Muon.like("timm", out_first=True, **fields)
    gradients, start = GRADIENTS.reshape(-1, *shape), START.reshape(shape)

    def theirs(w):
        return module.Muon([{"params": w, "use_muon": True}], **arguments)

    assert rule.lr == module.Muon([torch.zeros(5, 5)]).defaults["lr"]
    assert_close(run(rule, gradients, start), torch_path(torch, theirs, rule.lr, gradients, start))


@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_muon_is_optax_s(optax, shape, nesterov):
    rule = Muon.like("optax", nesterov=nesterov)
    gradients, start = GRADIENTS.reshape(-1, *shape), START.reshape(shape)
    theirs = optax_path(lambda lr: optax.contrib.muon(lr, nesterov=nesterov), rule.lr, gradients, start)
    assert_close(run(rule, gradients, start), theirs)


def test_what_muon_leaves_to_adam_is_optax_s(optax):
    rule = Muon.like("optax")
    gradients, start = GRADIENTS[:, 0], START[0]
    theirs = optax_path(lambda lr: optax.contrib.muon(lr), rule.lr, gradients, start)
    assert_close(run(rule, gradients, start), theirs)


# --- Adafactor ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [None, 0])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adafactor_is_torch_s(torch, column, decay):
    gradients, start = (GRADIENTS, START) if column is None else (GRADIENTS[:, :, column], START[:, column])
    eps = np.finfo(float).eps  # of the dtype, as torch takes it
    rule = Adafactor.like("torch", eps=eps, weight_decay=decay)
    assert rule.lr == torch.optim.Adafactor([torch.zeros(1)]).defaults["lr"]
    theirs = torch_path(
        torch, lambda w: torch.optim.Adafactor(w, weight_decay=decay), rule.lr, gradients, start
    )
    assert_close(run(rule, gradients, start), theirs)


@pytest.mark.parametrize("column", [None, 0])
@pytest.mark.parametrize("momentum", [None, 0.9])
def test_adafactor_is_optax_s(optax, momentum, column):
    gradients, start = (GRADIENTS, START) if column is None else (GRADIENTS[:, :, column], START[:, column])
    rule = Adafactor.like("optax", min_size=3, beta1=momentum)

    def theirs(lr):
        return optax.adafactor(lr, min_dim_size_to_factor=3, momentum=momentum, dtype_momentum="float64")

    # Its decay is a float32.
    found = optax_path(theirs, rule.lr, gradients, start)
    assert_close(run(rule, gradients, start), found, rtol=1e-6)


@pytest.mark.parametrize("beta1", [None, 0.9])
@pytest.mark.parametrize("min_size", [17, 3])
def test_adafactor_is_timm_s(torch, peer, min_size, beta1):
    adafactor = peer("timm.optim").Adafactor
    rule = Adafactor.like("timm", min_size=min_size, beta1=beta1)
    betas = None if beta1 is None else (beta1, 0.0)

    def make(w):
        return adafactor(w, betas=betas, min_dim_size_to_factor=min_size - 1)

    w = torch.tensor(START, requires_grad=True)
    optimizer, points = make([w]), [START]
    for g in GRADIENTS:  # without a rate of ours: theirs is 0.01, which bounds 1/√t
        w.grad = torch.tensor(g)
        optimizer.step()
        points.append(w.detach().numpy().copy())
    assert_close(run(rule, lrs=np.full(len(GRADIENTS), 0.01)), np.stack(points))


# --- Shampoo --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [None, 0])
def test_shampoo_is_pytorch_optimizer_s(torch, peer, column):
    gradients, start = (GRADIENTS, START) if column is None else (GRADIENTS[:, :, column], START[:, column])
    shampoo = peer("pytorch_optimizer").Shampoo
    rule = Shampoo.like("pytorch_optimizer")
    assert rule.lr == shampoo([torch.zeros(1)]).defaults["lr"]
    # Before the bursts: without a ridge, they take the condition number to 1e16.
    steps = slice(3, 100)
    theirs = torch_path(torch, shampoo, rule.lr, gradients[steps], start)
    assert_close(run(rule, gradients[steps], start), theirs, rtol=1e-9)


# --- SOAP -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 10])
def test_soap_is_pytorch_optimizer_s(torch, peer, every):
    soap = peer("pytorch_optimizer").SOAP
    rule = SOAP.like("pytorch_optimizer", every=every)
    assert rule.lr == soap([torch.zeros(1)]).defaults["lr"]
    # The first gradient has the columns of I as its eigenvectors, so that both begin with the same bases.
    gradients = np.random.default_rng(8).normal(size=(300, 3, 3)) * [[1.0, 2.0, 5.0]]
    gradients[0] = np.diag([3.0, 2.0, 1.0])
    theirs = torch_path(torch, lambda w: soap(w, precondition_frequency=every), rule.lr, gradients, START[:3])
    # Its QR decompositions are in float32.
    assert_close(run(rule, gradients, START[:3]), theirs, rtol=1e-4)


# --- Keras ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "name", "column"),
    [
        (LAMB.like("keras"), "Lamb", None),
        (Muon.like("keras"), "Muon", None),
        (Muon.like("keras"), "Muon", 0),
        (Adafactor.like("keras"), "Adafactor", None),
        (Adafactor.like("keras"), "Adafactor", 0),
    ],
    ids=repr,
)
def test_the_keras_preset_is_keras(keras, rule, name, column):
    gradients, start = (GRADIENTS, START) if column is None else (GRADIENTS[:, :, column], START[:, column])
    make = getattr(keras.optimizers, name)
    assert float(make().learning_rate) == pytest.approx(rule.lr, rel=1e-6)
    # Some of its constants are in float32.
    assert_close(run(rule, gradients, start), keras_like(make, rule.lr, gradients, start), rtol=1e-7)
