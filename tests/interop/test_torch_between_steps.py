"""Whatever is changed between two steps inside torch, the next one sees: both backends go on alike."""

from __future__ import annotations

import copy
import warnings

import pytest
from interop.training import BACKENDS

from spusk import optim

pytestmark = pytest.mark.peers


def states(run):
    return [run.optimizer.state[p] for p in run.parameters.values()]


def slots(run):
    """Every slot of every parameter: its state, its name, its tensor."""
    found = [(state, key, value) for state in states(run) for key, value in state.items()]
    return [(s, key, value) for s, key, value in found if run.torch.is_tensor(value) and value.ndim]


def other_state(run):
    for p in run.parameters.values():
        run.optimizer.state[p] = {k: copy.deepcopy(v) for k, v in run.optimizer.state[p].items()}


def halved_slots(run):
    for state, key, value in slots(run):
        state[key] = value * 0.5


def halved_memory(run):
    for _, _, value in slots(run):
        value.mul_(0.5)


def strided_slots(run):
    for state, key, value in slots(run):
        state[key] = run.torch.stack([value, value], -1)[..., 0]


def other_precision_in_place(run):
    """The same tensors, whose memory is the same, hold numbers of half the size."""
    for _, _, value in slots(run):
        half = value.to(run.torch.float32).flatten()
        memory = value.data.flatten().view(run.torch.float32)[: value.numel()]
        memory.copy_(half)
        value.data = memory.reshape(value.shape)


def no_state(run):
    run.optimizer.state.clear()


def one_state_less(run):
    del run.optimizer.state[next(iter(run.parameters.values()))]


def other_data(run):
    for p in run.parameters.values():
        p.data = p.data * 0.5


def strided_data(run):
    for p in run.parameters.values():
        p.data = run.torch.stack([p.data, p.data], -1)[..., 0]


def float32_data(run):
    no_state(run)
    for p in run.parameters.values():
        p.data = p.data.float()
    run.x = run.x.float()


def uphill(run):
    run.optimizer.param_groups[0]["maximize"] = True


def frozen(run):
    run.parameters["hidden.bias"].requires_grad_(False)
    run.parameters["hidden.bias"].grad = None


def loaded(run):
    run.optimizer.load_state_dict(copy.deepcopy(run.optimizer.state_dict()))


CHANGES = [
    other_state, halved_slots, halved_memory, strided_slots, other_precision_in_place, no_state, one_state_less,
    other_data, strided_data, float32_data, uphill, frozen, loaded,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize(
    "rule", [optim.Adam(), optim.Momentum(), optim.Nesterov(), optim.Muon()], ids=lambda rule: rule.label
)
def test_the_next_step_is_one_of_what_is_there(torch, training, rule, change):
    runs = [training(rule, backend=backend) for backend in BACKENDS]
    plain = training(rule).run(6)
    for run in runs:
        run.run(3)
        change(run)
        run.run(3)
    single = change in (float32_data, other_precision_in_place)
    for a, b in zip(*(run.parameters.values() for run in runs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4 if single else 1e-11, atol=1e-5 if single else 1e-12)
    moved = any(
        not torch.equal(a.double(), b) for a, b in zip(runs[0].parameters.values(), plain.bits, strict=True)
    )
    assert moved or change in (other_state, loaded, strided_slots, strided_data)


@pytest.mark.parametrize("backend", BACKENDS)
def test_frozen_parameters_that_are_trained_again_go_on_with_their_state(training, backend):
    run = training(optim.Adam(), backend=backend).run(2)
    bias = run.parameters["hidden.bias"]
    before = run.optimizer.state[bias]["m"].clone()
    frozen(run)
    run.run(2)
    assert run.optimizer.state[bias]["m"].equal(before)
    bias.requires_grad_(True)
    assert not run.run(1).optimizer.state[bias]["m"].equal(before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rate_that_is_learned_itself_is_a_number_to_the_step(torch, training, backend):
    plain, learned = training(optim.Adam(lr=0.25), backend=backend), training(optim.Adam(), backend=backend)
    learned.optimizer.param_groups[0]["lr"] = torch.tensor(0.25, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain.run(2), learned.run(2)
    assert all(a.equal(b) for a, b in zip(plain.bits, learned.bits, strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_steps_are_not_recorded_for_the_gradient(torch, training, backend):
    run = training(optim.Adam(), backend=backend).run(1)
    strided_data(run)
    run.run(1)
    assert torch.is_grad_enabled()
    assert all(p.is_leaf and p.grad_fn is None for p in run.parameters.values())
    assert not any(value.requires_grad for _, _, value in slots(run))
