"""Loop kernels as LLVM IR: nested counted loops, values in registers, sums in accumulators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spusk.compile.cost import is_large
from spusk.compile.kernels import LoopKernel, Reduce, Schedule, reads, writes
from spusk.compile.load import target
from spusk.compile.lower.lanes import Elements
from spusk.compile.lower.scalars import convert, extremum
from spusk.compile.lower.text import Function, literal, value_type, wide
from spusk.compile.views import View
from spusk.graph.dtypes import BOOL, DType

UNROLLED = 64  # operations that are written out for all vectors of a short axis instead of a loop
PIECES = 8  # vectors of a short axis at most
CHAINS = 4  # sums that run side by side over a long axis: each waits for its own last addition only
SHORT_BODY = 8  # operations; longer bodies keep the processor busy without more chains


def lower_loop(schedule: Schedule, kernel: LoopKernel) -> Function:
    """The function that runs a loop kernel; its arguments are pointers to the buffers.

    A large one can be split among threads along its first axis, if that is not reduced: then the order in
    which anything is summed is the same for any number of threads.
    """
    return _Nest(schedule, kernel).written()


def splittable(schedule: Schedule, kernel: LoopKernel) -> bool:
    """Whether several threads can gain by doing parts of a loop kernel."""
    is_whole = bool(kernel.space) and 0 not in kernel.space
    return is_whole and is_large(schedule, kernel) and not any(0 in r.axes for r in kernel.reductions)


@dataclass
class _Accumulator:
    """A reduction held in registers over the innermost axes from `depth` on; without any, in memory.

    Attributes:
        single: the variable for single elements and for the result.
        chains: the variables for vectors, one a chain.
        columns: where only the first of two axes is reduced and the other is short: for each piece of it,
            where it begins, its length and its variable.
    """

    reduce: Reduce
    depth: int
    single: str = ""
    chains: list[str] = field(default_factory=list[str])
    columns: dict[int, tuple[int, str]] = field(default_factory=dict[int, tuple[int, str]])

    @property
    def crosses_outer(self) -> bool:
        """Whether axes outside of the registers' reach are reduced as well."""
        return any(axis < self.depth for axis in self.reduce.axes)


class _Nest:
    def __init__(self, schedule: Schedule, kernel: LoopKernel) -> None:
        self.schedule, self.kernel = schedule, kernel
        self.f = Function(split=splittable(schedule, kernel))
        self.elements = Elements(self.f, schedule, kernel)
        self.width = self._width()
        self.accumulators = [self._accumulator(r) for r in kernel.reductions]

    def written(self) -> Function:
        for a in self.accumulators:
            if a.columns:
                self._begin_columns(a)
            elif not a.single or a.crosses_outer:
                self._fill(a.reduce)
        if 0 not in self.kernel.space:
            self._loops([])
        for a in self.accumulators:
            self._end_columns(a)
        self.f.line("ret void")
        return self.f

    def _width(self) -> int:
        """How many elements a vector register holds, of the smallest numbers of four bytes or more."""
        numbers = [self.schedule.op(v.buffer).dtype for v in (*reads(self.kernel), *writes(self.kernel))]
        numbers += [self.schedule.op(step.number).dtype for step in self.kernel.body]
        return target().vector_bytes // min((d.itemsize for d in numbers if d.itemsize >= 4), default=4)

    # --- reductions -------------------------------------------------------------------------------

    def _accumulator(self, reduce: Reduce) -> _Accumulator:
        """Registers if the innermost axes are reduced, else the result's own memory."""
        depth = len(self.kernel.space)
        while depth and depth - 1 in reduce.axes:
            depth -= 1
        a = _Accumulator(reduce, depth)
        if depth < len(self.kernel.space) and 0 not in self.kernel.space:
            a.single = self.f.alloca(value_type(reduce.dtype))
            if self._looped:
                kind = wide(value_type(reduce.dtype), self.width)
                a.chains = [self.f.alloca(kind) for _ in range(self._chains)]
        elif reduce.axes == (0,) and len(self.kernel.space) == 2 and not self._looped and not self.f.split:
            for at, lanes in self._pieces(0):
                a.columns[at] = lanes, self.f.alloca(wide(value_type(reduce.dtype), lanes))
        return a

    @property
    def _looped(self) -> bool:
        """Whether the innermost axis is long enough for a loop over vectors."""
        if not self.kernel.space or self.kernel.space[-1] < 2 * self.width:
            return False
        pieces = -(-self.kernel.space[-1] // self.width)
        return pieces > PIECES or pieces * len(self.kernel.body) > UNROLLED

    def _pieces(self, start: int) -> list[tuple[int, int]]:
        """The innermost axis from `start` on in vectors, the last ones ever shorter: where and how long."""
        n, lanes, found = self.kernel.space[-1], self.width, list[tuple[int, int]]()
        while start < n:
            while start + lanes > n:
                lanes //= 2
            found.append((start, lanes))
            start += lanes
        return found

    @property
    def _chains(self) -> int:
        sums = [r for r in self.kernel.reductions if len(self.kernel.space) - 1 in r.axes]
        is_long = bool(self.kernel.space) and self.kernel.space[-1] >= 2 * CHAINS * self.width
        return CHAINS if sums and is_long and len(self.kernel.body) <= SHORT_BODY else 1

    def _fill(self, reduce: Reduce) -> None:
        """Put the start of a reduction into every element of the result."""
        kept = [a for a in range(len(self.kernel.space)) if a not in reduce.axes]
        view = reduce.view
        shape = tuple(self.kernel.space[a] for a in kept)
        if 0 in shape:
            return
        smaller = View(view.buffer, shape, tuple(view.strides[a] for a in kept), view.offset)
        loops = [
            self.f.outer_loop(n) if axis == 0 else self.f.begin_loop("0", str(n))
            for axis, n in zip(kept, shape, strict=True)
        ]
        pointer = self.elements.element(smaller, [loop.index for loop in loops])
        self.f.store(literal(first_value(reduce.kind, reduce.dtype), reduce.dtype), pointer, reduce.dtype)
        for loop in reversed(loops):
            self.f.end_loop(loop)

    def _begin_columns(self, a: _Accumulator) -> None:
        first, dtype = first_value(a.reduce.kind, a.reduce.dtype), a.reduce.dtype
        for lanes, variable in a.columns.values():
            with self.f.working_on(lanes):
                self.f.line(f"store {self.f.kind(dtype)} {self.f.number(first, dtype)}, ptr {variable}")

    def _end_columns(self, a: _Accumulator) -> None:
        for at, (lanes, variable) in a.columns.items():
            with self.f.working_on(lanes):
                total = self.f.put(f"load {self.f.kind(a.reduce.dtype)}, ptr {variable}")
                pointer = self.elements.element(a.reduce.view, ["0", str(at)])
                self.f.store(total, pointer, a.reduce.dtype)

    def _begin(self, a: _Accumulator) -> None:
        first, dtype = first_value(a.reduce.kind, a.reduce.dtype), a.reduce.dtype
        self.f.line(f"store {value_type(dtype)} {literal(first, dtype)}, ptr {a.single}")
        with self.f.working_on(self.width):
            for chain in a.chains:
                self.f.line(f"store {self.f.kind(dtype)} {self.f.number(first, dtype)}, ptr {chain}")

    def _end(self, a: _Accumulator, indices: list[str]) -> None:
        """Put the finished registers into the result, together with what outer axes have left there."""
        kind, dtype = a.reduce.kind, a.reduce.dtype
        total = self.f.put(f"load {value_type(dtype)}, ptr {a.single}")
        if a.chains:
            with self.f.working_on(self.width):
                chains = [self.f.put(f"load {self.f.kind(dtype)}, ptr {chain}") for chain in a.chains]
                while len(chains) > 1:
                    pairs = zip(chains[::2], chains[1::2], strict=True)
                    chains = [combined(self.f, kind, dtype, x, y) for x, y in pairs]
                folded = self._folded(a.reduce, chains[0])
            total = combined(self.f, kind, dtype, folded, total)
        pointer = self.elements.element(a.reduce.view, self._padded(indices))
        if a.crosses_outer:
            total = combined(self.f, kind, dtype, self.f.load(pointer, dtype), total)
        self.f.store(total, pointer, dtype)

    def _folded(self, reduce: Reduce, values: str) -> str:
        """The values of all lanes as one, in halves."""
        lanes, dtype = self.f.lanes, reduce.dtype
        while lanes > 1:
            many, half = wide(value_type(dtype), lanes), lanes // 2
            low, high = (
                self.f.put(
                    f"shufflevector {many} {values}, {many} poison, "
                    f"<{half} x i32> <{', '.join(f'i32 {i}' for i in range(start, start + half))}>"
                )
                for start in (0, half)
            )
            with self.f.working_on(half):
                if half == 1:
                    low, high = (
                        self.f.put(f"extractelement <1 x {value_type(dtype)}> {v}, i64 0")
                        for v in (low, high)
                    )
                values = combined(self.f, reduce.kind, dtype, low, high)
            lanes = half
        return values

    def _padded(self, indices: Sequence[str]) -> list[str]:
        return [*indices, *["0"] * (len(self.kernel.space) - len(indices))]

    # --- the nest ---------------------------------------------------------------------------------

    def _loops(self, indices: list[str]) -> None:
        """The loops from here inwards."""
        depth, rank = len(indices), len(self.kernel.space)
        here = [a for a in self.accumulators if a.depth == depth and a.single]
        for a in here:
            self._begin(a)
        if depth == max(rank - 1, 0):
            self.elements.prepare(indices)
            self._innermost()
        else:
            n = self.kernel.space[depth]
            loop = self.f.begin_loop("0", str(n)) if depth else self.f.outer_loop(n)
            self._loops([*indices, loop.index])
            self.f.end_loop(loop)
        for a in here:
            self._end(a, indices)

    def _innermost(self) -> None:
        if not self.kernel.space:
            self._some("0", 1)
        elif self.f.split and len(self.kernel.space) == 1:
            self._between("%low", "%high")
        else:
            self._along(self.kernel.space[-1])

    def _between(self, low: str, high: str) -> None:
        """Any stretch: whole vectors, then single elements."""
        length = self.f.put(f"sub nsw i64 {high}, {low}")
        whole = self.f.put(f"and i64 {length}, {-self.width}")
        middle = self.f.put(f"add nsw i64 {low}, {whole}")
        for start, stop, lanes in ((low, middle, self.width), (middle, high, 1)):
            done = self.f.begin_if(self.f.put(f"icmp slt i64 {start}, {stop}"))
            loop = self.f.begin_loop(start, stop, lanes)
            self._some(loop.index, lanes)
            self.f.end_loop(loop)
            self.f.end_if(done)

    def _along(self, n: int) -> None:
        """A known length: loops over several vectors, then over one, then ever smaller pieces."""
        at = 0
        for count in (self._chains, 1) if self._looped else ():
            step = count * self.width
            stop = at + (n - at) // step * step
            if at < stop and (count > 1 or self._chains == 1 or stop - at > 0):
                loop = self.f.begin_loop(str(at), str(stop), step)
                for i in range(count):
                    index = self.f.put(f"add nuw nsw i64 {loop.index}, {i * self.width}") if i else loop.index
                    self._some(index, self.width, i)
                self.f.end_loop(loop)
                at = stop
            if self._chains == 1:
                break
        for start, lanes in self._pieces(at):
            self._some(str(start), lanes)

    def _some(self, index: str, lanes: int, chain: int = -1) -> None:
        """The body for some elements: everything is read before anything is written, because a store may go
        to the place of an input."""
        f, elements = self.f, self.elements
        with f.working_on(lanes):
            elements.compute(index)
            results = [elements.operand(store.value) for store in self.kernel.stores]
            parts = [
                convert(f, elements.operand(a.reduce.value), elements.dtype(a.reduce.value), a.reduce.dtype)
                for a in self.accumulators
            ]
            for store, value in zip(self.kernel.stores, results, strict=True):
                elements.store(value, store.view, store.dtype)
            for a, part in zip(self.accumulators, parts, strict=True):
                self._accumulate(a, part, chain)

    def _accumulate(self, a: _Accumulator, part: str, chain: int) -> None:
        f, kind, dtype = self.f, a.reduce.kind, a.reduce.dtype
        if a.columns:
            _, variable = a.columns[int(self.elements.indices[-1])]
            total = combined(f, kind, dtype, f.put(f"load {f.kind(dtype)}, ptr {variable}"), part)
            f.line(f"store {f.kind(dtype)} {total}, ptr {variable}")
            return
        if not a.single:
            pointer = self.elements.element(a.reduce.view, self.elements.indices)
            f.store(combined(f, kind, dtype, f.load(pointer, dtype), part), pointer, dtype)
            return
        variable = a.chains[chain] if chain >= 0 and a.chains else a.single
        if variable == a.single and f.lanes > 1:
            part = self._folded(a.reduce, part)
        with f.working_on(f.lanes if variable != a.single else 1):
            total = combined(f, kind, dtype, f.put(f"load {f.kind(dtype)}, ptr {variable}"), part)
            f.line(f"store {f.kind(dtype)} {total}, ptr {variable}")


def first_value(kind: str, dtype: DType) -> bool | int | float:
    """What a reduction starts from."""
    if kind == "sum":
        return 0
    if dtype.kind == "f":
        return float("-inf")
    return False if dtype == BOOL else int(np.iinfo(dtype).min)


def combined(f: Function, kind: str, dtype: DType, x: str, y: str) -> str:
    """Two parts of a reduction as one."""
    if kind == "max":
        return extremum(f, "max", dtype, x, y)
    return f.put(f"{'fadd' if dtype.kind == 'f' else 'add'} {f.kind(dtype)} {x}, {y}")
