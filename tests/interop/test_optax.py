"""Spusk's rules as optax gradient transformations."""

from __future__ import annotations

import doctest
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from interop.problem import RULES, START, Polyak, X, close, digits, loss_of, native, why_closure

from spusk import optim
from spusk.errors import InputError
from spusk.optim import Hyper, Optimizer
from spusk.optim.hyper import hyperparameters

pytestmark = pytest.mark.peers

EXCLUDED = {"adahessian": "second derivatives", "sophiah": "second derivatives", "sam": "2 times in a step"}
"""Rules that optax cannot run, with the reason that the error names."""


def is_possible(rule):
    why = why_closure(rule)
    return not why or "value of the loss" in why


POSSIBLE = [rule for rule in RULES if is_possible(rule)]


@pytest.fixture
def optax(peer):
    return peer("optax")


@pytest.fixture
def jax(peer, optax):
    """JAX with 64 bits. What it has compiled stays: taken apart, a step's operations take seconds to compile."""
    module = peer("jax")
    before = module.config.jax_enable_x64
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", before)


@pytest.fixture
def short(jax):
    """JAX as it is by default."""
    jax.config.update("jax_enable_x64", False)
    return jax


@pytest.fixture
def adapter(optax):
    import spusk.interop.optax

    return spusk.interop.optax


class Descent:
    """The problem's loss, and steps of a transformation on it."""

    def __init__(self, jax, optax, transformation, dtype="float64", start=START):
        self.jnp, self.optax, self.transformation = jax.numpy, optax, transformation
        self.params = {name: jax.numpy.asarray(w, dtype) for name, w in start.items()}
        self.x = jax.numpy.asarray(X, dtype)
        self.slope = jax.value_and_grad(lambda p: loss_of(jax.numpy, p, self.x))

    def step(self, params, state):
        value, gradients = self.slope(params)
        updates, state = self.transformation.update(gradients, state, params, value=value)
        return self.optax.apply_updates(params, updates), state

    def run(self, steps=10, step=None):
        params, state = self.params, self.transformation.init(self.params)
        for _ in range(steps):
            params, state = (step or self.step)(params, state)
        return params, state


@pytest.fixture
def descent(jax, optax):
    return lambda transformation, **arguments: Descent(jax, optax, transformation, **arguments)


# --- the whole catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", POSSIBLE, ids=lambda rule: rule.label)
def test_ten_steps_are_those_of_spusk(jax, adapter, descent, rule):
    run = descent(adapter.transform(rule))
    params, state = run.run(step=jax.jit(run.step))
    close(adapter.evaluated(rule, params, state), native(rule), digits(rule))


@pytest.mark.parametrize("rule", POSSIBLE, ids=lambda rule: rule.label)
def test_scan_carries_parameters_and_state(jax, adapter, descent, rule):
    run = descent(adapter.transform(rule))
    start = run.params, run.transformation.init(run.params)
    (params, state), _ = jax.lax.scan(lambda carry, _: (run.step(*carry), None), start, length=10)
    close(adapter.evaluated(rule, params, state), native(rule), digits(rule))


@pytest.mark.parametrize("rule", POSSIBLE, ids=lambda rule: rule.label)
def test_float32_weights_and_state_stay_float32(short, adapter, optax, rule):
    run = Descent(short, optax, adapter.transform(rule), dtype="float32")
    params, state = run.run(5)
    kept = short.tree_util.tree_leaves((params, state.slots, state.shared, state.weights))
    assert {leaf.dtype.name for leaf in kept} == {"float32"}
    close(adapter.evaluated(rule, params, state), native(rule, 5, "float32"), 2e-3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_what_is_excluded_says_why(descent, adapter, rule):
    if is_possible(rule):
        assert rule.label not in EXCLUDED
        return
    with pytest.raises(InputError, match=r"cannot be a gradient transformation, because") as told:
        descent(adapter.transform(rule)).run(1)
    assert EXCLUDED[rule.label] in str(told.value)


# --- like any transformation ----------------------------------------------------------------------------


def test_it_is_a_gradient_transformation(optax, adapter):
    assert isinstance(adapter.transform(optim.Adam()), optax.GradientTransformation)


def test_presets_do_what_optax_does(descent, optax, adapter):
    ours, _ = descent(adapter.transform(optim.RAdam.like("optax", lr=0.01))).run(20)
    theirs, _ = descent(optax.with_extra_args_support(optax.radam(0.01))).run(20)
    close(ours, theirs, 1e-10)


def test_state_is_a_named_tuple_with_a_tree_for_each_slot(jax, adapter):
    params = {"dense": {"kernel": jax.numpy.ones((2, 3)), "bias": jax.numpy.zeros(3)}}
    state = adapter.transform(optim.Lookahead(optim.Nadam())).init(params)
    assert state._fields == ("count", "slots", "shared", "weights")
    assert sorted(state.slots) == ["inner/m", "inner/product", "inner/v", "slow"]
    assert state.slots["inner/m"]["dense"]["kernel"].shape == (2, 3)
    assert int(state.count) == 0


def test_init_and_update_change_nothing_that_they_are_given(descent, adapter):
    run = descent(adapter.transform(optim.Adam()))
    state = run.transformation.init(run.params)
    first, again = run.step(run.params, state)[0], run.step(run.params, state)[0]
    assert all((first[name] == again[name]).all() for name in START)


def test_vmap_trains_several_rates_at_once(jax, adapter, descent):
    rates = [0.01, 0.03, 0.1]

    def trained(lr):
        return descent(adapter.transform(optim.Adam(), lr=lr)).run(5)[0]

    together = jax.vmap(trained)(jax.numpy.asarray(rates))
    for i, lr in enumerate(rates):
        close({name: w[i] for name, w in together.items()}, native(optim.Adam(lr=lr), 5))


def test_vmap_goes_over_states(jax, optax, adapter):
    rule = adapter.transform(optim.Momentum(lr=0.1))
    params = jax.numpy.arange(6.0).reshape(3, 2)
    states = jax.vmap(rule.init)(params)
    updates, states = jax.vmap(rule.update)(params, states, params)
    assert states.count.tolist() == [1, 1, 1]
    np.testing.assert_allclose(updates, -0.1 * params)


def test_chain_clips_before_the_rule(jax, optax, adapter):
    chained = optax.chain(optax.clip_by_global_norm(1.0), adapter.transform(optim.SGD(lr=1.0)))
    params = jax.numpy.zeros(2)
    updates, _ = chained.update(jax.numpy.asarray([3.0, 4.0]), chained.init(params), params)
    np.testing.assert_allclose(updates, [-0.6, -0.8])


def test_injected_hyperparameters_can_be_changed_and_scheduled(jax, optax, adapter):
    injected = optax.inject_hyperparams(adapter.factory(optim.Momentum))
    rule = injected(lr=optax.linear_schedule(1.0, 0.0, 4), mu=0.0)
    params = jax.numpy.zeros(())
    state = rule.init(params)
    update = jax.jit(rule.update)
    seen = []
    for _ in range(3):
        updates, state = update(jax.numpy.ones(()), state, params)
        seen.append(float(updates))
    assert seen == pytest.approx([-1.0, -0.75, -0.5])
    rule = injected(lr=0.5)
    state = rule.init(params)
    assert set(state.hyperparams) == {"lr", "mu", "dampening"}
    state.hyperparams["lr"] = 0.125
    assert float(rule.update(jax.numpy.ones(()), state, params)[0]) == -0.125


@pytest.mark.parametrize(
    "rule",
    [
        optim.Mask(optim.Adam(lr=0.1), only="*bias"),
        optim.Partition({"*bias": optim.Momentum(lr=0.05), "*": optim.Adam(lr=0.1)}),
        optim.LayerRates(optim.Adam(lr=0.1), {"*bias": 0.25, "*": 1.0}),
        optim.Partition({"out*": optim.SGD(lr=0.05), "out?*": optim.SGD(), "*": optim.Adam(lr=0.1)}),
    ],
    ids=["mask", "partition", "layerrates", "alike"],
)
def test_rules_with_patterns_have_injected_hyperparameters(descent, optax, adapter, rule):
    made = optax.inject_hyperparams(adapter.factory(rule))()
    assert len(made.init(descent(made).params).hyperparams) == len(hyperparameters(rule))
    close(descent(made).run()[0], native(rule), 1e-10)


def test_a_rate_within_a_pattern_is_given_by_its_keyword(descent, adapter):
    rule = optim.Partition({"*bias": optim.SGD(), "*": optim.Adam()})
    made = adapter.transform(rule, rules__anybias__lr=0.05, rules__any__lr=0.02)
    expected = optim.Partition({"*bias": optim.SGD(lr=0.05), "*": optim.Adam(lr=0.02)})
    close(descent(made).run()[0], native(expected))


def test_hyperparameters_of_inner_rules_have_names_with_underscores(descent, adapter):
    made = adapter.factory(optim.Lookahead(optim.Adam(), k=2))(inner__lr=0.02, alpha=0.25)
    close(descent(made).run()[0], native(optim.Lookahead(optim.Adam(lr=0.02), k=2, alpha=0.25)))


def test_schedules_of_spusk_and_of_optax_count_the_steps(descent, optax, adapter):
    schedule = optim.Cosine(0.1, steps=8)
    close(descent(adapter.transform(optim.Adam(lr=schedule))).run()[0], native(optim.Adam(lr=schedule)))
    cosine = optax.cosine_decay_schedule(0.1, 8)  # of the steps taken, t − 1
    theirs = descent(adapter.transform(optim.Adam(), lr=cosine)).run()[0]
    close(theirs, descent(optax.with_extra_args_support(optax.adam(cosine))).run()[0], 1e-9)


def test_masked_parameters_are_left_to_others(jax, optax, adapter):
    params = {"a": jax.numpy.ones(2), "b": jax.numpy.ones(2)}
    rule = optax.masked(adapter.transform(optim.SGD(lr=0.5)), {"a": True, "b": False})
    updates, _ = rule.update(params, rule.init(params), params)
    assert updates["a"].tolist() == [-0.5, -0.5]
    assert updates["b"].tolist() == [1, 1]


def test_each_label_has_its_rule(jax, optax, adapter):
    params = {"a": jax.numpy.ones(2), "b": jax.numpy.ones(2)}
    rules = {"slow": adapter.transform(optim.SGD(lr=0.5)), "fast": adapter.transform(optim.Adam(lr=2.0))}
    both = optax.multi_transform(rules, {"a": "slow", "b": "fast"})
    updates, _ = jax.jit(both.update)(params, both.init(params), params)
    np.testing.assert_allclose(updates["a"], [-0.5, -0.5])
    np.testing.assert_allclose(updates["b"], [-2, -2], rtol=1e-6)


def test_rules_see_names_joined_by_dots(jax, adapter):
    @dataclass(frozen=True)
    class OnlyBiases(Optimizer):
        lr: Hyper = 1.0

        def update_all(self, parameters, gradients, state, t):
            return {n: w - self.lr if n == "dense.0.bias" else w for n, w in parameters.items()}, state

    params = {"dense": [{"bias": jax.numpy.ones(2), "kernel": jax.numpy.ones(2)}]}
    rule = adapter.transform(OnlyBiases())
    updates, _ = rule.update(params, rule.init(params), params)
    assert updates["dense"][0]["bias"].tolist() == [-1, -1]
    assert updates["dense"][0]["kernel"].tolist() == [0, 0]


def test_bfloat16_parameters_have_state_in_float32(short, optax, adapter):
    run = Descent(short, optax, adapter.transform(optim.Adam()), dtype="bfloat16")
    params, state = run.run(3, step=short.jit(run.step))
    assert {w.dtype.name for w in params.values()} == {"bfloat16"}
    assert {w.dtype.name for w in state.slots["v"].values()} == {"float32"}


def test_the_point_of_the_gradient_and_the_weights_differ_for_nesterov(descent, adapter):
    rule = optim.Nesterov(lr=0.05)
    params, state = descent(adapter.transform(rule)).run()
    expected = native(rule)
    close(state.weights, expected)
    assert not np.allclose(params["hidden.weight"], expected["hidden.weight"])


# --- rules that use the loss ----------------------------------------------------------------------------


def test_a_rule_that_uses_the_loss_takes_it_as_value(descent, adapter):
    close(descent(adapter.transform(Polyak())).run()[0], native(Polyak()))


def test_without_the_loss_it_says_what_it_needs(descent, adapter):
    run = descent(adapter.transform(Polyak()))
    with pytest.raises(InputError, match="value=loss"):
        run.transformation.update(run.params, run.transformation.init(run.params), run.params)


def test_second_derivatives_cannot_be_had(descent, adapter):
    @dataclass(frozen=True)
    class Curved(optim.SecondOrder):
        def update_curved(self, w, g, h, s, t):
            return w - g / h, s

    with pytest.raises(InputError, match="because it uses second derivatives"):
        descent(adapter.transform(Curved())).run(1)


# --- what cannot be used --------------------------------------------------------------------------------


def test_an_update_without_parameters_says_that_it_needs_them(descent, adapter):
    run = descent(adapter.transform(optim.Adam()))
    with pytest.raises(InputError, match=r"update\(gradients, state, params\)"):
        run.transformation.update(run.params, run.transformation.init(run.params))


def test_an_unknown_hyperparameter_is_told(adapter):
    with pytest.raises(InputError, match="adam has no hyperparameter 'epsilon'; did you mean 'eps'"):
        adapter.transform(optim.Adam(), epsilon=0.5)


def test_whole_numbers_cannot_be_trained(jax, adapter):
    with pytest.raises(InputError, match="a parameter is int64"):
        adapter.transform(optim.Adam()).init(jax.numpy.arange(3))


def test_the_examples_in_the_docstrings_run(short, adapter):
    assert doctest.testmod(adapter).failed == 0


@pytest.mark.parametrize("missing", ["jax", "optax"])
def test_without_the_library_the_error_says_how_to_install_it(peer, missing):
    peer("optax")
    code = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "try:\n    import spusk.interop.optax\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        f"spusk.interop.optax needs {missing}, which is not installed: pip install 'spusk[jax]'"
    )


def test_a_clip_without_a_limit_is_not_made(adapter):
    with pytest.raises(InputError, match="Clip got no limit; give value, norm or global_norm"):
        adapter.transform(optim.Clip(optim.Adam()))
