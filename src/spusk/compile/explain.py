"""What the compiler made of a program, for a person to read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from spusk.compile.cost import cost
from spusk.compile.kernels import Compute, DotKernel, Kernel, LoopKernel, Schedule, reads, writes
from spusk.compile.stages import Stages


def explained(stages: Stages, *, ir: bool = True) -> str:
    """Every stage as text: operations, kernels with their estimated cost, memory, calls, LLVM IR."""
    parts = [_graph(stages), _kernels(stages), _memory(stages), _code(stages)]
    if ir:
        parts += [*stages.modules.kernels.values(), stages.modules.run]
    return "\n\n".join(parts) + "\n"


def _graph(stages: Stages) -> str:
    lines = [f"GRAPH: {len(stages.flow.ops)} operations, {len(stages.simple.ops)} after simplifying"]
    for number, op in enumerate(stages.merged.schedule.flow.ops):
        inputs = " ".join(map(str, op.inputs))
        lines.append(
            f"  {number:>4} {_shape(op.shape, op.dtype.name):<18} {op.primitive!r:.60} {inputs}".rstrip()
        )
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
        lines.append(f"  {i:>4} {_what(schedule, kernel, gemms.get(id(kernel), ''))}")
        lines.append(
            f"         {source or 'nothing'} -> {into or 'nothing'}; {c.operations:,} ops, {c.bytes:,} bytes"
        )
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
        case _:
            name = type(kernel).__name__.removesuffix("Kernel").lower()
            return f"{name} {'×'.join(str(n) for n in reads(kernel)[0].shape) or 'once'}"


def _step(schedule: Schedule, step: Compute) -> str:
    return f"{schedule.op(step.number).name} {step.number}"


def _axes(axes: Iterable[int]) -> str:
    return "axis " + ", ".join(map(str, axes))


def _memory(stages: Stages) -> str:
    layout, schedule = stages.layout, stages.layout.schedule
    lines = [
        f"MEMORY: {layout.state_bytes:,} bytes of carried state, an arena of {layout.arena_bytes:,} bytes"
    ]
    for title, room in (("state", "state"), ("arena", "arena")):
        placed = sorted(
            (p.at, b) for b, p in layout.places.items() if p.room == room and b not in schedule.homes
        )
        for at, buffer in placed:
            op = schedule.op(buffer)
            life = "kernels {}–{}".format(*layout.lives[buffer]) if buffer in layout.lives else "carried"
            lines.append(f"  {title} {at:>9,} {_shape(op.shape, op.dtype.name):<18} buffer {buffer}, {life}")
    for source, home in schedule.homes.items():
        lines.append(f"  buffer {source} is computed in the place of {home}")
    for source, into in schedule.commits:
        lines.append(f"  buffer {source} is copied to {into} at the end of a step")
    for run in stages.merged.runs:
        lines.append(f"  buffers {' '.join(map(str, run))} lie one after another")
    outside = " ".join(map(str, layout.outside))
    lines.append(f"  buffers {outside or 'none'} stay where the caller has them")
    return "\n".join(lines)


def _code(stages: Stages) -> str:
    modules = stages.modules
    products = sum(isinstance(call.kernel, DotKernel) for call in modules.calls)
    size = sum(map(len, modules.kernels.values())) + len(modules.run)
    gemms = Counter(call.gemm for call in modules.calls if call.gemm)
    library = ", ".join(f"{gemm} × {count}" for gemm, count in gemms.items())
    return (
        f"CODE: {len(modules.kernels)} functions for {len(modules.calls)} kernels ({products} products), "
        f"{size:,} characters of LLVM IR\nLIBRARY CALLS a step: {library or 'none'}"
    )


def _shape(shape: tuple[int, ...], dtype: str) -> str:
    return f"{dtype}{list(shape)}".replace(" ", "")
