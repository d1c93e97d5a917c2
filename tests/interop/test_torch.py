"""Spusk's rules as torch optimizers take the steps of Spusk."""

from __future__ import annotations

import doctest
import functools

import numpy as np
import pytest
from interop.problem import RULES, START, Polyak, close, digits, native, why_closure
from interop.training import BACKENDS, Curved, Sharp, same_bits

from spusk import optim
from spusk.errors import InputError

pytestmark = pytest.mark.peers


# --- the whole catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_ten_steps_are_those_of_spusk(training, rule, backend):
    close(training(rule, backend=backend).run().weights(), native(rule), digits(rule))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_ten_steps_with_a_closure_are_those_of_spusk(training, rule):
    close(training(rule).run(closure=True).weights(), native(rule), digits(rule))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_float32_weights_follow_spusk_in_float32(training, rule):
    close(training(rule, dtype="float32").run(5).weights(), native(rule, 5, "float32"), 2e-3)


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


@pytest.mark.parametrize("rule", [Sharp(), Curved(), Polyak()], ids=repr)
def test_rules_that_ask_more_than_one_gradient_are_exact_with_a_closure(training, rule):
    assert why_closure(rule)
    close(training(rule).run().weights(), native(rule), digits(rule))


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


def test_the_examples_in_the_docstrings_run(torch, adapter):
    from spusk.interop.torch import checks, optimizer

    for module in (checks, optimizer):
        found = doctest.testmod(module)
        assert found.attempted
        assert not found.failed


def test_an_optimizer_shows_its_rule(torch, adapter):
    shown = repr(adapter.Optimizer(optim.Momentum(mu=0.8), [torch.nn.Parameter(torch.zeros(3))]))
    assert shown.startswith("Optimizer momentum(mu=0.8) (\nParameter Group 0\n")
