"""Where the elements of a value lie: an affine map from its axes into a buffer.

Changes of shape (transpose, broadcast, slice, flip, most reshapes) move no data: they are other maps into
the same buffer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from spusk.compile.flow import Op
from spusk.graph.primitive import Primitive, Shape
from spusk.graph.shaping import Broadcast, Flip, Slice, Transpose


@dataclass(frozen=True, slots=True)
class View:
    """Element [i, j, …] of a value is element `offset + i·strides[0] + j·strides[1] + …` of a buffer.

    Attributes:
        buffer: the number of the operation whose result the buffer holds.
        shape: of the value.
        strides: in elements, one an axis; 0 along an axis that repeats.
        offset: in elements.
    """

    buffer: int
    shape: Shape
    strides: tuple[int, ...]
    offset: int = 0

    def moved(self, primitive: Primitive, shape: Shape) -> View | None:
        """The view after a change of shape, or None if that needs other addresses."""
        match primitive:
            case Transpose(axes=axes):
                strides = tuple(self.strides[a] for a in axes)
                return View(self.buffer, shape, strides, self.offset)
            case Broadcast():
                return self.broadcast(shape)
            case Slice(starts=starts, steps=steps):
                offset = self.offset + sum(s * n for s, n in zip(starts, self.strides, strict=True))
                strides = tuple(n * s for n, s in zip(self.strides, steps, strict=True))
                return View(self.buffer, shape, strides, offset)
            case Flip(axes=axes):
                return self._flipped(axes)
            case _:
                strides = _reshaped(self.shape, self.strides, shape)
                return None if strides is None else View(self.buffer, shape, strides, self.offset)

    def broadcast(self, shape: Shape) -> View:
        """Repeated along axes of length 1 and new leading axes."""
        new = len(shape) - len(self.shape)
        kept = (s if n == m else 0 for s, n, m in zip(self.strides, self.shape, shape[new:], strict=True))
        return View(self.buffer, shape, (*(0,) * new, *kept), self.offset)

    def _flipped(self, axes: tuple[int, ...]) -> View:
        strides, offset = list(self.strides), self.offset
        for a in axes:
            offset += max(self.shape[a] - 1, 0) * strides[a]
            strides[a] = -strides[a]
        return View(self.buffer, self.shape, tuple(strides), offset)

    @property
    def whole(self) -> bool:
        """Whether the view goes through its elements in row-major order without gaps from the start."""
        return self.offset == 0 and self.dense

    @property
    def dense(self) -> bool:
        """Whether the view goes through its elements in row-major order without gaps."""
        expected = row_major(self.shape)
        axes = zip(self.shape, self.strides, expected, strict=True)
        return all(s == e or n == 1 for n, s, e in axes) or 0 in self.shape


MOVES = ("reshape", "transpose", "broadcast", "slice", "flip")


def row_major(shape: Shape) -> tuple[int, ...]:
    """The strides of an array without gaps.

    >>> row_major((2, 3, 4))
    (12, 4, 1)
    """
    strides = [1] * len(shape)
    for i in range(len(shape) - 2, -1, -1):
        strides[i] = strides[i + 1] * shape[i + 1]
    return tuple(strides)


def whole(number: int, op: Op) -> View:
    """The view of an operation's own buffer."""
    return View(number, op.shape, row_major(op.shape))


def _reshaped(old: Shape, strides: tuple[int, ...], new: Shape) -> tuple[int, ...] | None:
    """Strides of the reshaped view, or None where one axis of the result would have two strides.

    Axes are matched in groups of equal size; within a group, the old axes must form one evenly spaced run.
    """
    if 0 in old:
        return row_major(new)
    left = [(n, s) for n, s in zip(old, strides, strict=True) if n != 1]
    result: list[int] = []
    i = 0
    rest = list(new)
    while rest:
        if rest[0] == 1:
            result.append(0)
            rest.pop(0)
            continue
        taken, wanted = [left[i]], [rest.pop(0)]
        i += 1
        while math.prod(n for n, _ in taken) != math.prod(wanted):
            if math.prod(n for n, _ in taken) < math.prod(wanted):
                taken.append(left[i])
                i += 1
            else:
                wanted.append(rest.pop(0))
        if any(s != m * t for (_, s), (m, t) in pairwise(taken)):
            return None
        step = taken[-1][1]
        result += [step * s for s in row_major(tuple(wanted))]
    return tuple(result)
