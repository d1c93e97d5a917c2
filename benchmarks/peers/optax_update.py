"""Optax's transformations alone: all steps of a turn as one compiled loop, so that nothing is dispatched."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.problems import Shapes, gradients_of_steps, watched, weights_and_gradients
from benchmarks.trial import Trial


def updates(path: str, method: str, shapes: Shapes, steps: int, label: str, **arguments: Any) -> Trial:
    """Steps of a transformation; a unit is a step.

    Args:
        path: of what makes it, as "optax.adam".
        method: our name of it; what is in `COMPOSED` is made by that.
        shapes: of the parameters.
        steps: in one turn.
        label: the name of the evidence.
        arguments: for what makes it.
    """
    module, _, name = path.rpartition(".")
    made = COMPOSED.get(method)
    transformation = made() if made else getattr(import_module(module), name)(**arguments)
    arrays = weights_and_gradients(shapes)
    params, gradients = ({n: jnp.asarray(a) for n, a in some.items()} for some in arrays)
    if method == "lookahead":
        params = optax.LookaheadParams.init_synced(params)
    extra = {"value": jnp.float32(1)} if method == "plateau" else {}

    def step(carried: Any, gradients: Any) -> Any:
        params, state = carried
        changes, state = transformation.update(gradients, state, params, **extra)
        return optax.apply_updates(params, changes), state

    @partial(jax.jit, donate_argnums=0)
    def run(carried: Any) -> Any:
        return jax.lax.fori_loop(0, steps, lambda _, carried: step(carried, gradients), carried)

    def fresh() -> Any:
        copied = jax.tree.map(jnp.array, params)
        return copied, jax.tree.map(jnp.array, transformation.init(copied))

    carried = fresh()

    def once() -> None:
        nonlocal carried
        carried = jax.block_until_ready(run(carried))

    def evidence() -> dict[str, np.ndarray]:
        each = {n: jnp.asarray(gradients_of_steps(np.asarray(g))) for n, g in gradients.items()}
        (found, _), _ = jax.lax.scan(lambda carried, g: (step(carried, g), None), fresh(), each)
        of = found.fast if method == "lookahead" else found
        return {label: watched(np.asarray(of[name]) for name in shapes)}

    return Trial(once, steps, evidence)


def ema() -> optax.GradientTransformation:
    """Adam, and beside it the mean of the weights."""
    adam, mean = optax.adam(1e-3), optax.ema(0.999)

    def init(params: Any) -> Any:
        return adam.init(params), mean.init(params), params

    def update(gradients: Any, state: Any, params: Any = None) -> Any:
        changes, of_adam = adam.update(gradients, state[0], params)
        shown, of_mean = mean.update(optax.apply_updates(params, changes), state[1])
        return changes, (of_adam, of_mean, shown)

    return optax.GradientTransformation(init, update)


def partition() -> Any:
    return optax.partition({"all": optax.adam(1e-3)}, lambda params: jax.tree.map(lambda _: "all", params))


COMPOSED: dict[str, Callable[..., Any]] = {
    "lookahead": lambda: optax.lookahead(optax.adam(1e-3), sync_period=5, slow_step_size=0.5),
    "clip": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3)),
    "agc": lambda: optax.chain(optax.adaptive_grad_clip(0.01), optax.adam(1e-3)),
    "weightdecay": lambda: optax.adamw(1e-3),
    "accumulate": lambda: optax.MultiSteps(optax.adam(1e-3), 4),
    "ema": ema,
    "skipnonfinite": lambda: optax.apply_if_finite(optax.adam(1e-3), 10),
    "partition": partition,
    "mask": lambda: optax.masked(optax.adam(1e-3), lambda params: jax.tree.map(lambda _: True, params)),
    "plateau": lambda: optax.chain(optax.adam(1e-3), optax.contrib.reduce_on_plateau()),
}
"""The wrappers, around Adam, by our name."""
