"""Loop kernels as LLVM IR: nested counted loops, values in registers, sums in accumulators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spusk.compile.kernels import (
    Gather,
    Literal,
    Load,
    LoopKernel,
    Operand,
    Reduce,
    Schedule,
    Value,
)
from spusk.compile.lower.scalars import convert, extremum, lower_scalar
from spusk.compile.lower.text import Function, Loop, literal, value_type
from spusk.compile.views import View
from spusk.graph.dtypes import BOOL, INT64, DType


def lower_loop(schedule: Schedule, kernel: LoopKernel) -> Function:
    """The function that runs a loop kernel; its arguments are pointers to the buffers."""
    return _Nest(schedule, kernel).written()


@dataclass
class _Accumulator:
    """A reduction held in a register over the innermost axes from `depth` on."""

    reduce: Reduce
    depth: int
    variable: str | None


class _Nest:
    def __init__(self, schedule: Schedule, kernel: LoopKernel) -> None:
        self.schedule, self.kernel = schedule, kernel
        self.f = Function()
        self.values: dict[int, str] = {}

    def written(self) -> Function:
        accumulators = [self._accumulator(r) for r in self.kernel.reductions]
        for a in accumulators:
            if a.variable is None or self._outer_reduced(a):
                self._fill(a.reduce)
        if 0 not in self.kernel.space:
            self._loops([], accumulators)
        self.f.line("ret void")
        return self.f

    # --- reductions -------------------------------------------------------------------------------

    def _accumulator(self, reduce: Reduce) -> _Accumulator:
        """A register if the innermost axes are reduced, else the result's own memory."""
        depth = len(self.kernel.space)
        while depth and depth - 1 in reduce.axes:
            depth -= 1
        register = depth < len(self.kernel.space) and 0 not in self.kernel.space
        return _Accumulator(reduce, depth, self.f.alloca(value_type(reduce.dtype)) if register else None)

    def _outer_reduced(self, a: _Accumulator) -> bool:
        return any(axis < a.depth for axis in a.reduce.axes)

    def _fill(self, reduce: Reduce) -> None:
        """Put the start of a reduction into every element of the result."""
        kept = [a for a in range(len(self.kernel.space)) if a not in reduce.axes]
        view = reduce.view
        shape = tuple(self.kernel.space[a] for a in kept)
        if 0 in shape:
            return
        smaller = View(view.buffer, shape, tuple(view.strides[a] for a in kept), view.offset)
        loops: list[Loop] = [self.f.begin_loop("0", str(n)) for n in shape]
        pointer = self._element(smaller, [loop.index for loop in loops])
        self.f.store(first_value(reduce.kind, reduce.dtype), pointer, reduce.dtype)
        for loop in reversed(loops):
            self.f.end_loop(loop)

    def _combine(self, reduce: Reduce, x: str, y: str) -> str:
        return combined(self.f, reduce.kind, reduce.dtype, x, y)

    # --- the nest ---------------------------------------------------------------------------------

    def _loops(self, indices: list[str], accumulators: list[_Accumulator]) -> None:
        depth = len(indices)
        here = [a for a in accumulators if a.depth == depth and a.variable is not None]
        for a in here:
            start = first_value(a.reduce.kind, a.reduce.dtype)
            self.f.line(f"store {value_type(a.reduce.dtype)} {start}, ptr {a.variable}")
        if depth == len(self.kernel.space):
            self._body(indices, accumulators)
            return
        loop = self.f.begin_loop("0", str(self.kernel.space[depth]))
        self._loops([*indices, loop.index], accumulators)
        self.f.end_loop(loop)
        for a in here:
            self._close(a, indices)

    def _close(self, a: _Accumulator, indices: list[str]) -> None:
        """Put a finished register into the result, added to what outer axes have left there."""
        dtype = a.reduce.dtype
        total = self.f.put(f"load {value_type(dtype)}, ptr {a.variable}")
        pointer = self._element(a.reduce.view, self._padded(indices))
        if self._outer_reduced(a):
            total = self._combine(a.reduce, self.f.load(pointer, dtype), total)
        self.f.store(total, pointer, dtype)

    def _padded(self, indices: Sequence[str]) -> list[str]:
        return [*indices, *["0"] * (len(self.kernel.space) - len(indices))]

    def _body(self, indices: list[str], accumulators: list[_Accumulator]) -> None:
        for step in self.kernel.body:
            op = self.schedule.op(step.number)
            operands = [self._operand(o, indices) for o in step.operands]
            dtypes = [self._dtype(o) for o in step.operands]
            self.values[step.number] = lower_scalar(self.f, op, operands, dtypes)
        # Everything is read before anything is written: a store may go to the place of an input.
        results = [self._operand(store.value, indices) for store in self.kernel.stores]
        parts = [self._operand(a.reduce.value, indices) for a in accumulators]
        for store, value in zip(self.kernel.stores, results, strict=True):
            self.f.store(value, self._element(store.view, indices), store.dtype)
        for a, value in zip(accumulators, parts, strict=True):
            self._accumulate(a, value, indices)

    def _accumulate(self, a: _Accumulator, part: str, indices: list[str]) -> None:
        dtype = a.reduce.dtype
        value = convert(self.f, part, self._dtype(a.reduce.value), dtype)
        if a.variable is None:
            pointer = self._element(a.reduce.view, indices)
            self.f.store(self._combine(a.reduce, self.f.load(pointer, dtype), value), pointer, dtype)
        else:
            kind = value_type(dtype)
            total = self._combine(a.reduce, self.f.put(f"load {kind}, ptr {a.variable}"), value)
            self.f.line(f"store {kind} {total}, ptr {a.variable}")

    # --- operands ---------------------------------------------------------------------------------

    def _dtype(self, operand: Operand) -> DType:
        match operand:
            case Literal(dtype=dtype):
                return dtype
            case Value(number=number):
                return self.schedule.op(number).dtype
            case Load(view=view) | Gather(view=view):
                return self.schedule.op(view.buffer).dtype

    def _operand(self, operand: Operand, indices: list[str]) -> str:
        match operand:
            case Literal(value=value, dtype=dtype):
                return literal(value, dtype)
            case Value(number=number):
                return self.values[number]
            case Load(view=view):
                return self._loaded(view, indices)
            case Gather():
                return self._loaded(operand.view, indices, self._row(operand, indices))

    def _row(self, gather: Gather, indices: list[str]) -> str:
        """How far into the source the index leads; negative indices count from the end."""
        return row(self.f, self.schedule, gather.index, gather.stride, gather.length, indices)

    def _loaded(self, view: View, indices: list[str], more: str | None = None) -> str:
        return loaded(self.f, self.schedule, view, indices, more)

    def _element(self, view: View, indices: Sequence[str]) -> str:
        address = self.f.address(view, indices)
        return self.f.element(self.schedule.home(view.buffer), address, self.schedule.op(view.buffer).dtype)


def loaded(
    f: Function, schedule: Schedule, view: View, indices: Sequence[str], more: str | None = None
) -> str:
    """An element of a view; of an iota, the address is the value."""
    op = schedule.op(view.buffer)
    address = f.address(view, indices, more)
    if op.name == "iota":
        return convert(f, address, INT64, op.dtype)
    return f.load(f.element(schedule.home(view.buffer), address, op.dtype), op.dtype)


def row(
    f: Function, schedule: Schedule, index: View, stride: int, length: int, indices: Sequence[str]
) -> str:
    """The address part that an index contributes; negative indices count from the end."""
    dtype = schedule.op(index.buffer).dtype
    number = convert(f, loaded(f, schedule, index, indices), dtype, INT64)
    negative = f.put(f"icmp slt i64 {number}, 0")
    wrapped = f.put(f"add nsw i64 {number}, {length}")
    at = f.put(f"select i1 {negative}, i64 {wrapped}, i64 {number}")
    return f.put(f"mul nsw i64 {at}, {stride}")


def first_value(kind: str, dtype: DType) -> str:
    """What a reduction starts from."""
    if kind == "sum":
        return literal(0, dtype)
    if dtype.kind == "f":
        return literal(float("-inf"), dtype)
    return literal(False, dtype) if dtype == BOOL else literal(int(np.iinfo(dtype).min), dtype)


def combined(f: Function, kind: str, dtype: DType, x: str, y: str) -> str:
    """Two parts of a reduction as one. Sums may be regrouped, so that they run in vector registers."""
    if kind == "max":
        return extremum(f, "max", dtype, x, y)
    return f.put(f"{'fadd reassoc' if dtype.kind == 'f' else 'add'} {value_type(dtype)} {x}, {y}")
