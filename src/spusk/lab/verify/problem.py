"""quadratic_deep: the noisy quadratic of DeepOBS, rebuilt from its description.

Schneider, Balles & Hennig, 2019, "DeepOBS: a deep learning optimizer benchmark suite".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 100
NOISE = 0.6  # standard deviation of the data around 0
ROWS = 1000
BATCH = 128
STEPS_AN_EPOCH = ROWS // BATCH  # the remainder is dropped, in the test set, too
EPOCHS = 100
START = 1.0


@dataclass(frozen=True)
class Quadratic:
    """Loss ½(θ − x)ᵀH(θ − x), averaged over the rows x of a data set.

    Attributes:
        hessian: H, float32 [100, 100].
        train: the training rows, float32 [1000, 100].
        test: the test rows that whole batches reach, float32 [896, 100].
    """

    hessian: NDArray[np.float32]
    train: NDArray[np.float32]
    test: NDArray[np.float32]

    def test_loss(self, theta: NDArray[np.floating]) -> NDArray[np.float64]:
        """The mean test loss at each of some points [n, 100], as [n]."""
        # The mean over the rows x is that at their mean, and what they spread around it.
        h, x = self.hessian.astype(np.float64), self.test.astype(np.float64)
        centre = x.mean(axis=0)
        away, around = theta.astype(np.float64) - centre, x - centre
        spread = np.einsum("ni,ij,nj->", around, h, around, optimize=True) / len(x)
        return 0.5 * (np.einsum("ni,ij,nj->n", away, h, away, optimize=True) + spread)

    def batches(self, seed: int) -> NDArray[np.int64]:
        """The rows of an epoch's batches, [7, 128]: one partition for all epochs of a seed."""
        rows = np.random.default_rng(seed).permutation(ROWS)
        return rows[: STEPS_AN_EPOCH * BATCH].reshape(STEPS_AN_EPOCH, BATCH)


@cache
def quadratic(number: int) -> Quadratic:
    """The problem that is drawn after `number` others from one generator of seed 42."""
    random = np.random.RandomState(42)
    for _ in range(number):
        _draw_hessian(random)
    test = _draw_rows(43)[: STEPS_AN_EPOCH * BATCH]
    return Quadratic(_draw_hessian(random).astype(np.float32), _draw_rows(42), test)


def _draw_rows(seed: int) -> NDArray[np.float32]:
    return np.random.RandomState(seed).normal(0.0, NOISE, (ROWS, DIMENSIONS)).astype(np.float32)


def _draw_hessian(random: np.random.RandomState) -> NDArray[np.float64]:
    """H = RᵀΛR: nine eigenvalues of ten below 1, the others between 30 and 60, then the rotation."""
    small = random.uniform(0.0, 1.0, 90)
    large = random.uniform(30.0, 60.0, 10)
    r = _draw_rotation(random, DIMENSIONS)
    return (r.T * np.concatenate([small, large])) @ r


def _draw_rotation(random: np.random.RandomState, n: int) -> NDArray[np.float64]:
    """A rotation of n dimensions, uniform over all of them, by the subgroup algorithm.

    A rotation of one dimension less is put beside an axis, and that axis is sent to a random place of the
    sphere by a reflection. Diaconis & Shahshahani, 1987, "The subgroup algorithm for generating uniform
    random variables".
    """
    angle = 2 * np.pi * random.uniform()
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for size in range(3, n + 1):
        place = random.normal(size=size)
        normal = -place / np.linalg.norm(place)
        normal[0] += 1
        normal /= np.linalg.norm(normal)
        larger = np.eye(size)
        larger[1:, 1:] = rotation
        rotation = larger - 2 * np.outer(normal, normal @ larger)
    return -rotation
