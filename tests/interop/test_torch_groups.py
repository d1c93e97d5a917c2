"""Groups of parameters, their names, and torch's schedulers on Spusk's rules."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass

import pytest
from interop.problem import close, digits, native
from interop.training import BACKENDS, Sharp, same_bits

from spusk import optim
from spusk.errors import InputError
from spusk.optim import Hyper, Optimizer

pytestmark = pytest.mark.peers


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
        w = torch.nn.Parameter(torch.zeros(3))
        used = adapter.Optimizer(rule, [w])
        if rule == optim.Adam():
            torch.optim.lr_scheduler.OneCycleLR(used, max_lr=0.1, total_steps=5)
        before = {key: value for key, value in used.param_groups[0].items() if key != "params"}
        another = adapter.Optimizer(rule, used.param_groups)
        (group,) = another.param_groups
        assert [p is w for p in group["params"]] == [True]
        agreed = dict.fromkeys(("beta1", "agreed_momentum"), before["momentum"])  # which torch has set
        assert {key: value for key, value in group.items() if key != "params"} == {**before, **agreed}
        w.grad = torch.ones(3)
        another.step()  # the first one of Adam has the size of the rate
        assert w.tolist() == pytest.approx([-before["lr"]] * 3)
        assert before["lr"] == pytest.approx(0.004 if rule == optim.Adam() else 0.1)


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


# --- what is set between steps ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"lr": -1.0}, "lr must be greater than 0"),
        ({"beta1": 1.0}, "beta1 must be"),
        ({"betas": (0.5, 0.9)}, "'betas', which adam does not know; here it is beta1 and beta2"),
        ({"lrr": 0.5}, "did you mean 'lr'?"),
    ],
)
def test_what_is_set_in_a_group_between_steps_is_checked_as_in_a_new_one(training, entry, sentence):
    run = training(optim.Adam(lr=0.1)).run(2)
    before = run.bits
    run.optimizer.param_groups[0].update(entry)
    with pytest.raises(InputError, match=re.escape(sentence)):
        run.run(1)
    assert same_bits(run.bits, before)


def test_a_scheduler_may_bring_the_rate_to_zero(torch, training):
    run = training(optim.Adam(lr=0.1))
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(run.optimizer, T_max=2)
    run.run(2)
    scheduler.step(), scheduler.step()
    assert run.optimizer.param_groups[0]["lr"] == 0
    before = run.bits
    run.run(1)
    assert same_bits(run.bits, before)


def test_entries_of_one_s_own_may_be_set_between_steps(training):
    run = training(optim.Adam(lr=0.1)).run(1)
    run.optimizer.param_groups[0]["tag"] = "body"
    run.run(1)


# --- parameters without gradients, and frozen ones ----------------------------------------------------


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize(
    "rule", [optim.Prodigy(), optim.DAdaptAdam(), optim.DAdaptSGD(), optim.DoG(), optim.DoWG()], ids=repr
)
@pytest.mark.parametrize("pattern", [((1, 0), (1, 1), (0, 1)), ((0, 1), (1, 0), (1, 1))])
def test_a_rule_over_all_parameters_meets_one_later_than_another(torch, adapter, rule, backend, pattern):
    """What has no gradient is left alone, before its first step too."""
    pair = [torch.nn.Parameter(torch.tensor(x, dtype=torch.float64)) for x in ([1.0, 2.0], [3.0])]
    optimizer = adapter.Optimizer(rule, pair, backend=backend)
    for has in pattern:
        for p, is_there in zip(pair, has, strict=True):
            p.grad = torch.ones_like(p) if is_there else None
        before = [p.detach().clone() for p in pair]
        optimizer.step()
        stayed = [bool((p == w).all()) for p, w in zip(pair, before, strict=True)]
        assert stayed == [not is_there for is_there in has]
        assert all(p.isfinite().all() for p in pair)


@pytest.mark.parametrize(
    "rule", [optim.Muon(lr=0.1), optim.LayerwiseDecay(optim.SGD(lr=1.0), gamma=0.5)], ids=repr
)
def test_freezing_a_parameter_changes_nothing_for_others(torch, adapter, rule):
    """The head of a net, or the number of its layers, does not follow from what is trained."""
    ends = []
    for frozen in (False, True):
        layers = [torch.nn.Parameter(torch.eye(2, dtype=torch.float64)) for _ in range(3)]
        named = [(f"{i}.weight", p) for i, p in enumerate(layers)]
        optimizer = adapter.Optimizer(rule, named)
        for step in range(4):
            layers[2].requires_grad_(not (frozen and step in (1, 2)))
            for p in layers:
                p.grad = torch.ones_like(p) if p.requires_grad else None
            optimizer.step()
        ends.append([p.tolist() for p in layers])
    assert ends[0][:2] == ends[1][:2]
    assert ends[0][2] != ends[1][2]


def test_a_gradient_that_is_a_negative_view_is_read_as_it_is(torch, adapter):
    w = torch.nn.Parameter(torch.zeros(3))
    w.grad = torch._neg_view(torch.tensor([1.0, 2.0, 3.0]))
    adapter.Optimizer(optim.SGD(lr=1.0), [w]).step()
    assert w.tolist() == [1, 2, 3]


def test_state_on_another_device_is_told(torch, adapter):
    w = torch.nn.Parameter(torch.zeros(3))
    w.grad = torch.ones(3)
    optimizer = adapter.Optimizer(optim.Momentum(), [w])
    optimizer.step()
    optimizer.state[w]["v"] = optimizer.state[w]["v"].to("meta")
    with pytest.raises(InputError, match="is on meta; it needs to be on the CPU"):
        optimizer.step()
