"""Named random streams: one seed, many independent sources of randomness.

Weights, split, batch order and dropout each draw from a stream named after their purpose, so that
changing one (another initialiser, another optimizer) never shifts the random numbers of the others.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError


def stream(seed: int, *names: str) -> np.random.Generator:
    """The random generator that belongs to `seed` and the given names.

    Args:
        seed: a non-negative integer.
        names: what the numbers are for, e.g. `"init", "0.weight"`.

    Returns:
        A fresh generator; the same arguments always give the same numbers.

    Raises:
        InputError: if `seed` is not a non-negative integer.

    >>> stream(0, "init", "0.weight").random() == stream(0, "init", "0.weight").random()
    True
    >>> stream(0, "init").random() == stream(0, "order").random()
    False
    """
    return np.random.Generator(np.random.PCG64(_sequence(seed, names)))


def key(seed: int, *names: str) -> NDArray[np.uint32]:
    """A two-word key, uint32 [2], for the graph's counter-based `random_bits`.

    >>> key(0, "dropout").shape
    (2,)
    """
    return _sequence(seed, names).generate_state(2, np.uint32).astype(np.uint32)


def _sequence(seed: int, names: tuple[str, ...]) -> np.random.SeedSequence:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"seed is {seed!r}; it must be a non-negative whole number")
    return np.random.SeedSequence([int(seed), *(zlib.crc32(name.encode()) for name in names)])
