"""Runs the optimizers of other libraries, in float64, over the thousand eventful steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from optim.events import GRADIENTS, LR_FACTORS, START


def torch_like(make: Any, lr: float, shape: tuple[int, ...] = START.shape) -> np.ndarray:
    """The points of an optimizer made like torch's: `make([w])`, its rate set before each step.

    Args:
        make: what makes the optimizer from a list of parameters.
        lr: the first rate, which the events' factors multiply.
        shape: how the five weights lie; some libraries treat vectors and matrices differently.
    """
    import torch

    w = torch.tensor(START.reshape(shape), requires_grad=True)
    optimizer = make([w])
    points = [START]
    for g, factor in zip(GRADIENTS, LR_FACTORS, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = lr * float(factor)
        w.grad = torch.tensor(g.reshape(shape))
        optimizer.step()
        points.append(w.detach().numpy().reshape(START.shape).copy())
    return np.stack(points)


def optax_like(make: Any, lr: float, *, constant: bool = False) -> np.ndarray:
    """The points of an optax transformation `make(schedule)`, or `make(lr)` if its rate must be constant."""
    import jax
    import optax

    factors = jax.numpy.asarray(LR_FACTORS)
    transformation = make(lr if constant else lambda count: lr * factors[count])

    def step(carried: Any, g: Any) -> Any:
        w, state = carried
        updates, state = transformation.update(g, state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    first = jax.numpy.asarray(START)
    _, points = jax.lax.scan(step, (first, transformation.init(first)), jax.numpy.asarray(GRADIENTS))
    return np.concatenate([START[None], np.asarray(points)])


def keras_like(
    make: Any, lr: float, gradients: np.ndarray = GRADIENTS, start: np.ndarray = START
) -> np.ndarray:
    """The points of a keras optimizer `make()` on jax, its rate set before each step.

    Its own `stateless_apply` is compiled: a thousand calls of `apply` take four seconds, and end in the same bits.
    """
    import jax
    import keras

    w = keras.Variable(start, dtype="float64")
    optimizer = make()
    optimizer.build([w])
    rate = next(i for i, v in enumerate(optimizer.variables) if v is optimizer._learning_rate)

    def step(carried: Any, event: Any) -> Any:
        points, state = carried
        g, lr = event
        state[rate] = lr
        points, state = optimizer.stateless_apply(state, [g], points)
        return (points, state), points[0]

    rates = jax.numpy.asarray(lr * LR_FACTORS, optimizer._learning_rate.dtype)
    first = [w.value], [v.value for v in optimizer.variables]
    _, points = jax.lax.scan(step, first, (jax.numpy.asarray(gradients), rates))
    return np.concatenate([start[None], np.asarray(points)])
