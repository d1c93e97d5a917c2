"""Spusk's rules as torch optimizers."""

from __future__ import annotations

import copy
import doctest
import functools
import io
import math
import pickle
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from interop.problem import RULES, START, Polyak, X, close, digits, loss_of, native, why_closure

from spusk import optim
from spusk.errors import InputError
from spusk.optim import Hyper, Optimizer, State

pytestmark = pytest.mark.peers

BACKENDS = ["native", "torch"]


@pytest.fixture
def torch(peer):
    return peer("torch")


@pytest.fixture
def adapter(torch):
    import spusk.interop.torch

    return spusk.interop.torch


class Training:
    """A model whose weights are (out, in), as torch's layers have them, its loss, and an optimizer of ours."""

    def __init__(self, torch, adapter, rule, dtype="float64", start=START, **arguments):
        self.torch, self.rule = torch, rule
        kind = getattr(torch, dtype)
        self.parameters = {n: torch.nn.Parameter(torch.tensor(w.T).to(kind)) for n, w in start.items()}
        self.x = torch.tensor(X).to(kind)
        self.optimizer = adapter.Optimizer(rule, self.parameters.items(), **arguments)
        self.why_closure = why_closure(self.optimizer.rule)

    def loss(self):
        turned = {name: p.mT if p.ndim == 2 else p for name, p in self.parameters.items()}  # (in, out)
        return loss_of(self.torch, turned, self.x)

    def closure(self):
        self.optimizer.zero_grad()
        loss = self.loss()
        if "second derivatives" not in self.why_closure:
            loss.backward()
        return loss

    def run(self, steps=10, closure=False):
        for _ in range(steps):
            if closure or self.why_closure:
                self.optimizer.step(self.closure)
            else:
                self.closure()
                self.optimizer.step()
        return self

    @property
    def bits(self):
        return [p.detach().clone() for p in self.parameters.values()]

    def weights(self):
        """The weights to use."""
        self.optimizer.eval()
        found = {name: p.detach().double().numpy().T.copy() for name, p in self.parameters.items()}
        self.optimizer.train()
        return found


@pytest.fixture
def training(torch, adapter):
    return lambda rule, **arguments: Training(torch, adapter, rule, **arguments)


def same_bits(a, b):
    return all((x == y).all() for x, y in zip(a, b, strict=True))


# --- the whole catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_ten_steps_are_those_of_spusk(training, rule, backend):
    close(training(rule, backend=backend).run().weights(), native(rule), digits(rule))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_ten_steps_with_a_closure_are_those_of_spusk(training, rule):
    close(training(rule).run(closure=True).weights(), native(rule), digits(rule))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_a_saved_state_goes_on_with_the_same_bits(torch, training, rule):
    whole = training(rule).run(10)
    half = training(rule).run(5)
    file = io.BytesIO()
    torch.save({"parameters": half.bits, "optimizer": half.optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    again = training(rule)
    for p, value in zip(again.parameters.values(), saved["parameters"], strict=True):
        p.data.copy_(value)
    again.optimizer.load_state_dict(saved["optimizer"])
    assert same_bits(again.run(5).bits, whole.bits)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_float32_weights_follow_spusk_in_float32(training, rule):
    close(training(rule, dtype="float32").run(5).weights(), native(rule, 5, "float32"), 2e-3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_half_precision_parameters_have_state_in_float32(torch, training, rule):
    run = training(rule, dtype="bfloat16").run(2)
    assert all(p.dtype is torch.bfloat16 and p.isfinite().all() for p in run.parameters.values())
    kept = [
        value
        for state in run.optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    assert {value.dtype for value in kept} <= {torch.float32, torch.float64}
    assert all(value.shape == () for value in kept if value.dtype is torch.float64)


# --- like any torch optimizer -------------------------------------------------------------------------


def test_it_is_a_torch_optimizer(torch, training):
    assert isinstance(training(optim.Adam()).optimizer, torch.optim.Optimizer)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.Adam.like("torch"), "Adam", {}),
        (optim.RAdam.like("torch"), "RAdam", {}),
        (optim.Nesterov.like("torch", lr=0.01), "SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
        (optim.RMSprop.like("torch"), "RMSprop", {}),
    ],
)
def test_presets_do_what_the_torch_optimizer_does(torch, training, backend, rule, name, arguments):
    ours = training(rule, backend=backend).run(20)
    theirs = training(rule)
    theirs.optimizer = getattr(torch.optim, name)(theirs.parameters.values(), **arguments)
    theirs.run(20)
    for a, b in zip(ours.bits, theirs.bits, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_a_scheduler_of_torch_sets_the_rate_without_building_anything_anew(torch, training, monkeypatch):
    ours = training(optim.Lookahead(optim.Adam.like("torch", lr=0.1), k=1000))
    theirs = training(optim.SGD())
    theirs.optimizer = torch.optim.Adam(theirs.parameters.values(), lr=0.1)
    schedulers = [torch.optim.lr_scheduler.StepLR(run.optimizer, 2, 0.5) for run in (ours, theirs)]
    ours.run(1)
    monkeypatch.setattr("spusk.interop.torch.group.NativeStep", None)  # from here on nothing can be built
    theirs.run(1)
    for _ in range(6):
        for run, scheduler in zip((ours, theirs), schedulers, strict=True):
            scheduler.step()
            run.run(1)
    assert ours.optimizer.param_groups[0]["lr"] == 0.1 / 8
    for a, b in zip(ours.bits, theirs.bits, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_schedules_of_spusk_count_the_steps(training):
    rule = optim.Adam(lr=optim.Cosine(0.1, steps=8))
    close(training(rule).run().weights(), native(rule), digits(rule))


def test_a_torch_scheduler_on_a_rate_that_the_rule_schedules_is_an_error(torch, training):
    run = training(optim.Adam(lr=optim.Cosine(0.1, steps=8)))
    run.run(1)
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(0.1)
    run.optimizer.param_groups[0]["lr"] = 0.5
    with pytest.raises(InputError, match="schedules its learning rate itself"):
        run.run(1)


@pytest.mark.parametrize(
    ("rule", "name", "arguments"),
    [
        (optim.Momentum.like("torch", lr=0.01), "SGD", {"lr": 0.01, "momentum": 0.9}),
        (optim.Adam.like("torch", lr=0.01), "Adam", {"lr": 0.01}),
        (optim.Lookahead(optim.Adam.like("torch", lr=0.01), k=1000), "Adam", {"lr": 0.01}),
    ],
    ids=["momentum", "adam", "lookahead"],
)
@pytest.mark.parametrize("cycle", ["OneCycleLR", "CyclicLR"])
def test_schedulers_of_torch_cycle_the_momentum(torch, training, monkeypatch, rule, name, arguments, cycle):
    ours, theirs = training(rule), training(optim.SGD())
    theirs.optimizer = getattr(torch.optim, name)(theirs.parameters.values(), **arguments)
    of_cycle = (
        {"max_lr": 0.05, "total_steps": 12}
        if cycle == "OneCycleLR"
        else {"base_lr": 0.01, "max_lr": 0.05, "step_size_up": 4}
    )
    schedulers = [
        getattr(torch.optim.lr_scheduler, cycle)(run.optimizer, **of_cycle) for run in (ours, theirs)
    ]
    ours.run(1)
    monkeypatch.setattr("spusk.interop.torch.group.NativeStep", None)  # from here on nothing can be built
    theirs.run(1)
    seen = set()
    for _ in range(8):
        for run, scheduler in zip((ours, theirs), schedulers, strict=True):
            scheduler.step()
            run.run(1)
        seen.add(ours.optimizer.param_groups[0]["momentum"])
    assert len(seen) > 3
    for a, b in zip(ours.bits, theirs.bits, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def test_without_a_momentum_torch_says_that_there_is_none(torch, training):
    with pytest.raises(ValueError, match="optimizer must support momentum or beta1"):
        torch.optim.lr_scheduler.OneCycleLR(training(optim.SGD()).optimizer, max_lr=0.1, total_steps=5)


def test_the_momentum_is_one_number_under_two_names(training):
    run = training(optim.Adam())
    (group,) = run.optimizer.param_groups
    group["beta1"] = 0.5
    run.run(1)
    assert group["momentum"] == 0.5
    group["momentum"] = 0.8
    run.run(1)
    assert group["beta1"] == 0.8
    group["momentum"], group["beta1"] = 0.6, 0.7
    with pytest.raises(InputError, match=r"momentum=0.6 and beta1=0.7; set one"):
        run.run(1)


def test_groups_have_their_own_hyperparameters(torch, adapter):
    a, b, c = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(3))
    optimizer = adapter.Optimizer(
        optim.Momentum(lr=0.1, mu=0.5), [{"params": [a]}, {"params": [b], "lr": 1.0, "mu": 0.0}]
    )
    optimizer.add_param_group({"params": c, "lr": 0.01})
    for p in (a, b, c):
        p.grad = torch.ones_like(p)
    for _ in range(2):
        optimizer.step()
    assert [p[0].item() for p in (a, b, c)] == pytest.approx([1 - 0.1 - 0.15, 1 - 2, 1 - 0.01 - 0.015])


def test_a_group_with_a_number_that_is_not_allowed_is_refused(torch, adapter):
    optimizer = adapter.Optimizer(optim.Adam(), [torch.nn.Parameter(torch.ones(2))])
    with pytest.raises(InputError, match="beta1 must be at least 0 and below 1"):
        optimizer.add_param_group({"params": torch.nn.Parameter(torch.ones(2)), "beta1": 2.0})
    assert len(optimizer.param_groups) == 1


def test_named_and_plain_parameters_give_the_same(torch, adapter):
    ends = []
    for named in (True, False):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))
        optimizer = adapter.Optimizer("adam", model.named_parameters() if named else model.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).sum().backward()
            optimizer.step()
        ends.append([p.detach() for p in model.parameters()])
    assert same_bits(*ends)


def test_rules_see_the_names_of_named_parameters(torch, adapter):
    @dataclass(frozen=True)
    class OnlyBiases(Optimizer):
        lr: Hyper = 1.0

        def update_all(self, parameters, gradients, state, t):
            moved = {
                n: w - self.lr * gradients[n] if n.endswith("bias") else w for n, w in parameters.items()
            }
            return moved, state

    model = torch.nn.Linear(2, 2)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = adapter.Optimizer(OnlyBiases(), model.named_parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert (model.weight == before[0]).all()
    assert (model.bias == before[1] - 1).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_without_gradient_are_left_alone(torch, adapter, backend):
    a, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = adapter.Optimizer(optim.Adam(lr=0.1), [a, b], backend=backend)
    a.grad = torch.ones(2)
    optimizer.step()
    assert a[0] != 1
    assert b.tolist() == [1, 1]
    assert b not in optimizer.state or "m" not in optimizer.state[b]
    b.grad, a.grad = torch.ones(2), None
    kept = a.detach().clone()
    optimizer.step()
    assert (a == kept).all()
    assert b[0].item() == pytest.approx(0.9)  # its own first step
    assert [optimizer.state[p]["steps taken"] for p in (a, b)] == [1, 1]


def test_a_rule_over_all_parameters_takes_missing_gradients_as_zero(torch, adapter):
    @dataclass(frozen=True)
    class Normed(Optimizer):
        lr: Hyper = 1.0

        def update_all(self, parameters, gradients, state, t):
            import spusk.numpy as snp

            norm = snp.sqrt(sum(snp.sum(g * g) for g in gradients.values()))
            return {n: w - self.lr * gradients[n] / norm for n, w in parameters.items()}, state

    a, b = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimizer = adapter.Optimizer(Normed(), [a, b])
    a.grad = torch.tensor([3.0, 4.0])
    optimizer.step()
    torch.testing.assert_close(a.detach(), torch.tensor([-0.6, -0.8]))
    b.grad = torch.tensor([12.0, 0.0])
    optimizer.step()
    torch.testing.assert_close(b.detach(), torch.tensor([-12 / 13, 0.0]))


@pytest.mark.parametrize(
    "rule",
    [
        optim.Momentum(lr=0.1),
        optim.WeightDecay(optim.Adam()),
        optim.Nesterov(lr=0.1),
        optim.SAM(optim.Nesterov(lr=0.1)),
    ],
    ids=repr,
)
def test_a_step_with_a_closure_leaves_groups_without_gradients_alone(torch, adapter, rule):
    a, b = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimizer = adapter.Optimizer(rule, [{"params": [a]}, {"params": [b]}])

    def closure(*used):
        optimizer.zero_grad()
        loss = sum((p**2).sum() for p in used)
        loss.backward()
        return loss

    optimizer.step(lambda: closure(a))
    assert a[0] != 1
    assert b.tolist() == [1, 1]
    assert not optimizer.state.get(b)
    optimizer.step(lambda: closure(a, b))
    b_then, state = b.detach().clone(), copy.deepcopy(optimizer.state[b])
    assert b_then[0] != 1
    optimizer.step(lambda: closure(a))  # b has a velocity now
    assert (b == b_then).all()
    assert str(optimizer.state[b]) == str(state)


def test_frozen_parameters_stay(torch, adapter):
    model = torch.nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    kept = model.bias.clone()
    optimizer = adapter.Optimizer("sgd", model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert (model.bias == kept).all()


def test_state_is_kept_by_parameter(torch, training):
    run = training(optim.Lookahead(optim.Nadam())).run(3)
    for p in run.parameters.values():
        state = run.optimizer.state[p]
        assert set(state) == {"steps taken", "inner/m", "inner/v", "inner/product", "slow"}
        assert state["inner/m"].shape == p.shape
        assert state["steps taken"] == 3


def test_state_of_another_shape_is_refused(torch, adapter):
    def stepped(n):
        p = torch.nn.Parameter(torch.ones(n))
        p.grad = torch.ones(n)
        optimizer = adapter.Optimizer(optim.Adam(), [p])
        optimizer.step()
        return p, optimizer

    (_, small), (p, large) = stepped(2), stepped(1000)
    with pytest.raises(
        InputError, match=r"the saved 'm' of parameter '0.0' has shape \(2,\); it needs \(1000,\)"
    ):
        large.load_state_dict(small.state_dict())
    _, large = stepped(1000)
    (p,) = large.param_groups[0]["params"]
    large.state[p]["m"] = torch.zeros(2)
    with pytest.raises(InputError, match=r"slot 0 0.0 has shape \(2,\); it needs 1000 elements"):
        large.step()


def test_cleared_state_begins_anew(torch, training):
    run = training(optim.Adam()).run(3)
    run.optimizer.state.clear()
    run.run(1)
    assert {state["steps taken"] for state in run.optimizer.state.values()} == {1}


def test_a_copied_optimizer_goes_on_by_itself(torch, training):
    run = training(optim.RAdam()).run(3)
    twin = copy.deepcopy(run, {id(torch): torch})
    assert same_bits(twin.run(4).bits, training(optim.RAdam()).run(7).bits)
    assert same_bits(run.bits, training(optim.RAdam()).run(3).bits)


def test_a_pickled_optimizer_goes_on(torch, adapter):
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.tensor([1.0, 2.0, 3.0])
    optimizer = adapter.Optimizer(optim.Adam(lr=0.1), [p])
    optimizer.step()
    twin = pickle.loads(pickle.dumps(optimizer))
    (q,) = twin.param_groups[0]["params"]
    q.grad = p.grad.clone()
    optimizer.step()
    twin.step()
    assert (p == q).all()
    assert q is not p


def test_the_loss_of_the_closure_is_returned(training):
    run = training(optim.Adam())
    expected = run.loss().item()
    assert run.optimizer.step(run.closure).item() == expected


def test_hooks_of_torch_are_called(training):
    run, calls = training(optim.Adam()), []
    run.optimizer.register_step_post_hook(lambda *_: calls.append(1))
    run.run(2)
    assert calls == [1, 1]


def test_maximising_climbs(training):
    down, up = training(optim.Adam()).run(1), training(optim.Adam(), maximize=True).run(1)
    for name, w in START.items():
        moved = [run.parameters[name].detach().numpy() - w.T for run in (down, up)]
        np.testing.assert_allclose(moved[0], -moved[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_updated_in_float32(torch, adapter, backend, dtype):
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0]).to(getattr(torch, dtype)))
    p.grad = torch.tensor([0.5, 0.25]).to(p.dtype)
    optimizer = adapter.Optimizer(optim.Momentum(lr=0.1), [p], backend=backend)
    optimizer.step()
    expected = torch.tensor([1.0, -2.0]) - 0.1 * torch.tensor([0.5, 0.25])
    assert (p.detach() == expected.to(p.dtype)).all()
    assert optimizer.state[p]["v"].dtype is torch.float32


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_of_several_precisions_and_strides_are_updated(torch, adapter, backend):
    ends = []
    for turned in (True, False):
        torch.manual_seed(1)
        a, b = torch.randn(4, 3, dtype=torch.float64), torch.randn(5)
        parameters = [torch.nn.Parameter(a.T if turned else a.T.contiguous()), torch.nn.Parameter(b)]
        optimizer = adapter.Optimizer(optim.Adam(lr=0.1), parameters, backend=backend)
        for _ in range(3):
            for p in parameters:
                p.grad = p.detach().sin()
            optimizer.step()
        ends.append([p.detach() for p in parameters])
    assert same_bits(*ends)


def test_native_steps_change_the_tensors_where_they_are(torch, training):
    run = training(optim.Adam()).run(1)
    tensors = [*run.parameters.values(), *(s["m"] for s in run.optimizer.state.values())]
    before = [t.data_ptr() for t in tensors]
    run.run(3)
    assert [t.data_ptr() for t in tensors] == before


@pytest.mark.parametrize("rule", [optim.Adam(), optim.Nadam(), optim.Nesterov()], ids=lambda rule: rule.label)
def test_torch_s_operations_go_block_by_block(training, monkeypatch, rule):
    monkeypatch.setattr("spusk.interop.torch.part.BLOCK", 4)
    close(training(rule, backend="torch").run().weights(), native(rule))


# --- rules that look elsewhere, or twice ---------------------------------------------------------------


@dataclass(frozen=True)
class Sharp(Optimizer):
    """Sharpness-aware minimisation, in a few lines."""

    lr: Hyper = 0.05
    rho: Hyper = 0.05

    def gradients_all(self, objective, parameters, state, t):
        import spusk.numpy as snp

        first = objective.gradients(parameters)
        norm = snp.sqrt(sum(snp.sum(g * g) for g in first.values()))
        up = {n: w + self.rho * first[n] / norm for n, w in parameters.items()}
        return objective.gradients(up).replaced(objective.gradients(up))

    def update(self, w, g, s, t):
        return w - self.lr * g, s


@dataclass(frozen=True)
class Curved(optim.SecondOrder):
    lr: Hyper = 0.05

    def start(self, w):
        import spusk.numpy as snp

        return State(h=snp.zeros_like(w))

    def update_curved(self, w, g, h, s, t):
        import spusk.numpy as snp

        kept = 0.9 * s.h + 0.1 * h
        return w - self.lr * g / (snp.abs(kept) + 1), State(h=kept)


@pytest.mark.parametrize("rule", [Sharp(), Curved(), Polyak()], ids=repr)
def test_rules_that_ask_more_than_one_gradient_are_exact_with_a_closure(training, rule):
    assert why_closure(rule)
    close(training(rule).run().weights(), native(rule), digits(rule))


@pytest.mark.parametrize(
    ("rule", "why"), [(Sharp(), "2 times"), (Curved(), "second derivatives"), (Polyak(), "value of the loss")]
)
def test_without_a_closure_they_say_what_they_need(training, rule, why):
    run = training(rule)
    run.loss().backward()
    with pytest.raises(InputError, match=rf"needs step\(closure\).*{why}"):
        run.optimizer.step()


def test_second_derivatives_want_a_closure_without_backward(training):
    run = training(Curved())
    run.why_closure = ""
    with pytest.raises(InputError, match="without calling backward"):
        run.optimizer.step(run.closure)


def test_two_groups_ask_together(torch, adapter):
    calls = []
    a, b = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimizer = adapter.Optimizer(Sharp(), [{"params": [a]}, {"params": [b], "lr": 0.5}])

    def closure():
        calls.append((a.detach().clone(), b.detach().clone()))
        optimizer.zero_grad()
        loss = (a**2).sum() + (b**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    up = 1 + 0.05 / math.sqrt(2)
    assert len(calls) == 2
    assert [t[0].item() for t in calls[1]] == pytest.approx([up, up])
    assert [a[0].item(), b[0].item()] == pytest.approx([1 - 0.05 * 2 * up, 1 - 0.5 * 2 * up])


def test_the_model_is_at_the_point_of_the_gradient_until_eval(torch, training):
    run = training(optim.Nesterov(lr=0.1, mu=0.5)).run(2)
    point = run.bits
    run.optimizer.eval()
    weights = run.bits
    assert not same_bits(point, weights)
    turned = {name: w.numpy().T for name, w in zip(START, weights, strict=True)}
    close(turned, native(optim.Nesterov(lr=0.1, mu=0.5), 2))
    run.optimizer.eval()
    assert same_bits(run.bits, weights)
    with pytest.raises(InputError, match=r"call train\(\) before a step"):
        run.run(1)
    run.optimizer.train()
    assert same_bits(run.bits, point)


# --- torch.compile ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_compiled_steps_trace_to_those_of_spusk(torch, training, monkeypatch, rule):
    quick = functools.partial(torch.compile, backend="eager")  # what Inductor makes of it is tested below
    monkeypatch.setattr(torch, "compile", quick)
    close(training(rule, backend="torch", compile=True).run().weights(), native(rule), digits(rule))


@pytest.mark.fuzz  # Inductor takes a minute on a busy machine
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own, inside Inductor
def test_compiled_steps_are_those_of_spusk_whatever_the_rate(torch, training):
    rule = optim.Nadam(lr=0.01)
    run = training(rule, backend="torch", compile=True)
    torch._dynamo.utils.counters.clear()
    run.run(2)
    compiled = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    run.run(8)
    close(run.weights(), native(rule), digits(rule))
    run.optimizer.param_groups[0]["lr"] = 0.5
    run.run(1)
    assert compiled == torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


# --- what cannot be used ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"backend": "cuda"}, "backend is 'cuda'"), ({"backend": "native", "compile": True}, "compile=True")],
)
def test_arguments_that_make_no_sense_are_refused(torch, adapter, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        adapter.Optimizer("adam", [torch.nn.Parameter(torch.ones(2))], **arguments)


def test_parameters_that_are_no_floats_are_refused(torch, adapter):
    with pytest.raises(InputError, match="a parameter is complex64"):
        adapter.Optimizer("adam", [torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])


def test_sparse_gradients_are_refused(torch, adapter):
    table = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = adapter.Optimizer("adam", table.parameters())
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(InputError, match="a gradient is sparse"):
        optimizer.step()


def test_the_examples_in_the_docstrings_run(torch, adapter):
    from spusk.interop.torch import checks, optimizer

    for module in (checks, optimizer):
        found = doctest.testmod(module)
        assert found.attempted
        assert not found.failed


def test_without_torch_the_error_says_how_to_install_it():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "try:\n    import spusk.interop.torch\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "spusk.interop.torch needs torch, which is not installed: pip install 'spusk[torch]'"
    )


BY_NAME = [
    optim.LayerwiseDecay(),
    optim.LayerRates(optim.Adam(), {"0.*": 0.1}),
    optim.Mask(but="*bias"),
    optim.Clip(optim.Partition({"*bias": optim.SGD(), "*": optim.Adam()}), norm=1.0),
    optim.WeightDecay(only="*weight"),
]


@pytest.mark.parametrize("rule", BY_NAME, ids=lambda rule: rule.label)
def test_rules_that_go_by_names_refuse_parameters_without(torch, adapter, rule):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    with pytest.raises(
        InputError, match=f"^{rule.label} goes by the names of the parameters; give model.named_"
    ):
        adapter.Optimizer(rule, model.parameters())
    adapter.Optimizer(rule, model.named_parameters())
    adapter.Optimizer(optim.Partition({"*": optim.WeightDecay(optim.Mask())}), model.parameters())


@pytest.mark.parametrize(
    ("rule", "entry", "sentence"),
    [
        (
            optim.Adam(),
            {"betas": (0.5, 0.9)},
            "'betas', which adam does not know; here it is beta1 and beta2$",
        ),
        (optim.Adam(), {"weight_decay": 0.1}, "'weight_decay', which adam does not know; it has lr, beta1, "),
        (
            optim.Lookahead(),
            {"beta1": 0.1},
            "'beta1', which lookahead.* does not know; here it is inner.beta1$",
        ),
        (optim.Lookahead(), {"inner.lr": 0.1}, "'inner.lr', which lookahead does not know; here it is lr$"),
        (optim.Adam(), {"mu": 0.1}, "'mu', which adam does not know; it has lr, beta1, "),
        (optim.Adam(), {"learning_rate": 0.1}, "'learning_rate', which adam does not know; here it is lr$"),
        (optim.Adam(), {"bata1": 0.1}, r"'bata1', which adam does not know; did you mean 'beta1'\?$"),
        (
            optim.Adam(lr=optim.Cosine(0.1, steps=9)),
            {"lr": 0.5},
            "'lr', which adam does not know; it has lr.initial, lr.steps, ",
        ),
    ],
)
def test_entries_of_groups_that_would_have_no_effect_are_refused(torch, adapter, rule, entry, sentence):
    w = torch.nn.Parameter(torch.zeros(3))
    with pytest.raises(InputError, match=sentence):
        adapter.Optimizer(rule, [{"params": [w], **entry}])
    own = {"name": "head", "lr_scale": 0.5, "max_momentum": 0.95}
    optimizer = adapter.Optimizer(rule, [{"params": [w], **own}])
    with pytest.raises(InputError, match=sentence):
        optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2))], **entry})
    assert len(optimizer.param_groups) == 1


def test_the_groups_of_a_used_optimizer_may_be_given_to_another(torch, adapter):
    for rule in (optim.Adam(), optim.Adam(lr=optim.Cosine(0.1, steps=9))):
        used = adapter.Optimizer(rule, [torch.nn.Parameter(torch.zeros(3))])
        if rule == optim.Adam():
            torch.optim.lr_scheduler.OneCycleLR(used, max_lr=0.1, total_steps=5)
        adapter.Optimizer(rule, used.param_groups)


@pytest.mark.parametrize("rule", [optim.Adam(), optim.SAM(optim.Momentum())], ids=lambda rule: rule.label)
def test_a_closure_that_does_not_call_backward_is_told(training, rule):
    ours = training(rule)
    before = ours.bits
    with pytest.raises(InputError, match=r"no parameter has a gradient; it must call backward\(\)"):
        ours.optimizer.step(ours.loss)
    assert same_bits(before, ours.bits)


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("rule", [Sharp(), optim.SAM(optim.Nesterov())], ids=["sharp", "sam"])
def test_a_closure_that_fails_leaves_the_model_where_it_was(training, rule, failing):
    ours, same = training(rule).run(2), training(rule).run(2)
    before, calls = ours.bits, []

    def closure():
        calls.append(1)
        if len(calls) == failing:
            raise KeyboardInterrupt
        return ours.closure()

    with pytest.raises(KeyboardInterrupt):
        ours.optimizer.step(closure)
    assert same_bits(ours.bits, before)
    assert same_bits(ours.run(2).bits, same.run(2).bits)


def test_a_closure_that_fails_in_the_first_step_leaves_no_state(training):
    ours = training(optim.SAM(optim.Nesterov()))
    with pytest.raises(InputError, match="no parameter has a gradient"):
        ours.optimizer.step(ours.loss)
    assert not any(ours.optimizer.state.values())


def test_torch_s_schedulers_scale_all_rates_of_a_rule_with_several(torch, adapter, training):
    rule = optim.Partition({"*bias": optim.SGD(lr=0.1), "*": optim.Adam(lr=0.01)})
    ours = training(rule)
    scheduler = torch.optim.lr_scheduler.StepLR(ours.optimizer, step_size=3, gamma=0.5)
    for _ in range(9):
        ours.run(1)
        scheduler.step()
    assert ours.optimizer.param_groups[0]["lr"] == 0.125
    falling = {pattern: r.with_lr(optim.StepDecay(r.lr, every=3, factor=0.5)) for pattern, r in rule.rules}
    close(ours.weights(), training(optim.Partition(falling)).run(9).weights())


@pytest.mark.parametrize("bias_rate", [0.1, optim.Cosine(0.1, steps=9)], ids=["one", "all"])
def test_a_torch_scheduler_on_rates_that_parts_of_a_rule_schedule_is_an_error(torch, training, bias_rate):
    parts = {"*bias": optim.SGD(lr=bias_rate), "*": optim.Adam(lr=optim.Cosine(0.01, steps=9))}
    ours = training(optim.Partition(parts))
    scheduler = torch.optim.lr_scheduler.StepLR(ours.optimizer, step_size=1, gamma=0.5)
    close(ours.run(3).weights(), native(ours.rule, 3))
    scheduler.step()
    with pytest.raises(InputError, match="partition schedules its learning rate itself, and something else"):
        ours.run(1)


OTHERS = [
    (optim.RAdam(), optim.Lion(), "radam; this optimizer is lion", "it has no "),
    (optim.RAdam(), optim.Nadam(), "radam; this optimizer is nadam", "it has no "),
    (optim.Momentum(), optim.Nesterov(), "momentum; this optimizer is nesterov", "it has no weights kept"),
    (optim.Nesterov(), optim.SGD(), "nesterov; this optimizer is sgd", "it has v, weights kept besides"),
    (optim.AMSGrad(), optim.Adam(), "amsgrad; this optimizer is adam", "it has v_hat besides"),
    (optim.Prodigy(), optim.SGD(), "prodigy; this optimizer is sgd", "it has "),
    (
        optim.Clip(optim.Adam(), norm=1.0),
        optim.Clip(optim.Lion(), norm=1.0),
        r"clip\(adam\); this optimizer is clip\(lion\)",
        "it has ",
    ),
]


@pytest.mark.parametrize("is_old", [False, True], ids=["", "saved without the rule's name"])
@pytest.mark.parametrize(("one", "other", "names", "differs"), OTHERS, ids=[case[2] for case in OTHERS])
def test_the_state_of_another_rule_is_not_taken(training, one, other, names, differs, is_old):
    saved = training(one).run(2).optimizer.state_dict()
    if is_old:
        del saved["rule"]
    ours = training(other).run(1)
    before = copy.deepcopy(ours.optimizer.state_dict())
    told = f"is not one of {other.label}.*: {differs}" if is_old else f"is one of {names}$"
    with pytest.raises(InputError, match=f"^the state {told}"):
        ours.optimizer.load_state_dict(saved)
    assert str(ours.optimizer.state_dict()) == str(before)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_states_saved_without_the_name_of_the_rule_are_taken(training, rule):
    ours = training(rule).run(2)
    ours.optimizer.eval()
    for evaluating in (True, False):
        saved = ours.optimizer.state_dict()
        assert saved.pop("rule").startswith(rule.label)
        again = training(rule)
        again.optimizer.load_state_dict(saved)
        assert again.optimizer.param_groups[0].get("evaluating", evaluating) is evaluating
        ours.optimizer.train()


def test_the_state_of_torch_s_own_optimizer_is_not_taken(torch, training):
    ours = training(optim.Adam())
    theirs = torch.optim.Adam(ours.parameters.values())
    ours.closure()
    theirs.step()
    with pytest.raises(InputError, match=r"^the state is not one of adam: it has no beta1"):
        ours.optimizer.load_state_dict(theirs.state_dict())


def test_a_plateau_is_refused_for_torch_s(torch, adapter):
    with pytest.raises(InputError, match="ReduceLROnPlateau"):
        adapter.Optimizer(optim.Clip(optim.Plateau(), norm=1.0), [torch.nn.Parameter(torch.zeros(3))])


def test_an_optimizer_shows_its_rule(torch, adapter):
    shown = repr(adapter.Optimizer(optim.Momentum(mu=0.8), [torch.nn.Parameter(torch.zeros(3))]))
    assert shown.startswith("Optimizer momentum(mu=0.8) (\nParameter Group 0\n")
