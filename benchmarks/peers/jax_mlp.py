"""JAX and optax: one training or many, all steps as one compiled scan over their batches."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.problems import Lanes, Mlp
from benchmarks.trial import Trial


def objective(layers: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Cross-entropy of the ReLU network."""
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return optax.softmax_cross_entropy_with_integer_labels(x @ weight + bias, y).mean()


def descent(layers: Any, state: Any, lr: jax.Array, x: jax.Array, y: jax.Array, rows: jax.Array) -> Any:
    """Steps of Adam: ((layers, state), losses). Batches are gathered inside; the rate is an argument."""
    adam = optax.adam(lr)

    def step(carry: Any, batch: jax.Array) -> Any:
        layers, state = carry
        loss, gradients = jax.value_and_grad(objective)(layers, x[batch], y[batch])
        updates, state = adam.update(gradients, state)
        return (optax.apply_updates(layers, updates), state), loss

    return jax.lax.scan(step, (layers, state), rows)


def fresh(layers: Any) -> Any:
    """Adam's state before the first step."""
    return optax.adam(1.0).init(layers)


def training(problem: Mlp) -> Trial:
    """One training; a unit is a step."""
    layers = jax.tree.map(jnp.asarray, problem.layers)
    state = fresh(layers)
    x, y, rows = (jnp.asarray(a) for a in (problem.x, problem.y, problem.rows.reshape(problem.steps, -1)))
    steps = jax.jit(descent)
    lr = jnp.float32(problem.lr)

    def train() -> jax.Array:
        return jax.block_until_ready(steps(layers, state, lr, x, y, rows)[1])

    def evidence() -> dict[str, np.ndarray]:
        found = np.asarray(train()).reshape(problem.rows.shape[:2])
        return {"losses": found, "losses of epochs": found.mean(1)}

    return Trial(train, problem.steps, evidence)


def trainings(problem: Lanes) -> Trial:
    """All trainings at once by `vmap`; a unit is a step of one training."""
    problems = problem.problems
    layers = jax.tree.map(lambda *arrays: jnp.stack(arrays), *(p.layers for p in problems))
    state = jax.vmap(fresh)(layers)
    lrs = jnp.array([p.lr for p in problems], jnp.float32)
    x, y = jnp.asarray(problems[0].x), jnp.asarray(problems[0].y)
    rows = jnp.asarray(np.stack([p.rows.reshape(p.steps, -1) for p in problems]))  # [lanes, steps, batch]
    steps = jax.jit(jax.vmap(descent, in_axes=(0, 0, 0, None, None, 0)))

    def train() -> jax.Array:
        return jax.block_until_ready(steps(layers, state, lrs, x, y, rows)[1])

    def evidence() -> dict[str, np.ndarray]:
        return {"losses": np.asarray(train()).reshape(len(problems), *problems[0].rows.shape[:2])}

    return Trial(train, problem.steps, evidence)
