"""Random numbers drawn inside a graph: the same for the same key, step and name, on every backend."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from spusk.graph import ops
from spusk.graph.dtypes import UINT32, DType
from spusk.graph.leaves import constant, number, random_bits
from spusk.graph.tensor import Operand, Tensor

HALF = 2**31


def draw_bits(key: Tensor, step: Operand, name: str, shape: Sequence[int]) -> Tensor:
    """Uniform 32-bit words, uint32, that follow from a key, the number of a step and a name.

    Args:
        key: uint32 [2], e.g. from `spusk.streams.key`.
        step: a scalar, the number of the step.
        name: tells apart the draws of one step.
        shape: of the result.

    >>> from spusk import streams
    >>> a, b = (draw_bits(constant(streams.key(0, "x")), 1, name, (4,)).numpy() for name in ("a", "b"))
    >>> a.dtype.name, bool((a == b).any())
    ('uint32', False)
    """
    number_of_step = ops.reshape(ops.cast(step, UINT32), (1,))
    counter = ops.concatenate([number_of_step, constant(np.array([zlib.crc32(name.encode())], UINT32))])
    return random_bits(key, counter, shape)


def draw_signs(key: Tensor, step: Operand, name: str, shape: Sequence[int], dtype: DType) -> Tensor:
    """−1 and 1 with equal probability, independent of one another (Rademacher); arguments as `draw_bits`."""
    bits = draw_bits(key, step, name, shape)
    return ops.where(bits < HALF, number(-1.0, dtype), number(1.0, dtype))
