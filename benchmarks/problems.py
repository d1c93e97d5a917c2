"""The trainings that are compared, as plain arrays: every contender gets the same numbers.

Only NumPy is imported here, since the workers of peers read it; what Spusk contributes (weights, data) is
drawn when a problem is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Layers = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]


@dataclass(frozen=True)
class Mlp:
    """Training a ReLU network with Adam and cross-entropy: whole epochs of given batches, from given weights.

    Args:
        x: [n, widths[0]] float32.
        y: [n] int64 classes.
        layers: for each layer its weight [n_in, n_out] and bias [n_out], float32.
        rows: [epochs, steps, batch] int64, the rows of every batch.
        lr: Adam's learning rate; its other numbers are 0.9, 0.999 and 1e-8.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    layers: Layers
    rows: NDArray[np.int64]
    lr: float = 1e-3

    @property
    def widths(self) -> tuple[int, ...]:
        return (self.layers[0][0].shape[0], *(bias.size for _, bias in self.layers))

    @property
    def steps(self) -> int:
        """Of all epochs together."""
        return self.rows.shape[0] * self.rows.shape[1]

    @property
    def flop(self) -> int:
        """Of a step's matrix products: forward, by the weights, and by the input except the first layer's."""
        widths, batch = self.widths, self.rows.shape[2]
        products = [2 * batch * n_in * n_out for n_in, n_out in pairwise(widths)]
        return 3 * sum(products) - products[0]

    def flat(self) -> dict[str, NDArray[np.float32]]:
        """The parameters by the names that Spusk gives them in a Sequential with a ReLU between layers."""
        return {
            f"{2 * i}.{name}": array
            for i, layer in enumerate(self.layers)
            for name, array in zip(("weight", "bias"), layer, strict=True)
        }


@dataclass(frozen=True)
class Lanes:
    """Many trainings of one network, each with its own learning rate, first weights and order of batches.

    Args:
        problems: the trainings; they share the arrays x and y.
    """

    problems: tuple[Mlp, ...]

    @property
    def steps(self) -> int:
        """Of all trainings together."""
        return sum(problem.steps for problem in self.problems)


def digits(epochs: int = 20, seed: int = 0, lr: float = 1e-3, steps: int | None = None) -> Mlp:
    """64-32-10 on scikit-learn's digits, batch size 32: 44 whole batches an epoch."""
    x, y = _digits_data()
    return mlp(x, y, (64, 32, 10), batch=32, epochs=epochs, seed=seed, lr=lr, steps=steps)


def wide(steps: int = 100, rows: int = 10_000) -> Mlp:
    """784-256-10, batch size 64, on synthetic data of the size of MNIST's images."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, 784), dtype=np.float32)
    y = np.argmax(x @ rng.standard_normal((784, 10), dtype=np.float32), 1).astype(np.int64)
    return mlp(x, y, (784, 256, 10), batch=64, epochs=1, steps=steps)


def deep(layers: int = 100, steps: int | None = None) -> Mlp:
    """So many layers of width 64 on digits, batch size 32; a small rate, for such a network soon explodes."""
    x, y = _digits_data()
    return mlp(x, y, (64,) * layers + (10,), batch=32, epochs=1, lr=1e-5, steps=steps)


def digits_lanes(count: int = 256, epochs: int = 5, steps: int | None = None) -> Lanes:
    """`digits` with rates from 1e-4 to 1e-1 and a seed for each training."""
    first = digits(epochs, steps=steps)
    rates = np.geomspace(1e-4, 1e-1, count)
    others = (digits(epochs, seed, float(lr), steps) for seed, lr in enumerate(rates))
    return Lanes(tuple(replace(problem, x=first.x, y=first.y) for problem in others))


LR, EVIDENCE_STEPS, WATCHED = 1e-3, 10, 1000
"""Of the updates alone: a rate, and after how many steps how many weights of an array are compared."""

Shapes = Mapping[str, tuple[int, ...]]
"""Of parameters, by name."""


def shapes_of(widths: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Weights [n_in, n_out] and biases of a network, named as in a Sequential with ReLUs between."""
    found: dict[str, tuple[int, ...]] = {}
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        found |= {f"{2 * i}.weight": (n_in, n_out), f"{2 * i}.bias": (n_out,)}
    return found


def count(shapes: Shapes) -> int:
    """How many numbers arrays of these shapes hold."""
    return sum(math.prod(shape) for shape in shapes.values())


def weights_and_gradients(
    shapes: Shapes,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Weights and gradients for an optimizer's update alone: normal numbers."""
    rng = np.random.default_rng(0)
    weights, gradients = (
        {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
        for _ in range(2)
    )
    return weights, gradients


def gradients_of_steps(gradient: NDArray[np.float32]) -> NDArray[np.float32]:
    """One for each step whose results are compared, [EVIDENCE_STEPS, …]: the first is the one given.

    They differ, since the products of a matrix that is always the same have few eigenvalues that are not 0.
    """
    return np.stack([np.roll(gradient, step) for step in range(EVIDENCE_STEPS)])


def watched(arrays: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The numbers that are compared: the first ones of each array."""
    return np.concatenate([np.ravel(array)[:WATCHED] for array in arrays])


def mlp(
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    widths: tuple[int, ...],
    *,
    batch: int,
    epochs: int,
    seed: int = 0,
    lr: float = 1e-3,
    steps: int | None = None,
) -> Mlp:
    """A training of a network with these widths: He normal weights, and a new order in every epoch.

    Args:
        steps: batches an epoch; default: all whole batches.
    """
    from spusk.streams import stream

    order = stream(seed, "order")
    whole = len(x) // batch
    epoch = min(whole, steps or whole)
    rows = np.stack([order.permutation(len(x))[: epoch * batch].reshape(epoch, batch) for _ in range(epochs)])
    return Mlp(x, y, tuple(_he_normal(widths, seed)), rows, lr)


def _he_normal(
    widths: tuple[int, ...], seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    from spusk.streams import stream

    rng = stream(seed, "init")
    for n_in, n_out in pairwise(widths):
        weight = rng.standard_normal((n_in, n_out)) * np.sqrt(2 / n_in)
        yield weight.astype(np.float32), np.zeros(n_out, np.float32)


def _digits_data() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from spusk import data

    split = data.digits().split(0.2, 0, np.dtype(np.float32))
    return split.train_x, split.train_y
