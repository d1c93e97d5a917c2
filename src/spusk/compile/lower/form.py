"""What a kernel does, apart from which buffers it does it to: kernels of one form have one function."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from spusk.compile.flow import signature
from spusk.compile.kernels import CheckKernel, Compute, Kernel, Literal, Reduce, Schedule, Value
from spusk.compile.views import View


def form(schedule: Schedule, kernel: Kernel) -> tuple[Hashable, tuple[int, ...]]:
    """A hashable value that determines the kernel's function, and the buffers that it numbers."""
    found = _Form(schedule)
    return found.of(kernel), tuple(found.buffers)


class _Form:
    """Buffers and values get numbers in order of appearance."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.buffers: dict[int, int] = {}
        self.values: dict[int, int] = {}

    def of(self, part: Any) -> Hashable:
        match part:
            case View():
                return self._view(part)
            case Compute():
                op = self.schedule.op(part.number)
                operands = self.of(part.operands)
                return (self._value(part.number), signature(op.primitive), op.dtype, operands)
            case Value():
                return self._value(part.number)
            case Literal():
                return (repr(part.value), part.dtype)  # 0.0 and -0.0 are equal, and NaN is not
            case Reduce():
                return (part.kind, part.axes, part.dtype, self.of(part.value), self._view(part.view))
            case tuple():
                return tuple([self.of(item) for item in part])  # pyright: ignore[reportUnknownVariableType]
            case _ if is_dataclass(part):
                names = [f.name for f in fields(part)]
                left_out = ("number", "why") if isinstance(part, CheckKernel) else ("number",)
                given = [self.of(getattr(part, name)) for name in names if name not in left_out]
                return (type(part).__name__, *given)
            case None | int() | str() | np.dtype():
                return part  # pyright: ignore[reportUnknownVariableType]
            case _:
                raise TypeError(f"a kernel holds a {type(part).__name__}")

    def _view(self, view: View) -> Hashable:
        op, home = self.schedule.op(view.buffer), self.schedule.home(view.buffer)
        buffer = self.buffers.setdefault(home, len(self.buffers))
        made = signature(op.primitive) if op.name == "iota" else ()
        return (buffer, made, op.dtype, view.shape, view.strides, view.offset)

    def _value(self, number: int) -> int:
        return self.values.setdefault(number, len(self.values))
