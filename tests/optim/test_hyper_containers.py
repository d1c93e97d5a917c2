"""Hyperparameters inside mappings and tuples have names, and are found, replaced and scheduled by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

import spusk as sp
from spusk import optim
from spusk.errors import InputError
from spusk.graph import scalar
from spusk.optim import Adam, Hyper, Optimizer, Schedule
from spusk.optim.hyper import at_step, formula_key, hyperparameters, members, with_hyperparameters
from spusk.train import descent_step


@dataclass(frozen=True)
class Split(Optimizer):
    """A rule for each parameter."""

    rules: Mapping[str, Optimizer] | tuple[tuple[str, Optimizer], ...] = ()

    def rule(self, name):
        return dict(self.rules)[name]

    def start(self, w):
        raise AssertionError("each parameter has a rule of its own")

    def start_all(self, parameters):
        return {name: self.rule(name).start(w) for name, w in parameters.items()}

    def point_all(self, parameters, state):
        return dict(parameters)

    def update_all(self, parameters, gradients, state, t):
        new = {n: self.rule(n).update(w, gradients[n], state[n], t) for n, w in parameters.items()}
        return {n: w for n, (w, _) in new.items()}, {n: s for n, (_, s) in new.items()}


@dataclass(frozen=True)
class Steps(Schedule):
    """values[i] from step i + 1 on."""

    values: tuple[Hyper, ...] = (1.0, 0.5)

    def at(self, t):
        return sum((t == i + 1) * v for i, v in enumerate(self.values))


@dataclass(frozen=True)
class Scaled(optim.SGD):
    """A rate for each parameter."""

    lr: Hyper = 0.1
    factors: Mapping[str, Hyper] | tuple[tuple[str, Hyper], ...] = ()

    def update_all(self, parameters, gradients, state, t):
        factor = dict(self.factors)
        return {n: w - self.lr * factor[n] * gradients[n] for n, w in parameters.items()}, dict(state)


CASES = [
    Split({"0.weight": Adam(lr=0.1), "0.bias": optim.SGD(lr=0.2)}),
    Split((("0.weight", Adam(lr=0.1)), ("0.bias", optim.SGD(lr=0.2)))),
]


@pytest.mark.parametrize("rule", CASES, ids=["mapping", "pairs"])
def test_rules_in_containers_have_dotted_names(rule):
    numbers = hyperparameters(rule)
    assert numbers["rules.0.weight.lr"] == 0.1
    assert numbers["rules.0.bias.lr"] == 0.2
    assert len(numbers) == len(hyperparameters(Adam())) + len(hyperparameters(optim.SGD()))
    assert with_hyperparameters(rule, numbers) == rule
    changed = with_hyperparameters(rule, {"rules.0.bias.lr": 0.7})
    assert changed.rule("0.bias") == optim.SGD(lr=0.7)
    assert changed.rule("0.weight") is rule.rule("0.weight")
    assert type(changed.rules) is type(rule.rules)


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("rule", CASES, ids=["mapping", "pairs"])
def test_they_are_inputs_of_the_step_and_do_what_they_do_alone(rule, backend):
    w = {"0.weight": np.array([3.0, -1.0]), "0.bias": np.array(2.0)}
    step = descent_step(lambda p, t: (p["0.weight"] ** 2).sum() + p["0.bias"] ** 4, w, rule, backend=backend)
    other = with_hyperparameters(rule, {"rules.0.bias.lr": 0.01})
    values = step.first_values(w, other)
    assert values["hyper/rules.0.bias.lr"] == 0.01
    loop = step.program.run(values, steps=3)
    alone = sp.minimize(lambda x: (x**2).sum(), w["0.weight"], Adam(lr=0.1), steps=3, backend=backend)
    np.testing.assert_allclose(loop.values["parameters/0.weight"], alone.x, rtol=1e-14)
    alone = sp.minimize(lambda x: x**4, w["0.bias"], optim.SGD(lr=0.01), steps=3, backend=backend)
    np.testing.assert_allclose(loop.values["parameters/0.bias"], alone.x, rtol=1e-14)


def test_rules_that_differ_in_numbers_share_a_graph_and_those_of_other_formulas_do_not():
    mapping, pairs = CASES
    assert formula_key(mapping) == formula_key(with_hyperparameters(mapping, {"rules.0.weight.lr": 9.0}))
    assert formula_key(pairs) == formula_key(with_hyperparameters(pairs, {"rules.0.weight.lr": 9.0}))
    other = Split({"0.weight": Adam.like("keras"), "0.bias": optim.SGD()})
    assert formula_key(mapping) != formula_key(other)
    assert formula_key(mapping) != formula_key(Split({"1.weight": Adam(), "0.bias": optim.SGD()}))
    assert hash(formula_key(mapping))


def test_schedules_in_containers_are_evaluated():
    rule = Split({"a": optim.SGD(lr=optim.StepDecay(1.0, every=1, factor=0.5))})
    assert hyperparameters(rule)["rules.a.lr.factor"] == 0.5
    lr = at_step(rule, scalar(3.0)).rule("a").lr
    assert float(lr.numpy()) == 0.25
    assert isinstance(rule.rule("a").lr, Schedule)


def test_a_schedule_may_hold_a_tuple_of_numbers():
    schedule = Steps((1.0, 0.25, 4.0))
    assert hyperparameters(optim.SGD(lr=schedule)) == {
        "lr.values.0": 1.0,
        "lr.values.1": 0.25,
        "lr.values.2": 4.0,
    }
    changed = with_hyperparameters(optim.SGD(lr=schedule), {"lr.values.1": 2.0})
    assert changed.lr == Steps((1.0, 2.0, 4.0))
    found = sp.minimize(lambda x: x, 0.0, optim.SGD(lr=schedule), steps=3)
    assert found.path.tolist() == [0.0, -1.0, -1.25, -5.25]


@pytest.mark.parametrize("factors", [{"a": 1.0, "b": 10.0}, (("a", 1.0), ("b", 10.0))])
def test_a_field_may_hold_hyperparameters_by_name(factors):
    rule = Scaled(lr=0.1, factors=factors)
    assert hyperparameters(rule) == {"lr": 0.1, "factors.a": 1.0, "factors.b": 10.0}
    w = {"a": np.array(1.0), "b": np.array(1.0)}
    step = descent_step(lambda p, t: p["a"] + p["b"], w, rule)
    after = step.program(step.first_values(w, replace(rule, lr=0.2)))
    assert (after["parameters/a"], after["parameters/b"]) == (pytest.approx(0.8), pytest.approx(-1.0))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Steps((1.0, "2")),
            r"^Steps\(values=\(1.0, '2'\)\): values.1 must be a number or a schedule$",
        ),
        (lambda: Steps((1.0, float("nan"))), r"values.1 must be finite$"),
        (lambda: Steps((True, 1.0)), r"values.0 must be a number or a schedule$"),
        (lambda: Scaled(factors={"a": "b"}), r"factors.a must be a number or a schedule$"),
    ],
)
def test_bad_numbers_in_containers_are_named(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ((("a", 1.0), ("b", 2.0)), {"a": 1.0, "b": 2.0}),
        ((("a", 1.0), 2.0), {"0": ("a", 1.0), "1": 2.0}),
        ((("a", 1.0), (1.0, 2.0)), {"0": ("a", 1.0), "1": (1.0, 2.0)}),
        ((("a", 1.0), ("a", 2.0)), {"0": ("a", 1.0), "1": ("a", 2.0)}),
        ((("a", 1.0), ("b", 2.0, 3.0)), {"0": ("a", 1.0), "1": ("b", 2.0, 3.0)}),
        ((("a", 1.0), ["b", 2.0]), {"0": ("a", 1.0), "1": ["b", 2.0]}),
        ((), {}),
        ("ab", {}),
    ],
)
def test_only_pairs_of_different_names_name_what_they_hold(content, held):
    assert members(content) == held


@dataclass(frozen=True)
class Holding(Optimizer):
    content: object = None


class Nameless:
    def __repr__(self):
        return "Nameless()"


@pytest.mark.parametrize("content", [{}, [], {1, 2}, np.zeros(2)], ids=repr)
def test_a_formula_has_a_key_whatever_its_rule_holds(content):
    assert len({formula_key(Holding(content)), formula_key(Holding(content)), formula_key(Holding())}) == 2


def test_what_is_written_alike_is_not_one_formula():
    one, other = Holding(Nameless()), Holding(Nameless())
    assert formula_key(one) == formula_key(one) != formula_key(other)


def test_rules_that_differ_in_more_than_hyperparameters_are_different_formulas():
    assert formula_key(optim.Lookahead(k=2)) != formula_key(optim.Lookahead(k=3))
    assert formula_key(optim.Lookahead(alpha=0.1)) == formula_key(optim.Lookahead(alpha=0.2))
    assert formula_key(optim.Muon(ns_steps=3)) != formula_key(optim.Muon(ns_steps=4))
