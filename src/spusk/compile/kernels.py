"""Kernels: what the native step runs one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from spusk.compile.flow import Flow, Op
from spusk.compile.views import View
from spusk.graph.dtypes import DType
from spusk.graph.primitive import Shape


@dataclass(frozen=True, slots=True)
class Load:
    """An element of a buffer (or, of an `iota`, the address itself)."""

    view: View


@dataclass(frozen=True, slots=True)
class Gather:
    """An element of a buffer whose place along one axis is read from another buffer."""

    view: View  # of the source, with stride 0 along the axes of the indices
    index: View
    stride: int  # of the indexed axis
    length: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A number known at compile time."""

    value: bool | int | float
    dtype: DType


@dataclass(frozen=True, slots=True)
class Value:
    """The value that an operation of the same kernel has just computed."""

    number: int


Operand: TypeAlias = Load | Gather | Literal | Value


@dataclass(frozen=True, slots=True)
class Compute:
    """One elementwise operation of a loop's body."""

    number: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Store:
    """A value put into a buffer."""

    value: Operand
    view: View
    dtype: DType


@dataclass(frozen=True, slots=True)
class Reduce:
    """A value summed, or its maximum taken, over some axes of the loop; `view` has stride 0 along them."""

    number: int
    kind: str  # "sum" or "max"
    value: Operand
    axes: tuple[int, ...]
    view: View
    dtype: DType


@dataclass(frozen=True)
class LoopKernel:
    """A nest of loops over `space` that computes, stores and reduces."""

    space: Shape
    body: tuple[Compute, ...]
    stores: tuple[Store, ...]
    reductions: tuple[Reduce, ...] = ()


@dataclass(frozen=True)
class DotKernel:
    """Matrix products of two views [batch…, m, k] and [batch…, k, n] into the result's own buffer.

    With an epilogue, a loop over the result whose first known value is the product, what that one stores is
    written instead.
    """

    number: int
    a: View
    b: View
    out: View
    dtype: DType
    epilogue: LoopKernel | None = None


@dataclass(frozen=True)
class ArgMaxKernel:
    """The index of the first largest element along one axis."""

    number: int
    x: View
    axis: int
    out: View


@dataclass(frozen=True)
class ScatterKernel:
    """Updates added one after another at indices along one axis of the result."""

    number: int
    updates: View
    index: View  # with stride 0 along the axes that are not the indices'
    out: View  # with stride 0 along the axes of the indices
    stride: int
    length: int
    dtype: DType


@dataclass(frozen=True)
class RandomKernel:
    """Random words of a key and a counter."""

    number: int
    key: View
    counter: View
    out: View


@dataclass(frozen=True)
class CheckKernel:
    """Ends the run with an error if a whole number of a buffer lies outside [low, high)."""

    x: View
    low: int
    high: int
    why: int  # which of the schedule's complaints to make


Kernel: TypeAlias = LoopKernel | DotKernel | ArgMaxKernel | ScatterKernel | RandomKernel | CheckKernel


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error's sentence, and the traced operation (by number) whose line it should name."""

    sentence: str
    origin: int


@dataclass(frozen=True)
class Schedule:
    """A program as kernels in order.

    Attributes:
        flow: the operations that the kernels' numbers refer to.
        kernels: in the order in which they run.
        homes: for each buffer that lies in another one, that buffer: a carried output computed in the place
            of its input.
        commits: pairs of buffers (from, to) that are copied when all kernels have run.
        complaints: what to say about the numbers that a `CheckKernel` finds.
    """

    flow: Flow
    kernels: tuple[Kernel, ...]
    homes: Mapping[int, int] = field(default_factory=dict[int, int])
    commits: tuple[tuple[int, int], ...] = ()
    complaints: tuple[Complaint, ...] = ()

    def op(self, number: int) -> Op:
        return self.flow.ops[number]

    def home(self, buffer: int) -> int:
        """The buffer in whose place this one lies."""
        return self.homes.get(buffer, buffer)


def operand_views(operand: Operand) -> tuple[View, ...]:
    """The views that an operand reads."""
    match operand:
        case Load(view=view):
            return (view,)
        case Gather(view=view, index=index):
            return (view, index)
        case _:
            return ()


def operands(kernel: LoopKernel) -> list[Operand]:
    """Everything that a loop computes with, stores and reduces."""
    found = [o for step in kernel.body for o in step.operands]
    return found + [s.value for s in kernel.stores] + [r.value for r in kernel.reductions]


def reads(kernel: Kernel) -> list[View]:
    """Every view that a kernel reads."""
    match kernel:
        case LoopKernel():
            return [view for operand in operands(kernel) for view in operand_views(operand)]
        case DotKernel():
            return [kernel.a, kernel.b, *(reads(kernel.epilogue) if kernel.epilogue else ())]
        case ArgMaxKernel() | CheckKernel():
            return [kernel.x]
        case ScatterKernel():
            return [kernel.updates, kernel.index, kernel.out]
        case RandomKernel():
            return [kernel.key, kernel.counter]


def writes(kernel: Kernel) -> list[View]:
    """Every view that a kernel writes."""
    match kernel:
        case LoopKernel():
            return [s.view for s in kernel.stores] + [r.view for r in kernel.reductions]
        case CheckKernel():
            return []
        case DotKernel(epilogue=LoopKernel() as epilogue):
            return writes(epilogue)
        case _:
            return [kernel.out]
