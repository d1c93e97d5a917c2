"""Optax's transformations that ask more of the loss than a gradient, as one scan over the batches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peers.jax_mlp import objective
from benchmarks.problems import Mlp
from benchmarks.trial import Trial


def steps(problem: Mlp, method: str, label: str, **arguments: Any) -> Trial:
    """Steps of a training over the problem's batches again and again; a unit is a step.

    Args:
        method: our name of it, "sam" or "sophiah".
        label: the name of the evidence; "" if random numbers make it another each time.
        arguments: of what makes it.
    """
    transformation = _sam(**arguments) if method == "sam" else optax.contrib.sophia(**arguments)
    layers = jax.tree.map(jnp.asarray, problem.layers)
    x, y, rows = (jnp.asarray(a) for a in (problem.x, problem.y, problem.rows.reshape(problem.steps, -1)))

    def step(carried: Any, batch: jax.Array) -> Any:
        params, state = carried

        def loss(at: Any) -> jax.Array:
            return objective(at, x[batch], y[batch])

        value, gradients = jax.value_and_grad(loss)(params)
        more: dict[str, Any] = {"obj_fn": loss}
        if method == "sam":
            more = {"grad_fn": lambda at, _: jax.grad(loss)(at)}
        changes, state = transformation.update(gradients, state, params, **more)
        return (optax.apply_updates(params, changes), state), value

    run = jax.jit(lambda carried: jax.lax.scan(step, carried, rows))
    first = (layers, transformation.init(layers))
    carried = first

    def once() -> None:
        nonlocal carried
        carried = jax.block_until_ready(run(carried)[0])

    def evidence() -> dict[str, np.ndarray]:
        return {label: np.asarray(run(first)[1])} if label else {}

    return Trial(once, problem.steps, evidence)


def _sam(rho: float) -> Any:
    adversary = optax.chain(optax.contrib.normalize(), optax.sgd(rho))
    return optax.contrib.sam(optax.sgd(0.01, momentum=0.9), adversary, opaque_mode=True)
