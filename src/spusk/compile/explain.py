"""What the compiler made of a program, for a person to read."""

from __future__ import annotations

import math
import os
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Literal

from spusk.compile.cost import cost
from spusk.compile.kernels import CheckKernel, Compute, DotKernel, Kernel, LoopKernel, Schedule, reads, writes
from spusk.compile.stages import Stages

VARIABLE = "SPUSK_EXPLAIN"
WIDTH = 80  # characters of a line, as far as it can be broken
LEGEND = """\
LEGEND
  number  of an operation, and of the buffer (piece of memory) with its result
  state   memory that goes on from step to step, by offset in bytes; an output
          that is the next input is computed in place of it, or copied there
  arena   memory within a step; buffers kept for different kernels share bytes
  kernel  a pass over memory: "loop 32×10: add 30, exp 37" does operations 30
          and 37 to each of 32×10 elements. Of equal formulas over neighbouring
          buffers, done in one loop, the first is named.
  reads, writes   buffers; ops and bytes are estimates for a step
  operation   a line: its number, its result, what it does, and last the
          numbers of its operands"""


def tell(stages: Stages) -> None:
    """Print the stages on standard error if SPUSK_EXPLAIN asks for it."""
    how = _asked(os.environ.get(VARIABLE, ""))
    if how:
        flow = stages.flow
        place = next((flow.places[number] for number in flow.outputs.values()), None)
        text = explained(stages, ir=how == "all", legend=_is_first())
        print(f"Compiled for {place}:\n{text}" if place else text, file=sys.stderr)


@cache
def _asked(value: str) -> Literal["", "short", "all"]:
    """What a value of SPUSK_EXPLAIN asks for; cached, so that an unknown one is told once."""
    match value.strip().lower():
        case "" | "0" | "false" | "no" | "off":
            return ""
        case "1" | "true" | "yes" | "on":
            return "all"
        case "short":
            return "short"
        case _:
            needed = "1, short (without LLVM IR) or 0"
            print(f"spusk: {VARIABLE} is {value!r}, which is not known; it needs {needed}", file=sys.stderr)
            return ""


_told: list[bool] = []


def _is_first() -> bool:
    """Whether nothing was printed in this process yet: one legend is enough."""
    _told.append(True)
    return len(_told) == 1


def explained(stages: Stages, *, ir: bool = True, legend: bool = True) -> str:
    """Every stage as text: a summary, inputs and outputs, operations, kernels with their estimated cost,
    memory, calls, LLVM IR."""
    parts = [_summary(stages), LEGEND] if legend else [_summary(stages)]
    parts += [_program(stages), _graph(stages), _kernels(stages), _memory(stages), _code(stages)]
    if ir:
        parts += ["LLVM IR, a module for each function", *stages.modules.kernels.values(), stages.modules.run]
    return "\n\n".join(parts) + "\n"


def _summary(stages: Stages) -> str:
    """A step in one line."""
    schedule = stages.merged.schedule
    costs = [cost(schedule, k) for k in schedule.kernels]
    operations, moved = sum(c.operations for c in costs), sum(c.bytes for c in costs)
    library = sum(bool(call.gemm) for call in stages.modules.calls)
    calls = _count(library, "library call") if library else "no library calls"
    counted = ", ".join(
        [_count(len(costs), "kernel"), _count(operations, "operation"), _count(moved, "byte")]
    )
    return f"{counted} a step, {calls}"


def _program(stages: Stages) -> str:
    """What goes in and comes out, and where it lies."""
    schedule, places = stages.layout.schedule, stages.layout.places
    flow = schedule.flow

    def line(kind: str, name: str, number: int, where: str) -> str:
        op = flow.ops[number]
        return f"  {kind} {number:>4} {_shape(op.shape, op.dtype.name):<18} {name}: {where}"

    lines = [f"PROGRAM: {_count(len(flow.inputs), 'input')}, {_count(len(flow.outputs), 'output')}"]
    for name, number in flow.inputs.items():
        place = places[number]
        at = f"state at {place.at:,}" if place.room == "state" else "from the caller"
        lines.append(line("input ", name, number, at))
    commits = set(schedule.commits)
    for name, number in flow.outputs.items():
        if name not in flow.carry:
            lines.append(line("output", name, number, "to the caller"))
            continue
        target = flow.carry[name]
        into = flow.inputs[target]
        how = "copied" if (number, into) in commits else "in place" if number != into else "unchanged"
        which = "input" if name == target else f"input {target}"
        lines.append(line("output", name, number, f"next {which}, {how}"))
    return "\n".join(lines)


def _graph(stages: Stages) -> str:
    ops = stages.merged.schedule.flow.ops
    lines = [f"GRAPH: {len(stages.flow.ops)} operations, {len(ops)} as they are compiled"]
    for number, op in enumerate(ops):
        inputs = " ".join(map(str, op.inputs))
        what = " ".join(repr(op.primitive).split())  # an array's text has lines
        lines.append(f"  {number:>4} {_shape(op.shape, op.dtype.name):<18} {what:.60} {inputs}".rstrip())
    return "\n".join(lines)


def _kernels(stages: Stages) -> str:
    schedule = stages.merged.schedule
    costs = [cost(schedule, k) for k in schedule.kernels]
    operations, moved = sum(c.operations for c in costs), sum(c.bytes for c in costs)
    title = f"KERNELS: {len(costs)}, about {operations:,} operations and {moved:,} bytes a step"
    names = [call.function for call in stages.modules.calls]
    lines = [title]
    gemms = {id(call.kernel): call.gemm for call in stages.modules.calls}
    for i, (kernel, c) in enumerate(zip(schedule.kernels, costs, strict=True)):
        into = " ".join(str(b) for b in dict.fromkeys(v.buffer for v in writes(kernel)))
        source = " ".join(str(b) for b in dict.fromkeys(v.buffer for v in reads(kernel)))
        lines.append(_broken(f"  {i:>4} {_what(schedule, kernel, gemms.get(id(kernel), ''))}"))
        moves = f"reads {source or 'nothing'}; writes {into or 'nothing'}"
        lines.append(_broken(f"{' ' * 9}{moves}; {c.operations:,} ops, {c.bytes:,} bytes"))
    shared = sum(n - 1 for n in Counter(names).values())
    if shared:
        lines.append(f"  {shared} of these share a function with another that differs only in its buffers")
    return "\n".join(lines)


def _what(schedule: Schedule, kernel: Kernel, gemm: str) -> str:
    match kernel:
        case LoopKernel():
            words = [_step(schedule, step) for step in kernel.body]
            words += [f"{r.kind} over {_axes(r.axes)}" for r in kernel.reductions]
            size = "×".join(map(str, kernel.space)) or "once"
            return f"loop {size}: {', '.join(words) or ('copy' if reads(kernel) else 'fill')}"
        case DotKernel():
            *batch, m, n = kernel.out.shape
            many = f"{math.prod(batch)} times " if batch else ""
            steps = kernel.epilogue.body if kernel.epilogue else ()
            then = f", then {', '.join([_step(schedule, step) for step in steps])}" if steps else ""
            by = (
                f"by BLAS ({gemm})"
                if gemm
                else "in register tiles"
                if kernel.dtype.kind == "f"
                else "in loops"
            )
            return f"product {many}({m}, {kernel.a.shape[-1]}) by ({kernel.b.shape[-2]}, {n}) {by}{then}"
        case CheckKernel():
            count = math.prod(kernel.x.shape)
            return f"check that {count:,} whole numbers are at least {kernel.low} and below {kernel.high}"
        case _:
            name = type(kernel).__name__.removesuffix("Kernel").lower()
            return f"{name} {'×'.join(str(n) for n in reads(kernel)[0].shape) or 'once'}"


def _step(schedule: Schedule, step: Compute) -> str:
    return f"{schedule.op(step.number).name} {step.number}"


def _axes(axes: Iterable[int]) -> str:
    return "axis " + ", ".join(map(str, axes))


def _memory(stages: Stages) -> str:
    layout, schedule = stages.layout, stages.layout.schedule
    rooms = {place.room for place in layout.places.values()}  # the blocks have some bytes even when unused
    state = f"{layout.state_bytes:,} bytes of carried state" if "state" in rooms else "no carried state"
    arena = f"an arena of {layout.arena_bytes:,} bytes" if "arena" in rooms else "no arena"
    lines = [f"MEMORY: {state}, {arena}"]
    for title, room in (("state", "state"), ("arena", "arena")):
        placed = sorted(
            (p.at, b) for b, p in layout.places.items() if p.room == room and b not in schedule.homes
        )
        for at, buffer in placed:
            op = schedule.op(buffer)
            life = _life(stages, buffer)
            lines.append(f"  {title} {at:>9,} {_shape(op.shape, op.dtype.name):<18} buffer {buffer}, {life}")
    for source, home in schedule.homes.items():
        lines.append(f"  buffer {source} is computed in the place of {home}")
    for source, into in schedule.commits:
        lines.append(f"  buffer {source} is copied to {into} at the end of a step")
    for run in stages.merged.runs:
        lines.append(_broken(f"  buffers {' '.join(map(str, run))} lie one after another"))
    outside = " ".join(map(str, layout.outside))
    lines.append(_broken(f"  buffers {outside or 'none'} stay where the caller has them"))
    return "\n".join(lines)


def _life(stages: Stages, buffer: int) -> str:
    """The kernels that a buffer is kept for."""
    lives, count = stages.layout.lives, len(stages.layout.schedule.kernels)
    if buffer not in lives:
        return "carried"
    first, last = lives[buffer]
    if last == count:  # a commit reads it
        return f"kernel {first} to the end" if first < count else "the end"
    return f"kernel {first}" if first == last else f"kernels {first}–{last}"


def _code(stages: Stages) -> str:
    modules = stages.modules
    products = sum(isinstance(call.kernel, DotKernel) for call in modules.calls)
    size = sum(map(len, modules.kernels.values())) + len(modules.run)
    gemms = Counter(call.gemm for call in modules.calls if call.gemm)
    library = ", ".join(f"{gemm} × {count}" for gemm, count in gemms.items())
    return (
        f"CODE: {_count(len(modules.kernels), 'function')} for {_count(len(modules.calls), 'kernel')} "
        f"({_count(products, 'product')}), {size:,} characters of LLVM IR\n"
        f"LIBRARY CALLS a step: {library or 'none'}"
    )


def _broken(line: str) -> str:
    """A line in several where it is too long, those after the first further in."""
    return textwrap.fill(
        line, WIDTH, subsequent_indent=" " * 11, break_long_words=False, break_on_hyphens=False
    )


def _count(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _shape(shape: tuple[int, ...], dtype: str) -> str:
    return f"{dtype}{list(shape)}".replace(" ", "")
