"""One network in Spusk and in torch, whose weights have another order of axes: the same training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from interop.problem import close

import spusk.numpy as snp
from spusk import optim
from spusk.optim import Hyper, Optimizer
from spusk.train.step import descent_step

pytestmark = pytest.mark.peers

RNG = np.random.default_rng(11)
START = {
    "conv.weight": RNG.normal(size=(3, 3, 2, 3)),  # kh, kw, in, out
    "hidden.weight": RNG.normal(size=(3, 4)),
    "hidden.bias": RNG.normal(size=4),
    "out.weight": RNG.normal(size=(4, 2)),
}
IMAGES = RNG.normal(size=(5, 5, 5, 2))  # examples, height, width, channels
PATCHES = np.stack(
    [IMAGES[:, i : i + 3, j : j + 3].reshape(5, -1) for i in range(3) for j in range(3)], axis=1
)


def spusk_s(p):
    """The loss; the convolution is a product with the patches of the images."""
    seen = snp.mean(snp.tanh(PATCHES @ snp.reshape(p["conv.weight"], (-1, 3))), axis=1)
    hidden = snp.tanh(seen @ p["hidden.weight"] + p["hidden.bias"])
    return snp.mean((hidden @ p["out.weight"] - 1) ** 2)


def torch_s(torch, p):
    f = torch.nn.functional
    images = torch.tensor(IMAGES).permute(0, 3, 1, 2)
    seen = torch.tanh(f.conv2d(images, p["conv.weight"])).mean((2, 3))
    hidden = torch.tanh(f.linear(seen, p["hidden.weight"], p["hidden.bias"]))
    return ((f.linear(hidden, p["out.weight"]) - 1) ** 2).mean()


def turned(w):
    """From Spusk's order of axes to torch's."""
    return np.ascontiguousarray(w if w.ndim < 2 else np.moveaxis(w, (-1, -2), (0, 1)))


def turned_back(w):
    return w if w.ndim < 2 else np.moveaxis(w, (0, 1), (-1, -2))


STEPS = 6


def in_spusk(rule):
    step = descent_step(lambda p, t: spusk_s(p), START, rule, backend="numpy")
    values = step.first_values(START, rule)
    session = step.program.begin(values)
    session.run(STEPS)
    return step.weights(values, session.values).kept()


def in_torch(torch, rule, **arguments):
    from spusk.interop.torch import Optimizer as Adapter
    from spusk.interop.update import update_of

    p = {name: torch.nn.Parameter(torch.tensor(turned(w))) for name, w in START.items()}
    optimizer = Adapter(rule, p.items(), **arguments)
    why = update_of(rule, {name: (w.shape, "float64") for name, w in START.items()}).needs_closure

    def closure():
        optimizer.zero_grad()
        loss = torch_s(torch, p)
        if "second derivatives" not in why:
            loss.backward()
        return loss

    for _ in range(STEPS):
        optimizer.step(closure)
    optimizer.eval()
    return {name: turned_back(w.detach().numpy()) for name, w in p.items()}


@pytest.fixture
def torch(peer):
    return peer("torch")


@dataclass(frozen=True)
class Rows(Optimizer):
    """A rule of the user's own that reads axes: every weight moves by the mean gradient of its output."""

    lr: Hyper = 0.1
    out_first: bool | None = None

    def update(self, w, g, s, t):
        if w.ndim == 2:
            g = snp.mean(g, axis=1 if self.out_first else 0, keepdims=True) + snp.zeros_like(w)
        return w - self.lr * g, s


READ_AXES = [
    optim.AGC(optim.SGD(lr=0.1), clip=0.05),
    optim.AdaHessian(),
    optim.Adafactor(),
    optim.Adafactor(largest_axes=True),
    optim.Adafactor.like("timm", min_size=2),
    optim.Muon(),
    optim.Muon.like("torch", lr=0.1),
    optim.Lookahead(optim.Partition({"conv*": optim.AGC(optim.Adam(lr=0.05)), "*": optim.Muon()}), k=3),
    Rows(),
]
READ_SHAPES = [
    optim.Muon.like("timm"),
    optim.Shampoo(),
    optim.SOAP(lr=0.05),
    optim.PSGDKron(lr=0.05),
    optim.LARS(),
    optim.LAMB(lr=0.01),
    optim.MARS(),
    optim.NovoGrad(),
    optim.Cautious(optim.Momentum()),
    optim.SophiaH(lr=0.01),
    optim.SAM(optim.AGC(optim.SGD(lr=0.1), clip=0.05)),
]


@pytest.mark.parametrize("rule", READ_AXES + READ_SHAPES, ids=lambda rule: rule.label)
def test_a_network_trains_in_torch_s_order_of_axes_as_in_spusk_s(torch, rule):
    close(in_torch(torch, rule, backend="torch"), in_spusk(rule), 1e-10)


@pytest.mark.parametrize("rule", READ_AXES[:1] + READ_AXES[5:6], ids=lambda rule: rule.label)
def test_native_code_knows_the_order_too(torch, rule):
    close(in_torch(torch, rule), in_spusk(rule), 1e-10)


@pytest.mark.parametrize("rule", READ_AXES, ids=lambda rule: rule.label)
def test_in_the_wrong_order_these_rules_do_something_else(torch, rule):
    found, expected = in_torch(torch, rule, backend="torch", out_first=False), in_spusk(rule)
    assert any(abs(found[name] - w).max() > 1e-6 for name, w in expected.items())


def test_what_a_rule_says_of_the_order_itself_comes_first(torch):
    rule = optim.AGC(optim.SGD(lr=0.1), clip=0.05, out_first=True)
    close(in_torch(torch, rule, backend="torch", out_first=False), in_spusk(optim.AGC(rule.inner, clip=0.05)))


# --- other libraries' optimizers on torch's layers ----------------------------------------------------


def same_path(torch, rule, theirs, shapes, before=lambda parameters: None, loss=None, steps=8):
    """Trains tensors of these shapes, with our rule and with another optimizer, and compares them."""
    from spusk.interop.torch import Optimizer as Adapter

    ends = []
    for make in (lambda ps: Adapter(rule, ps, backend="torch"), theirs):
        torch.manual_seed(0)
        ps = [torch.nn.Parameter(torch.randn(*shape, dtype=torch.float64)) for shape in shapes]
        optimizer, slopes = make(ps), [torch.randn_like(p) for p in ps]
        is_theirs = len(ends) == 1

        def value(ps=ps, slopes=slopes):
            return sum(
                ((p * a).sin() * a).sum() + (p**4 * a * a).sum() / 8 for p, a in zip(ps, slopes, strict=True)
            )

        def closure(optimizer=optimizer, value=value, ps=ps, is_theirs=is_theirs):
            optimizer.zero_grad()
            found = value()
            if loss != "second":
                found.backward()
            elif is_theirs:
                for p, g in zip(ps, torch.autograd.grad(found, ps, create_graph=True), strict=True):
                    p.grad = g
            if is_theirs:
                before(ps)
            return found

        for _ in range(steps):
            optimizer.step(closure)
        ends.append([p.detach() for p in ps])
    for a, b in zip(*ends, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


LAYERS = [(3, 2, 3, 2), (4, 3), (4,), (2, 4)]


def test_adaptive_clipping_is_timm_s(torch, peer):
    clip = peer("timm.utils.agc").adaptive_clip_grad
    rule = optim.AGC.like("timm", inner=optim.SGD(lr=0.1))
    same_path(torch, rule, lambda ps: torch.optim.SGD(ps, lr=0.1), LAYERS, before=clip)


@pytest.mark.parametrize("adjust", [None, "match_rms_adamw"])
def test_muon_is_torch_s(torch, monkeypatch, adjust):
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # it would compute to two digits only
    rule = optim.Muon.like("torch", lr=0.05, scale="rms" if adjust else "spectral")
    theirs = lambda ps: torch.optim.Muon(ps, lr=0.05, adjust_lr_fn=adjust)  # noqa: E731
    same_path(torch, rule, theirs, [(4, 3), (2, 5), (3, 3)])


def test_muon_of_convolutions_is_timm_s(torch, peer, monkeypatch):
    module = peer("timm.optim.muon")
    exact = module.zeropower_via_newtonschulz
    monkeypatch.setattr(
        module, "zeropower_via_newtonschulz", lambda *a, **kw: exact(*a, **{**kw, "dtype": torch.float64})
    )
    rule = optim.Muon.like("timm", lr=0.05)
    theirs = lambda ps: module.Muon([{"params": ps, "use_muon": True}], lr=0.05, weight_decay=0.0)  # noqa: E731
    same_path(torch, rule, theirs, [(6, 2, 3, 2), (4, 3)])


def test_adahessian_is_timm_s(torch, peer):
    adahessian = peer("timm.optim").Adahessian  # of this loss, the Hessian is diagonal, whatever is drawn
    rule = optim.AdaHessian(lr=0.1, eps=1e-4)
    theirs = lambda ps: adahessian(ps, lr=0.1, eps=1e-4, avg_conv_kernel=True)  # noqa: E731
    same_path(torch, rule, theirs, LAYERS, loss="second")


def test_adafactor_is_torch_s(torch):
    rule = optim.Adafactor.like("torch", eps=np.finfo(float).eps)
    same_path(torch, rule, torch.optim.Adafactor, LAYERS)


def test_adafactor_is_timm_s(torch, peer):
    adafactor = peer("timm.optim").Adafactor
    same_path(torch, optim.Adafactor.like("timm"), adafactor, [(18, 17, 2, 2), (20, 17), (3, 20)])
