"""A rate for each layer leaves what a rule learns of all parameters together as it is."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from optim import harness
from optim.harness import Step

import spusk.numpy as snp
from spusk import optim
from spusk.errors import InputError
from spusk.graph import Tensor
from spusk.optim import Hyper, LayerRates, LayerwiseDecay, Optimizer
from spusk.optim.rates import Rates

RNG = np.random.default_rng(5)
PARAMETERS = {
    "0.weight": RNG.normal(size=(4, 3)),
    "0.bias": RNG.normal(size=3),
    "2.weight": RNG.normal(size=(3, 3)),
    "2.bias": RNG.normal(size=3),
    "4.weight": RNG.normal(size=(3, 2)),
}
GRADIENTS = [{name: RNG.normal(size=w.shape) for name, w in PARAMETERS.items()} for _ in range(12)]
JOINT = [
    optim.DoG(rho=1e-2),
    optim.DoWG(),
    optim.Prodigy(d0=0.1, weight_decay=0.1),
    optim.DAdaptAdam(d0=0.1, weight_decay=0.1),
    optim.DAdaptSGD(d0=0.1),
    optim.LAMB.like("timm", lr=0.1),
    optim.Muon(lr=0.1, weight_decay=0.1, rest_decay=0.2),
    optim.Muon(lr=0.1, rest=optim.Clip(optim.Momentum(), global_norm=0.5)),
    optim.Partition({"0.*": optim.DoG(rho=1e-2), "*": optim.Prodigy(d0=0.1)}),
    optim.Clip(optim.Adam(lr=0.1), global_norm=0.5),
    optim.AdaHessian(lr=0.1),
]


def run(rule: Optimizer, steps: int = len(GRADIENTS)) -> Step:
    step = Step(rule, PARAMETERS, harness.slope)
    for g in GRADIENTS[:steps]:
        step(g)
    return step


@pytest.mark.parametrize("rule", JOINT, ids=repr)
@pytest.mark.parametrize(
    "around", [lambda r: LayerwiseDecay(r, gamma=1.0), lambda r: LayerRates(r, {"0.*": 1.0, "2.bias": 1.0})]
)
def test_factors_of_one_change_nothing(rule, around):
    plain, layered = run(rule), run(around(rule))
    assert list(layered.state) == list(plain.state)
    for name in PARAMETERS:
        np.testing.assert_allclose(layered.parameters[name], plain.parameters[name], rtol=1e-12)


@pytest.mark.parametrize("rule", JOINT, ids=repr)
def test_a_factor_multiplies_the_first_step_of_a_rule_that_looks_at_all_parameters(rule):
    plain, layered = run(rule, 1), run(LayerRates(rule, {"0.*": 0.25, "2.bias": 3.0}), 1)
    for name, w in PARAMETERS.items():
        factor = 0.25 if name[0] == "0" else 3.0 if name == "2.bias" else 1.0
        steps = layered.parameters[name] - w, factor * (plain.parameters[name] - w)
        np.testing.assert_allclose(*steps, rtol=1e-9, atol=1e-15)


def test_the_distance_of_dog_is_that_of_all_layers():
    step = Step(LayerRates(optim.DoG(rho=0.1), {"0.*": 0.5}), PARAMETERS)
    w = first = np.concatenate([x.ravel() for x in PARAMETERS.values()])
    factor = np.concatenate([np.full(x.size, 0.5 if n[0] == "0" else 1.0) for n, x in PARAMETERS.items()])
    r, squares = 0.1 * (1 + np.linalg.norm(first)), 0.0
    for gradients in GRADIENTS:
        g = np.concatenate([x.ravel() for x in gradients.values()])
        r, squares = max(r, np.linalg.norm(w - first)), squares + g @ g
        w = w - factor * (r / np.sqrt(squares + 1e-8)) * g
        step(gradients)
    found = np.concatenate([x.ravel() for x in step.parameters.values()])
    np.testing.assert_allclose(found, w, rtol=1e-12)


def test_muons_head_is_that_of_the_whole_network():
    step = run(LayerwiseDecay(optim.Muon(lr=1.0), gamma=0.5), 1)
    assert {path.split("/")[1] for path in step.state if path.startswith("matrices")} == {
        "0.weight",
        "2.weight",
    }
    for name, share in (("0.weight", 0.25), ("2.weight", 0.5)):
        sizes = np.linalg.svd(step.parameters[name] - PARAMETERS[name], compute_uv=False)
        assert np.all((sizes > 0.5 * share) & (sizes < 1.3 * share))


def test_factors_inside_factors_are_multiplied():
    rule = optim.DoG(rho=0.1)
    twice = run(LayerRates(LayerRates(rule, {"0.*": 0.5}), {"0.weight": 0.5}))
    once = run(LayerRates(rule, {"0.weight": 0.25, "0.bias": 0.5}))
    for name in PARAMETERS:
        np.testing.assert_allclose(twice.parameters[name], once.parameters[name], rtol=1e-12)


RULES = [
    optim.get(name)
    for name, entry in optim.CATALOGUE.items()
    if not issubclass(entry, optim.Wrapper) and entry is not optim.Partition
]


BESIDE_THE_RATE = {
    optim.AdamW: "its decay has a multiplier of its own",
    optim.SGDW: "its decay has a multiplier of its own",
    optim.Rprop: "its rate is the first step, and there is a least one",
    optim.FTRL: "it divides by the rate",
}


@pytest.mark.parametrize("rule", [r for r in RULES if type(r) not in BESIDE_THE_RATE], ids=repr)
def test_a_factor_of_zero_from_the_first_step_on_stops_the_steps_of_a_layer(rule):
    step = run(LayerRates(rule, {"0.*": 0.0}))
    for name, w in PARAMETERS.items():
        stays = np.allclose(step.parameters[name], w, rtol=1e-14, atol=0)
        assert (name[0] == "0") == stays, name


@pytest.mark.parametrize("rule", [optim.AdamW(decay_by_lr=True), optim.SGDW(decay_by_lr=True)], ids=repr)
def test_decay_by_the_rate_stops_with_it(rule):
    step = run(LayerRates(rule, {"0.*": 0.0}))
    np.testing.assert_array_equal(step.parameters["0.weight"], PARAMETERS["0.weight"])


def test_what_does_not_go_by_the_rate_goes_on_without_one():
    decaying = run(LayerRates(optim.WeightDecay(optim.Adam(), weight_decay=0.5), {"0.*": 0.0}), 2)
    np.testing.assert_allclose(decaying.parameters["0.bias"], 0.25 * PARAMETERS["0.bias"], rtol=1e-12)
    step = Step(LayerRates(optim.Momentum(lr=0.1, mu=0.5), {"0.*": 1.0}), PARAMETERS)
    step(GRADIENTS[0])
    step(**{"factors__0__*": 0.0})
    moved = step.parameters["0.bias"] - PARAMETERS["0.bias"]
    np.testing.assert_allclose(moved, -0.15 * GRADIENTS[0]["0.bias"], rtol=1e-12)


def test_decay_by_lr_inside_goes_by_each_rate():
    rule = optim.WeightDecay(optim.SGD(lr=0.5), weight_decay=0.5, decay_by_lr=True)
    step = Step(LayerRates(rule, {"0.*": 0.5}), PARAMETERS)
    step()
    for name, w in PARAMETERS.items():
        np.testing.assert_allclose(step.parameters[name], (0.875 if name[0] == "0" else 0.75) * w)


@dataclass(frozen=True)
class Normalised(Optimizer):
    """A rule that divides by the norm of all gradients."""

    lr: Hyper = 0.1

    def update_all(self, parameters, gradients, state, t):
        norm = snp.sqrt(sum(snp.sum(g * g) for g in gradients.values()))
        rates = {n: self.for_parameter(n).lr for n in parameters}
        return {n: w - rates[n] * gradients[n] / norm for n, w in parameters.items()}, state


@dataclass(frozen=True)
class OneRateForAll(Optimizer):
    """A rule that reckons with its rate, in one way or another, where each parameter has its own."""

    lr: Hyper = 0.1
    reckon: Callable[..., Tensor] = operator.mul

    def update_all(self, parameters, gradients, state, t):
        return {n: w - self.reckon(self.lr, gradients[n]) for n, w in parameters.items()}, state


def test_a_rule_of_ones_own_asks_for_the_rate_of_each_parameter():
    step = Step(LayerRates(Normalised(), {"0.*": 0.5}), PARAMETERS)
    step(GRADIENTS[0])
    norm = np.sqrt(sum(np.sum(g * g) for g in GRADIENTS[0].values()))
    for name, w in PARAMETERS.items():
        rate = 0.05 if name[0] == "0" else 0.1
        np.testing.assert_allclose(w - step.parameters[name], rate * GRADIENTS[0][name] / norm)


@pytest.mark.parametrize(
    "reckon",
    [
        lambda lr, g: lr * g,
        lambda lr, g: g * lr,
        lambda lr, g: g + lr,
        lambda lr, g: g / lr,
        lambda lr, g: lr // g,
        lambda lr, g: g % lr,
        lambda lr, g: g * (2.0**lr),
        lambda lr, g: g * snp.minimum(lr, 1.0),
        lambda lr, g: g * snp.sqrt(lr),
        lambda lr, g: g * snp.asarray([lr, 1.0])[0],
        lambda lr, g: g * np.minimum(lr, 1.0),
        lambda lr, g: g * np.sum(lr),
        lambda lr, g: g * snp.stack([lr, 1.0])[0],
        lambda lr, g: g * (np.array([0.5, 1.0]) * lr)[0],
        lambda lr, g: g * abs(lr),
        lambda lr, g: snp.where(g > lr, g, 0.0),
        lambda lr, g: snp.where(lr < 0.5, g, 0.0),
        lambda lr, g: snp.where(lr <= 0.5, g, 0.0),
        lambda lr, g: snp.where(lr > 0.5, g, 0.0),
        lambda lr, g: snp.where(lr >= 0.5, g, 0.0),
        lambda lr, g: g * (lr * lr),
    ],
)
def test_a_rule_that_reckons_with_one_rate_for_all_is_told(reckon):
    Step(OneRateForAll(lr=0.1, reckon=reckon), PARAMETERS)
    with pytest.raises(InputError, match=r"a rate of its own, .* must read self.for_parameter\(name\).lr"):
        Step(LayerRates(OneRateForAll(reckon=reckon), {"0.*": 0.5}), PARAMETERS)


@pytest.mark.parametrize("number", [0.5, np.float64(0.5), np.float32(0.5), snp.asarray(0.5)], ids=repr)
def test_rates_are_multiplied_by_a_number_from_either_side_that_python_asks(number):
    rates = Rates({"a": 0.25, "b": 0.5})
    assert [float(x) for x in (rates * number).by_name.values()] == [0.125, 0.25]
    if not isinstance(number, Tensor):
        assert (number * rates).by_name == {"a": 0.125, "b": 0.25}


@pytest.mark.parametrize(
    "reckon", [np.minimum, np.add, np.multiply.outer, lambda rates, x: np.multiply.reduce(rates)]
)
def test_numpy_s_other_functions_of_rates_are_refused(reckon):
    with pytest.raises(InputError, match="a rate of its own"):
        reckon(Rates({"a": 0.25, "b": 0.5}), 0.5)


def test_rates_fall_from_layer_to_layer_as_howard_and_ruder_and_timm_have_it():
    names = ["0.weight", "2.weight", "4.weight"]
    for rule, gamma in ((LayerwiseDecay(), 1 / 2.6), (LayerwiseDecay.like("timm"), 0.75)):
        found = rule.factors_of(names)
        assert [found[name] for name in names] == pytest.approx([gamma**2, gamma, 1.0], rel=1e-15)


def test_the_inner_rule_asks_for_gradients_with_the_number_of_the_step():
    step = Step(LayerRates(harness.Counting(), {"w": 1.0}), {"w": np.zeros(1)})
    found = []
    for _ in range(3):
        step({"w": np.ones(1)})
        found.append(step.parameters["w"].item())
    assert found == [1, 1 + 2, 1 + 2 + 3]


def test_rates_by_layer_go_by_names():
    assert LayerRates().needs_names
    assert LayerwiseDecay().needs_names
