"""Equal loops over different buffers become one loop over one flat buffer.

An optimizer applies one formula to every parameter. When parameters, gradients and state slots lie one
after another in the same order, that is a single loop, whatever the number of layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from spusk.compile.kernels import (
    Compute,
    Kernel,
    Literal,
    Load,
    LoopKernel,
    Operand,
    Schedule,
    Store,
    Value,
    operand_views,
    operands,
    reads,
    writes,
)
from spusk.compile.views import View


@dataclass(frozen=True)
class Merged:
    """A schedule, and the runs of buffers that must lie one after another, without gaps and in this order."""

    schedule: Schedule
    runs: tuple[tuple[int, ...], ...] = ()


def merge(schedule: Schedule) -> Merged:
    """One kernel for all the last kernels of a step that apply one formula to whole buffers."""
    fixed = _fixed(schedule)
    read_last: dict[int, int] = {}
    for position, kernel in enumerate(schedule.kernels):
        for view in reads(kernel):
            read_last[schedule.home(view.buffer)] = position
    groups: dict[Any, list[int]] = defaultdict(list)
    for position, kernel in enumerate(schedule.kernels):
        if isinstance(kernel, LoopKernel) and _is_last(schedule, kernel, position, read_last):
            formula = _formula(schedule, kernel)
            if formula is not None:
                groups[formula].append(position)
    runs: list[tuple[int, ...]] = []
    taken: set[int] = set()
    replaced: dict[int, Kernel | None] = {}
    for positions in groups.values():
        kernels = [schedule.kernels[p] for p in positions]
        slots = [_buffers(schedule, k) for k in kernels]  # pyright: ignore[reportArgumentType]
        columns = [tuple(column) for column in zip(*slots, strict=True)]
        flat = [b for column in columns for b in column]
        usable = (
            len(positions) > 1 and len(set(flat)) == len(flat) and not taken & set(flat) | fixed & set(flat)
        )
        if not usable or not _movable(schedule, positions):
            continue
        taken |= set(flat)
        runs += columns
        replaced |= dict.fromkeys(positions[:-1])
        replaced[positions[-1]] = _flat(kernels)  # pyright: ignore[reportArgumentType]
    kernels = [replaced.get(p, k) for p, k in enumerate(schedule.kernels)]
    return Merged(replace(schedule, kernels=tuple([k for k in kernels if k is not None])), tuple(runs))


def _fixed(schedule: Schedule) -> set[int]:
    """Buffers whose place the program does not choose: inputs not carried, constants, collected outputs."""
    flow = schedule.flow
    carried = set(flow.kept.values())
    leaves = {n for n, op in enumerate(flow.ops) if op.name in ("input", "constant", "iota")}
    collected = {n for name, n in flow.outputs.items() if name not in flow.carry}
    return (leaves - carried) | collected


def _is_last(schedule: Schedule, kernel: LoopKernel, position: int, read_last: dict[int, int]) -> bool:
    """Whether no later kernel reads what this one writes."""
    written = {schedule.home(view.buffer) for view in writes(kernel)}
    return all(read_last.get(buffer, -1) <= position for buffer in written)


def _movable(schedule: Schedule, positions: list[int]) -> bool:
    """Whether the kernels can wait for the last: nothing they read or write is overwritten meanwhile."""
    members, overwritten = set(positions), set[int]()
    for p in range(positions[-1], positions[0] - 1, -1):
        kernel = schedule.kernels[p]
        if p not in members:
            overwritten |= {schedule.home(view.buffer) for view in writes(kernel)}
        elif overwritten & {schedule.home(view.buffer) for view in (*reads(kernel), *writes(kernel))}:
            return False
    return True


def _formula(schedule: Schedule, kernel: LoopKernel) -> tuple[Any, ...] | None:
    """What the kernel computes, apart from which buffers and how long; None if it is no flat formula."""
    if len(kernel.space) != 1 or kernel.reductions:
        return None
    names: dict[int, int] = {step.number: i for i, step in enumerate(kernel.body)}
    places: dict[int, int] = {}
    ops = [(schedule.op(step.number), len(step.operands)) for step in kernel.body]
    parts: list[Any] = [(repr(op.primitive), op.dtype.str, count) for op, count in ops]
    for operand in operands(kernel):
        match operand:
            case Literal(value=value, dtype=dtype):
                parts.append(("literal", repr(value), dtype.str))
            case Value(number=number):
                parts.append(("value", names[number]))
            case Load(view=view) if view.strides == (0,):
                parts.append(("scalar", view.buffer, view.offset))
            case Load(view=view) if _is_whole(schedule, view):
                home = schedule.home(view.buffer)
                place = places.setdefault(home, len(places))
                parts.append(("load", place, view.buffer in schedule.homes, schedule.op(home).dtype.str))
            case _:
                return None
    for store in kernel.stores:
        if not _is_whole(schedule, store.view):
            return None
        buffer = store.view.buffer
        place = places.setdefault(schedule.home(buffer), len(places))
        parts.append(("store", place, buffer in schedule.homes, store.dtype.str))
    return tuple(parts)


def _is_whole(schedule: Schedule, view: View) -> bool:
    return view.strides == (1,) and view.offset == 0 and schedule.op(view.buffer).size == view.shape[0]


def _buffers(schedule: Schedule, kernel: LoopKernel) -> list[int]:
    """The buffers that the kernel goes through, in order of appearance."""
    views = [v for o in operands(kernel) for v in operand_views(o) if v.strides != (0,)]
    views += [s.view for s in kernel.stores]
    return list(dict.fromkeys([schedule.home(view.buffer) for view in views]))


def _flat(kernels: Sequence[LoopKernel]) -> LoopKernel:
    """The first kernel, over the length of all."""
    first, n = kernels[0], sum(k.space[0] for k in kernels)

    def longer(view: View) -> View:
        return View(view.buffer, (n,), view.strides, view.offset)

    def widened(operand: Operand) -> Operand:
        return Load(longer(operand.view)) if isinstance(operand, Load) else operand

    body = tuple([Compute(c.number, tuple([widened(o) for o in c.operands])) for c in first.body])
    stores = tuple([Store(widened(s.value), longer(s.view), s.dtype) for s in first.stores])
    return LoopKernel((n,), body, stores)
