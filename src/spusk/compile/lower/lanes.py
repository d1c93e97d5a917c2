"""The innermost axis of a loop nest, several elements at a time.

Vectors are written out instead of left to LLVM's vectoriser: short rows (ten classes) then run in vectors
too, the order of every sum is fixed, and optimising takes half the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spusk.compile.kernels import Compute, Gather, Literal, Load, LoopKernel, Operand, Schedule, Value
from spusk.compile.lower.scalars import convert, lower_scalar
from spusk.compile.lower.text import Function, literal, value_type
from spusk.compile.views import View
from spusk.graph.dtypes import INT64, DType


class Elements:
    """Writes a loop body for one or more neighbouring elements of the innermost axis.

    What does not change along that axis is computed once before it, as single values. `given` are values
    known before the body begins, by number.
    """

    def __init__(
        self, f: Function, schedule: Schedule, kernel: LoopKernel, given: Iterable[int] = ()
    ) -> None:
        self.f, self.schedule, self.kernel = f, schedule, kernel
        self.given = dict.fromkeys(given, "")
        self.still: dict[Operand, str] = {}  # operands that are the same along the innermost axis
        self.values: dict[int, str] = {}
        self.indices: list[str] = []
        self.moving = set(self.given)
        for step in kernel.body:
            if any(self.moves(operand) for operand in step.operands):
                self.moving.add(step.number)

    def moves(self, operand: Operand) -> bool:
        """Whether an operand changes along the innermost axis."""
        match operand:
            case Literal():
                return False
            case Value(number=number):
                return number in self.moving
            case Load(view=view):
                return _inner_stride(view) != 0
            case Gather(view=view, index=index):
                return _inner_stride(view) != 0 or _inner_stride(index) != 0

    # --- before the innermost loop ----------------------------------------------------------------

    def prepare(self, outer: Sequence[str]) -> None:
        """Compute what does not change along the innermost axis, for given indices of the axes around it."""
        self.still, self.values = {}, {}
        self.indices = [*outer, "0"] if self.kernel.space else []
        with self.f.working_on(1):
            for step in self.kernel.body:
                for operand in step.operands:
                    self._prepare(operand)
                if step.number not in self.moving:
                    self.still[Value(step.number)] = self._computed(step)
            for result in (*self.kernel.stores, *self.kernel.reductions):
                self._prepare(result.value)

    def _prepare(self, operand: Operand) -> None:
        if operand in self.still or isinstance(operand, Value | Literal) or self.moves(operand):
            return
        more = self._row(operand) if isinstance(operand, Gather) else None
        self.still[operand] = self._single(operand.view, self.indices, more)

    # --- some elements ----------------------------------------------------------------------------

    def compute(self, index: str) -> None:
        """The whole body for the elements from `index` on, as many as the function works on now."""
        if self.kernel.space:
            self.indices[-1] = index
        self.values = dict(self.given)
        for step in self.kernel.body:
            if step.number in self.moving:
                self.values[step.number] = self._computed(step)

    def _computed(self, step: Compute) -> str:
        op = self.schedule.op(step.number)
        operands = [self.operand(o) for o in step.operands]
        return lower_scalar(self.f, op, operands, [self.dtype(o) for o in step.operands])

    def dtype(self, operand: Operand) -> DType:
        match operand:
            case Literal(dtype=dtype):
                return dtype
            case Value(number=number):
                return self.schedule.op(number).dtype
            case Load(view=view) | Gather(view=view):
                return self.schedule.op(view.buffer).dtype

    def operand(self, operand: Operand) -> str:
        """An operand for every element."""
        if isinstance(operand, Literal):
            return self.f.number(operand.value, operand.dtype)
        if operand in self.still:
            return self.f.splat(self.still[operand], value_type(self.dtype(operand)))
        if isinstance(operand, Value):
            return self.values[operand.number]
        if isinstance(operand, Load):
            return self._loaded(operand.view)
        if _inner_stride(operand.index) == 0:
            return self._loaded(operand.view, self._row(operand))
        return self._gathered(operand)

    def store(self, value: str, view: View, dtype: DType) -> None:
        """Put the elements into a view's buffer."""
        if _inner_stride(view) == 1 or self.f.lanes == 1:
            self.f.store(value, self.element(view, self.indices), dtype)
            return
        singles = self.f.taken(value, value_type(dtype))
        with self.f.working_on(1):
            for indices, single in zip(self._neighbours(len(singles)), singles, strict=True):
                self.f.store(single, self.element(view, indices), dtype)

    def element(self, view: View, indices: Sequence[str], more: str | None = None) -> str:
        """A pointer to an element of a view."""
        address = self.f.address(view, indices, more)
        home = self.schedule.home(view.buffer)
        return self.f.element(home, address, self.schedule.op(view.buffer).dtype)

    # --- reading ----------------------------------------------------------------------------------

    def _neighbours(self, count: int) -> list[list[str]]:
        """The indices of the elements, one by one."""
        last = self.indices[-1]
        nexts = [last, *(self.f.put(f"add nuw nsw i64 {last}, {i}") for i in range(1, count))]
        return [[*self.indices[:-1], index] for index in nexts]

    def _loaded(self, view: View, more: str | None = None) -> str:
        """The elements of a view, read together if they are neighbours in memory."""
        op, stride = self.schedule.op(view.buffer), _inner_stride(view)
        if op.name == "iota":
            return convert(self.f, self._counted(view), INT64, op.dtype)
        if stride == 1 or self.f.lanes == 1:
            return self.f.load(self.element(view, self.indices, more), op.dtype)
        lanes = self.f.lanes
        with self.f.working_on(1):
            singles = [self._single(view, indices, more) for indices in self._neighbours(lanes)]
        return self.f.joined(singles, value_type(op.dtype))

    def _counted(self, view: View) -> str:
        """The addresses of the elements: of an iota, they are its values."""
        address = self.f.address(view, self.indices)
        if self.f.lanes == 1:
            return address
        kind = self.f.kind(INT64)
        steps = ", ".join(f"i64 {i * _inner_stride(view)}" for i in range(self.f.lanes))
        return self.f.put(f"add {kind} {self.f.splat(address, 'i64')}, <{steps}>")

    def _single(self, view: View, indices: Sequence[str], more: str | None = None) -> str:
        return loaded(self.f, self.schedule, view, indices, more)

    def _row(self, gather: Gather) -> str:
        with self.f.working_on(1):
            return row(self.f, self.schedule, gather.index, gather.stride, gather.length, self.indices)

    def _gathered(self, gather: Gather) -> str:
        """Elements at places that differ from one to the next, read one by one."""
        lanes, dtype = self.f.lanes, self.schedule.op(gather.view.buffer).dtype
        with self.f.working_on(1):
            singles: list[str] = []
            for indices in self._neighbours(lanes) if self.indices else [[]]:
                more = row(self.f, self.schedule, gather.index, gather.stride, gather.length, indices)
                singles.append(self._single(gather.view, indices, more))
        return self.f.joined(singles, value_type(dtype))


def _inner_stride(view: View) -> int:
    return view.strides[-1] if view.strides and view.shape[-1] > 1 else 0


def loaded(
    f: Function, schedule: Schedule, view: View, indices: Sequence[str], more: str | None = None
) -> str:
    """One element of a view; of an iota, the address is the value."""
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
    negative = f.put(f"icmp slt i64 {number}, {literal(0, INT64)}")
    wrapped = f.put(f"add nsw i64 {number}, {length}")
    at = f.put(f"select i1 {negative}, i64 {wrapped}, i64 {number}")
    return f.put(f"mul nsw i64 {at}, {stride}")
