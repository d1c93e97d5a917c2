"""A graph in two parts: scalars that NumPy computes, and the arrays that another library computes.

Bias corrections and schedules are a dozen operations on single numbers. On a device, each would be a kernel
of its own; here they are done before, and only their results go there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spusk.graph import Evaluator, Tensor, topological
from spusk.graph.leaves import Constant


class Split:
    """The outputs of a graph, computed in two parts.

    Args:
        outputs: what is computed.
        inputs: what is given for it, apart from `scalars`.
        scalars: inputs that are single numbers and known to NumPy.

    Attributes:
        border: the scalars that go over from NumPy's part to the other one.
        constants: those that the other part needs.
        own: for each output, whether it is of NumPy's part.

    >>> from spusk.graph import input
    >>> x, t = input("x", (2,), "float64"), input("t", (), "float64")
    >>> split = Split([x / (1 - 0.5**t), t + 1], [x], [t])
    >>> numbers, border = split.numbers([1.0])
    >>> split.arrays([np.ones(2)], border, split.constant_values, np)
    [array([2., 2.])]
    >>> numbers
    [np.float64(2.0)]
    """

    def __init__(
        self, outputs: Sequence[Tensor], inputs: Sequence[Tensor], scalars: Sequence[Tensor]
    ) -> None:
        given = {x.serial for x in inputs}
        known = {s.serial for s in scalars}
        host: set[int] = set(known)
        border: dict[int, Tensor] = {}
        constants: dict[int, Tensor] = {}
        for t in topological(outputs):
            if t.serial in given or t.serial in known:
                continue
            is_constant = isinstance(t.primitive, Constant)
            if t.shape == () and all(x.serial in host for x in t.inputs) and (t.inputs or is_constant):
                host.add(t.serial)
                continue
            if is_constant:
                constants[t.serial] = t
            for x in t.inputs:
                if x.serial in host:
                    room = constants if isinstance(x.primitive, Constant) else border
                    room[x.serial] = x
        self.own = [t.serial in host for t in outputs]
        self.border, self.constants = list(border.values()), list(constants.values())
        numbers = [t for t, own in zip(outputs, self.own, strict=True) if own]
        arrays = [t for t, own in zip(outputs, self.own, strict=True) if not own]
        self._count = len(numbers)
        self._numbers = Evaluator([*numbers, *self.border], scalars)
        self._arrays = Evaluator(arrays, [*inputs, *self.border, *self.constants])
        self.constant_values: list[Any] = [t.primitive.value for t in self.constants]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]

    def numbers(self, scalars: Sequence[float]) -> tuple[list[Any], list[Any]]:
        """NumPy's outputs, and the numbers at the border, for values of the scalars."""
        found = self._numbers(*map(np.float64, scalars))
        return found[: self._count], found[self._count :]

    def arrays(
        self, inputs: Sequence[Any], border: Sequence[Any], constants: Sequence[Any], xp: Any
    ) -> list[Any]:
        """The other outputs, for arrays of the namespace xp."""
        return self._arrays(*inputs, *border, *constants, xp=xp)
