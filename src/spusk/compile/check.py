"""What must hold after each pass. On in the tests (SPUSK_CHECK=1); a failure is a bug of the compiler."""

from __future__ import annotations

from collections.abc import Iterable

from spusk.compile.flow import Flow
from spusk.compile.kernels import (
    DotKernel,
    Kernel,
    LoopKernel,
    Operand,
    Schedule,
    Value,
    operand_views,
    reads,
    writes,
)
from spusk.compile.lower.module import Modules, lower_kernel, named
from spusk.compile.memory import Layout
from spusk.compile.merge import Merged
from spusk.compile.views import View
from spusk.graph.leaves import Constant

GIVEN = ("input", "constant", "iota")


def check_flow(flow: Flow) -> None:
    """Operations in order, shapes and dtypes by each primitive's own rule."""
    for number, op in enumerate(flow.ops):
        assert all(0 <= x < number for x in op.inputs), (
            f"{op.name} {number} reads what comes later: {op.inputs}"
        )
        if isinstance(op.primitive, Constant):
            assert op.primitive.value.shape == op.shape, f"constant {number} has another shape than its op"
        if op.inputs:
            found = op.primitive.result(*[flow.ops[x] for x in op.inputs])  # pyright: ignore[reportArgumentType]
            assert found == (op.shape, op.dtype), f"{op.name} {number} is {found}, not {op.shape} {op.dtype}"
        if op.primitive.elementwise:
            dtypes = {flow.ops[x].dtype for x in op.inputs[op.primitive.first_value :]}
            assert len(dtypes) == 1, f"{op.name} {number} takes values of several dtypes: {dtypes}"
    for name, number in (*flow.inputs.items(), *flow.outputs.items()):
        assert 0 <= number < len(flow.ops), f"{name!r} is operation {number}, which does not exist"


def check_schedule(schedule: Schedule, runs: tuple[tuple[int, ...], ...] = ()) -> None:
    """Every view inside its buffer, nothing read before it is written, outputs in buffers of their own."""
    written = {n for n, op in enumerate(schedule.flow.ops) if op.name in GIVEN}
    guests = {home: source for source, home in schedule.homes.items()}
    members = {run[0]: {*run, *(guests[b] for b in run if b in guests)} for run in runs}
    for position, kernel in enumerate(schedule.kernels):
        what = f"kernel {position} ({type(kernel).__name__})"
        if isinstance(kernel, LoopKernel):
            _check_body(schedule, kernel, what)
        if isinstance(kernel, DotKernel) and kernel.epilogue:
            _check_body(schedule, kernel.epilogue, what, {kernel.number})
        for view in (*reads(kernel), *writes(kernel)):
            _check_inside(schedule, view, what)
        fresh = {view.buffer for view in writes(kernel)}
        for buffer in tuple(fresh):
            fresh |= members.get(schedule.home(buffer), set())
        for view in reads(kernel):
            assert view.buffer in written | fresh, f"{what} reads buffer {view.buffer} before it is written"
        written |= fresh
    for source, into in [*schedule.homes.items(), *schedule.commits]:
        a, b = schedule.op(source), schedule.op(into)
        assert (a.shape, a.dtype) == (b.shape, b.dtype), f"{source} does not fit into the place of {into}"
    kept = [n for name, n in schedule.flow.outputs.items() if name not in schedule.flow.carry]
    assert len(set(kept)) == len(kept), "two collected outputs share a buffer"
    assert set(schedule.flow.outputs.values()) <= written, "an output is never written"


def _check_body(schedule: Schedule, kernel: LoopKernel, what: str, given: Iterable[int] = ()) -> None:
    known = set(given)

    def check(operand: Operand) -> None:
        if isinstance(operand, Value):
            assert operand.number in known, f"{what} uses {operand.number} before it is computed"
        for view in operand_views(operand):
            assert view.shape == kernel.space, (
                f"{what} over {kernel.space} reads a view of shape {view.shape}"
            )

    for step in kernel.body:
        assert len(step.operands) == max(len(schedule.op(step.number).inputs), 1) or _is_take(
            schedule, step.number
        )
        for operand in step.operands:
            check(operand)
        known.add(step.number)
    for store in (*kernel.stores, *kernel.reductions):
        check(store.value)
        assert store.view.shape == kernel.space, (
            f"{what} over {kernel.space} writes a view of {store.view.shape}"
        )
    for reduce in kernel.reductions:
        still = [reduce.view.strides[a] for a in reduce.axes]
        assert not any(still), f"{what} reduces over axes along which the result moves"


def _is_take(schedule: Schedule, number: int) -> bool:
    return schedule.op(number).name == "take"


def _check_inside(schedule: Schedule, view: View, what: str) -> None:
    if 0 in view.shape:
        return
    reach = [(n - 1) * s for n, s in zip(view.shape, view.strides, strict=True)]
    low, high = view.offset + sum(min(r, 0) for r in reach), view.offset + sum(max(r, 0) for r in reach)
    size = schedule.op(view.buffer).size
    is_flat = (
        len(view.shape) == 1 and view.strides == (1,) and view.offset == 0
    )  # perhaps one of a merged run
    assert low >= 0, f"{what} touches {low} of buffer {view.buffer}"
    assert is_flat or high < size, f"{what} touches {high} of buffer {view.buffer} of {size} elements"


def check_merged(merged: Merged) -> None:
    """The runs are apart from each other, and no merged kernel reaches beyond its run."""
    check_schedule(merged.schedule, merged.runs)
    flat = [buffer for run in merged.runs for buffer in run]
    assert len(set(flat)) == len(flat), "a buffer is in two runs"
    length = {run[0]: sum(merged.schedule.op(b).size for b in run) for run in merged.runs}
    for kernel in merged.schedule.kernels:
        for view in (*reads(kernel), *writes(kernel)):
            home = merged.schedule.home(view.buffer)
            size = length.get(home, merged.schedule.op(home).size)
            if len(view.shape) == 1 and view.strides == (1,) and view.shape[0]:
                assert view.offset + view.shape[0] <= size, f"a kernel reaches beyond the run of {home}"


def check_layout(layout: Layout) -> None:
    """Runs without gaps, everything in its block, and nothing that lives at the same time shares bytes."""
    schedule = layout.schedule
    alive: list[tuple[int, int, int, int, int]] = []
    for buffer, place in layout.places.items():
        size = schedule.op(buffer).size * schedule.op(buffer).dtype.itemsize
        if place.room == "state":
            assert 0 <= place.at <= layout.state_bytes - size, f"buffer {buffer} lies outside of the state"
        if place.room == "arena":
            assert 0 <= place.at <= layout.arena_bytes - size, f"buffer {buffer} lies outside of the arena"
            alive.append((*layout.lives[buffer], place.at, place.at + size, buffer))
    alive.sort()
    for i, (_, last, start, end, buffer) in enumerate(alive):
        for first, _, other_start, other_end, other in alive[i + 1 :]:
            if first > last:
                break
            apart = end <= other_start or other_end <= start
            assert apart, f"buffers {buffer} and {other} live at the same time and share bytes"
    for kernel in schedule.kernels:
        _check_placed(layout, kernel)


def check_modules(layout: Layout, modules: Modules) -> None:
    """Every call is of the function that its kernel, lowered by itself, has."""
    for call in modules.calls:
        function = lower_kernel(layout.schedule, call.kernel)
        name, _ = named(function, call.result)
        assert name == call.function, f"a {type(call.kernel).__name__} got the function of another form"
        assert tuple(function.arguments) == call.buffers, f"{name} is called with the wrong buffers"


def _check_placed(layout: Layout, kernel: Kernel) -> None:
    for view in (*reads(kernel), *writes(kernel)):
        named = view.buffer in layout.places or layout.schedule.op(view.buffer).name == "iota"
        assert named, f"buffer {view.buffer} has no place"
