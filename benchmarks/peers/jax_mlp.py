"""JAX and optax: one training or many, an epoch as one compiled scan over its batches."""

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


def epoch(layers: Any, state: Any, lr: jax.Array, x: jax.Array, y: jax.Array, rows: jax.Array) -> Any:
    """An epoch of Adam: ((layers, state), losses). Batches are gathered inside; the rate is an argument."""
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
    x, y, rows = (jnp.asarray(a) for a in (problem.x, problem.y, problem.rows))
    one_epoch = jax.jit(epoch)
    lr = jnp.float32(problem.lr)

    def train() -> list[jax.Array]:
        carry, losses = (layers, state), []
        for batches in rows:
            carry, loss = one_epoch(*carry, lr, x, y, batches)
            losses.append(loss)
        return jax.block_until_ready(losses)

    def evidence() -> dict[str, np.ndarray]:
        found = np.stack(train())
        return {"losses": found, "losses of epochs": found.mean(1)}

    return Trial(train, problem.steps, evidence)


def trainings(problem: Lanes) -> Trial:
    """All trainings at once by `vmap`; a unit is a step of one training."""
    problems = problem.problems
    layers = jax.tree.map(lambda *arrays: jnp.stack(arrays), *(p.layers for p in problems))
    state = jax.vmap(fresh)(layers)
    lrs = jnp.array([p.lr for p in problems], jnp.float32)
    x, y = jnp.asarray(problems[0].x), jnp.asarray(problems[0].y)
    rows = jnp.asarray(np.stack([p.rows for p in problems], 1))  # [epochs, lanes, steps, batch]
    one_epoch = jax.jit(jax.vmap(epoch, in_axes=(0, 0, 0, None, None, 0)))

    def train() -> list[jax.Array]:
        carry, losses = (layers, state), []
        for batches in rows:
            carry, loss = one_epoch(*carry, lrs, x, y, batches)
            losses.append(loss)
        return jax.block_until_ready(losses)

    def evidence() -> dict[str, np.ndarray]:
        return {"losses": np.stack(train(), 1)}

    return Trial(train, problem.steps, evidence)
