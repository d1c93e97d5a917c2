"""What must hold when the last pass is done: every kernel finds the values it reads, whatever shares memory.

Carried outputs are computed in the place of their inputs, loops are joined and moved, and the arena's bytes
are used over and over. This check knows nothing of the reasons why the passes held that to be right. It runs
one step on labels instead of numbers: each cell of memory holds the number of the operation whose value lies
there. The work is that of the step's reads and writes, once for each element.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from spusk.compile.kernels import (
    DotKernel,
    Gather,
    Kernel,
    Literal,
    LoopKernel,
    ScatterKernel,
    Store,
    operands,
    reads,
    writes,
)
from spusk.compile.memory import Layout, Place
from spusk.compile.views import View, whole

Labels = NDArray[np.int32]
NOTHING = -1  # the label of memory that holds no value of this step


def check_order(layout: Layout, runs: tuple[tuple[int, ...], ...] = ()) -> None:
    """Nothing is read after it has been overwritten or before it is complete, and a step leaves behind the
    values that it should.

    Args:
        layout: a schedule with a place for every buffer.
        runs: the buffers that lie one after another, for kernels that go through all of a run.
    """
    step = _Step(layout, runs)
    for position, kernel in enumerate(layout.schedule.kernels):
        step.kernel(position, kernel)
    step.end()


class _Step:
    """One step on labels."""

    def __init__(self, layout: Layout, runs: tuple[tuple[int, ...], ...]) -> None:
        self.layout, self.schedule = layout, layout.schedule
        self.run_of = {run[0]: run for run in runs}
        self.guests = {home: source for source, home in self.schedule.homes.items()}
        self.units = {"state": _unit(layout, "state"), "arena": _unit(layout, "arena")}
        self.rooms: dict[str | int, Labels] = {
            "state": _empty(layout.state_bytes // self.units["state"]),
            "arena": _empty(layout.arena_bytes // self.units["arena"]),
        }
        flow = self.schedule.flow
        for name, number in flow.outputs.items():
            if name not in flow.carry:
                self.rooms[layout.places[number].at] = _empty(flow.ops[number].size)
        for target in flow.carry.values():
            number = flow.inputs[target]
            if layout.places[number].room == "outside":
                self.rooms[layout.places[number].at] = _empty(flow.ops[number].size)
            self.cells(whole(number, flow.ops[number]))[...] = number
        self.complete_after = {
            value: position
            for position, kernel in enumerate(self.schedule.kernels)
            for view in writes(kernel)
            for value in self.values(view)
        }

    # --- memory -----------------------------------------------------------------------------------

    def cells(self, view: View) -> Labels:
        """The labels of a view's elements, each element once; their last axis is the cells of an element."""
        place, size = self.layout.places[view.buffer], self.schedule.op(view.buffer).dtype.itemsize
        room, unit, start = self._room(place, size)
        labels, per = self.rooms[room], size // unit
        if 0 in view.shape:
            return labels[:0].reshape(0, per)
        axes = [(n, s * per) for n, s in zip(view.shape, view.strides, strict=True) if s]
        first = start // unit + view.offset * per
        low = first + sum(min((n - 1) * s, 0) for n, s in axes)
        high = first + sum(max((n - 1) * s, 0) for n, s in axes) + per
        assert 0 <= low <= high <= len(labels), f"a view of buffer {view.buffer} leaves its memory: {view}"
        shape, strides = [n for n, _ in axes], [4 * s for _, s in axes]
        return as_strided(labels[first:], (*shape, per), (*strides, 4))

    def _room(self, place: Place, size: int) -> tuple[str | int, int, int]:
        if place.room == "outside":
            return place.at, size, 0
        return place.room, self.units[place.room], place.at

    def is_ours(self, view: View) -> bool:
        """Whether a view's elements lie where kernels write, and there are any."""
        if 0 in view.shape or self.schedule.op(view.buffer).name == "iota":
            return False
        place = self.layout.places[view.buffer]
        return place.room != "outside" or place.at in self.rooms

    def values(self, view: View) -> tuple[int, ...]:
        """The values that a view goes through: its buffer's, or all of a run."""
        home = self.schedule.home(view.buffer)
        is_run = home in self.run_of and view.strides == (1,) and not view.offset
        if not is_run or view.shape[0] <= self.schedule.op(home).size:
            return (view.buffer,)
        run = self.run_of[home]
        if view.buffer == home:
            return run
        assert all(b in self.guests for b in run), f"buffer {view.buffer} is computed in a place, {run} not"
        return tuple([self.guests[b] for b in run])

    def expected(self, view: View) -> Any:
        """The labels that a view's elements should have: one, or of a run each."""
        values = self.values(view)
        if len(values) == 1:
            return values[0]
        ops = [self.schedule.op(value) for value in values]
        per = ops[0].dtype.itemsize // self._room(self.layout.places[view.buffer], ops[0].dtype.itemsize)[1]
        return np.repeat(values, [op.size * per for op in ops]).reshape(-1, per)

    # --- kernels ----------------------------------------------------------------------------------

    def kernel(self, position: int, kernel: Kernel) -> None:
        what = f"kernel {position} ({type(kernel).__name__})"
        given = [view for view in dict.fromkeys(_reached(kernel)) if self.is_ours(view)]
        made = [view for view in dict.fromkeys(_written(kernel)) if 0 not in view.shape]
        for view in given:
            self._check_read(view, what)
            adds = isinstance(kernel, ScatterKernel) and view == kernel.out
            for value in self.values(view):
                end = self.complete_after.get(value, -1)
                assert end < position + adds, f"{what} reads {value} before kernel {end} completes it"
        for view in made:
            assert self.is_ours(view), f"{what} writes to buffer {view.buffer}, which it may only read"
        for store in _stores(kernel):
            if store.view in made:
                self._check_first(store, what)
        for view in made:
            self.cells(view)[...] = self.expected(view)
        for view in made:
            intact = np.all(self.cells(view) == self.expected(view))
            assert intact, f"{what} writes two values to one place of buffer {view.buffer}"
        stored = {self._path(store.view) for store in _stores(kernel)}
        for view in given:
            if not np.all(self.cells(view) == self.expected(view)):
                in_step = isinstance(kernel, LoopKernel) and self._path(view) in stored
                assert in_step, f"{what} overwrites elements of {view.buffer} that it has yet to read"

    def _check_read(self, view: View, what: str) -> None:
        found, wanted = self.cells(view), self.expected(view)
        wrong = found != wanted
        if wrong.any():
            other = int(found[wrong][0])
            now = "nothing" if other == NOTHING else f"the value of {other}"
            raise AssertionError(f"{what} reads buffer {view.buffer} where {now} lies")

    def _check_first(self, store: Store, what: str) -> None:
        """A store of a whole buffer is the first into it: it may fill the buffer, not wipe it out."""
        op, cells = self.schedule.op(store.view.buffer), self.cells(store.view)
        is_content = op.name == "pad" and not isinstance(store.value, Literal)
        if len(self.values(store.view)) == 1 and cells.size // cells.shape[-1] == op.size and not is_content:
            begun = (cells == self.expected(store.view)).any()
            assert not begun, f"{what} fills {op.name} {store.view.buffer}, which another kernel wrote to"

    def _path(self, view: View) -> tuple[Any, ...]:
        """The bytes that a view goes through, in order."""
        place, size = self.layout.places[view.buffer], self.schedule.op(view.buffer).dtype.itemsize
        room, _, start = self._room(place, size)
        axes = [(n, s * size if n > 1 else 0) for n, s in zip(view.shape, view.strides, strict=True)]
        return (room, size, start + view.offset * size, *axes)

    # --- the end of the step ----------------------------------------------------------------------

    def end(self) -> None:
        """The copies, and what must be where when the next step begins."""
        schedule, flow = self.schedule, self.schedule.flow
        for source, into in schedule.commits:
            self._check_read(whole(source, schedule.op(source)), "the copy at the end")
            self.cells(whole(into, schedule.op(into)))[...] = source
        for name, number in flow.outputs.items():
            carried = name in flow.carry
            where = flow.inputs[flow.carry[name]] if carried else number
            left = self.cells(whole(where, schedule.op(where)))
            assert np.all(left == number), f"output {name!r} is not what the step leaves in its place"


def _unit(layout: Layout, room: str) -> int:
    """Bytes of a cell: the smallest element in the room; all others are multiples."""
    ops = [layout.schedule.op(b) for b, place in layout.places.items() if place.room == room]
    return min((op.dtype.itemsize for op in ops), default=1)


def _empty(cells: int) -> Labels:
    return np.full(cells, NOTHING, np.int32)


def _stores(kernel: Kernel) -> tuple[Store, ...]:
    loop = kernel.epilogue if isinstance(kernel, DotKernel) else kernel
    return loop.stores if isinstance(loop, LoopKernel) else ()


def _written(kernel: Kernel) -> Iterator[View]:
    """The views that a kernel writes; a reduction over no elements writes its start."""
    if not isinstance(kernel, LoopKernel):
        yield from writes(kernel)
        return
    yield from (s.view for s in kernel.stores)
    for r in kernel.reductions:
        kept = [a for a in range(len(kernel.space)) if a not in r.axes]
        shape, strides = (tuple([part[a] for a in kept]) for part in (r.view.shape, r.view.strides))
        yield View(r.view.buffer, shape, strides, r.view.offset)


def _reached(kernel: Kernel) -> Iterator[View]:
    """The views that a kernel reads; of gathered ones, all elements that an index can lead to."""
    loop = kernel.epilogue if isinstance(kernel, DotKernel) else kernel
    gathered: list[Gather] = []
    if isinstance(loop, LoopKernel):
        gathered = [o for o in operands(loop) if isinstance(o, Gather)]
    yield from reads(kernel)
    for g in gathered:
        if 0 not in g.view.shape:
            view = g.view
            yield View(view.buffer, (*view.shape, g.length), (*view.strides, g.stride), view.offset)
