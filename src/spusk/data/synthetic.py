"""Made-up classes in the plane, easy to draw and not linearly separable."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.data.dataset import Dataset
from spusk.errors import InputError
from spusk.streams import stream


def moons(n: int = 1000, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Two interleaving half circles of radius 1, [n, 2] (scikit-learn's `make_moons`).

    Args:
        n: rows, at least 2. Default 1000.
        noise: standard deviation of the Gaussian noise on each coordinate, at least 0. Default 0.2.
        seed: the same seed gives the same points.

    Raises:
        InputError: if `n` or `noise` is out of range.

    >>> moons(100)
    Dataset('moons': 100 rows of 2, classification into 2 classes)
    """
    _check(n, 2, noise)
    make: Any = import_module("sklearn.datasets").make_moons
    x, y = make(n, noise=noise, random_state=_random_state(seed, "moons"))
    return _plane(x, y, "moons", ("upper", "lower"))


def circles(n: int = 1000, noise: float = 0.1, factor: float = 0.5, seed: int = 0) -> Dataset:
    """A circle of radius 1 around one of radius `factor`, [n, 2] (scikit-learn's `make_circles`).

    Args:
        n: rows, at least 2. Default 1000.
        noise: standard deviation of the Gaussian noise on each coordinate, at least 0. Default 0.1.
        factor: inner radius, in [0, 1). Default 0.5.
        seed: the same seed gives the same points.

    Raises:
        InputError: if `n`, `noise` or `factor` is out of range.

    >>> circles(100).classes
    ('outer', 'inner')
    """
    _check(n, 2, noise)
    if not 0 <= factor < 1:
        raise InputError(f"factor is {factor}; it must be at least 0 and less than 1")
    make: Any = import_module("sklearn.datasets").make_circles
    x, y = make(n, noise=noise, factor=factor, random_state=_random_state(seed, "circles"))
    return _plane(x, y, "circles", ("outer", "inner"))


def spirals(
    n: int = 1000, classes: int = 3, noise: float = 0.03, turns: float = 1.0, seed: int = 0
) -> Dataset:
    """Archimedean spirals from the origin out to radius 1, one arm a class, [n, 2].

    A point of class k at radius r lies at the angle 2π(turns·r + k/classes), plus noise; radii are
    uniform in [0, 1]. Two arms are 1/(turns·classes) apart along a ray.

    Args:
        n: rows, at least `classes`; divided evenly among the arms. Default 1000.
        classes: number of arms, at least 2. Default 3.
        noise: standard deviation of the Gaussian noise on each coordinate, at least 0. Default 0.03.
        turns: how often an arm winds around the origin, more than 0. Default 1.
        seed: the same seed gives the same points.

    Raises:
        InputError: if an argument is out of range.

    >>> spirals(300)
    Dataset('spirals': 300 rows of 2, classification into 3 classes)
    """
    if classes < 2:
        raise InputError(f"classes is {classes}; it must be at least 2")
    if not 0 < turns < np.inf:
        raise InputError(f"turns is {turns}; it must be more than 0")
    _check(n, classes, noise)
    random = stream(seed, "spirals")
    y = np.arange(n) % classes
    radius = random.uniform(size=n)
    angle = 2 * np.pi * (turns * radius + y / classes)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return _plane(x + noise * random.normal(size=x.shape), y, "spirals", tuple(map(str, range(classes))))


def _check(n: int, least: int, noise: float) -> None:
    if n < least:
        raise InputError(f"n is {n}; it must be at least {least}, a row for every class")
    if not 0 <= noise < np.inf:
        raise InputError(f"noise is {noise}; it must be a number of at least 0")


def _random_state(seed: int, name: str) -> int:
    return int(stream(seed, name).integers(2**32))


def _plane(x: NDArray[Any], y: NDArray[Any], name: str, classes: tuple[str, ...]) -> Dataset:
    return Dataset(
        x.astype(np.float64), y.astype(np.int64), "classification", name, classes, features=("x0", "x1")
    )
