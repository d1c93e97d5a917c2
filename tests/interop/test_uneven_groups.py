"""Parameter groups that ask for less than others: frozen ones for nothing, others for what their part asks."""

import numpy as np
import pytest

from spusk import optim

pytestmark = pytest.mark.peers


@pytest.fixture
def make(torch):
    import spusk.interop.torch

    return spusk.interop.torch.Optimizer


RULES = [
    optim.Adam(lr=0.1),
    optim.Prodigy(),
    optim.DAdaptSGD(),
    optim.SAM(optim.Momentum(lr=0.1)),
    optim.AdaHessian(lr=0.1),
    optim.LayerRates(optim.Adam(lr=0.1), {"*": 0.5}),
    optim.EMA(optim.SkipNonFinite(optim.SGD(lr=0.1))),
    optim.Clip(optim.SGD(lr=0.1), global_norm=1.0),
]


def closure_of(rule, optimizer, loss):
    def closure():
        optimizer.zero_grad()
        found = loss()
        if not isinstance(rule, optim.AdaHessian):
            found.backward()
        return found

    return closure


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
@pytest.mark.parametrize("at", [0, 1])
def test_a_group_of_frozen_parameters_is_as_if_it_were_not_there(torch, make, rule, at):
    ends = []
    for has_frozen in (True, False):
        w = torch.nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float64))
        frozen = torch.nn.Parameter(torch.ones(3), requires_grad=False)
        groups = [{"params": [("head", w)]}]
        if has_frozen:
            groups.insert(at, {"params": [("body", frozen)]})
        optimizer = make(rule, groups)
        closure = closure_of(rule, optimizer, lambda w=w: ((w - 3) ** 4).sum())
        for _ in range(3):
            optimizer.step(closure)
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step(closure)
        optimizer.eval()
        ends.append(w.tolist())
        optimizer.train()
        assert frozen.tolist() == [1, 1, 1]
        assert frozen not in optimizer.state
    assert ends[0] == ends[1] != [1, 2]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_where_all_is_frozen_a_step_does_nothing_but_ask_the_closure(torch, make, rule):
    w = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    optimizer = make(rule, [("w", w)])
    assert optimizer.step(lambda: 5.0) == 5.0
    assert optimizer.step() is None
    assert w.tolist() == [1, 1]
    w.requires_grad_(True)  # thawed, it is trained
    optimizer.step(closure_of(rule, optimizer, lambda: (w**4).sum()))
    assert w.tolist() != [1, 1]


def test_groups_of_other_parts_of_a_rule_ask_another_number_of_times(torch, make):
    """A perturbed and a plain part: two questions of one group, and one of the other, in either order."""
    rule = optim.Muon(lr=0.1, lr_ratio=1.0, rest=optim.SAM(optim.SGD(lr=0.1), rho=0.5))
    found = []
    for turned in (False, True):
        matrix = torch.nn.Parameter(torch.eye(2, dtype=torch.float64))
        bias = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
        groups = [{"params": [("0.weight", matrix)]}, {"params": [("0.bias", bias)]}]
        optimizer = make(rule, groups[::-1] if turned else groups)
        closure = closure_of(rule, optimizer, lambda m=matrix, b=bias: m.trace() + (b**2).sum())
        losses = [float(optimizer.step(closure).detach()) for _ in range(2)]
        found.append((losses, matrix.tolist(), bias.tolist()))
    assert found[0] == found[1]
    losses, _, bias = found[0]
    # x² seen from x + 0.5 has slope 2x + 1.
    first = 1 - 0.1 * 3
    np.testing.assert_allclose(losses[0], 3.0)
    np.testing.assert_allclose(bias[0], first - 0.1 * (2 * first + 1))
