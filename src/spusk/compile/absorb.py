"""Cheap loops over a matrix product become its epilogue.

Bias and activation are then done to the sums while they are in registers, and the product itself need not
touch memory.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from spusk.compile.kernels import (
    Compute,
    DotKernel,
    Gather,
    Kernel,
    Load,
    LoopKernel,
    Operand,
    Schedule,
    Store,
    Value,
    operands,
    reads,
    writes,
)
from spusk.compile.lower.dots import in_tiles, is_whole
from spusk.compile.views import whole

# Operations of an instruction or two: each is written out for every register of a tile.
CHEAP = {
    "add", "sub", "mul", "neg", "abs", "maximum", "minimum", "where", "cast", "stop_gradient",
    "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
}  # fmt: skip
MOST = 8  # operations in an epilogue


def absorb(schedule: Schedule) -> Schedule:
    """The schedule with every loop that can be an epilogue joined to its product."""
    kernels: list[Kernel | None] = list(schedule.kernels)
    readers: dict[int, list[int]] = defaultdict(list)
    writers: dict[int, list[int]] = defaultdict(list)
    for position, kernel in enumerate(schedule.kernels):
        for buffer in {view.buffer for view in reads(kernel)}:
            readers[buffer].append(position)
        for buffer in {view.buffer for view in writes(kernel)}:
            writers[buffer].append(position)
    outputs = set(schedule.flow.outputs.values())
    for position, kernel in enumerate(schedule.kernels):
        if not isinstance(kernel, DotKernel) or not readers[kernel.number] or not _tiled(kernel):
            continue
        first = readers[kernel.number][0]
        loop = schedule.kernels[first]
        if not isinstance(loop, LoopKernel) or not _is_epilogue(schedule, kernel, loop):
            continue
        needed = {view.buffer for view in reads(loop)} - {kernel.number}
        made = {view.buffer for view in writes(loop)}
        is_ready = all(max(writers[buffer], default=-1) < position for buffer in needed)
        if not is_ready or made & outputs or any(writers[buffer] != [first] for buffer in made):
            continue
        kept = len(readers[kernel.number]) > 1 or kernel.number in outputs
        kernels[position] = replace(kernel, epilogue=_joined(schedule, kernel, loop, kept))
        kernels[first] = None
    return replace(schedule, kernels=tuple([k for k in kernels if k is not None]))


def _tiled(kernel: DotKernel) -> bool:
    """Whether it is a single product of two matrices, made in register tiles in one go."""
    shape = kernel.out.shape
    return (
        len(shape) == 2
        and min(shape) > 1
        and kernel.dtype.kind == "f"
        and in_tiles(kernel)
        and is_whole(kernel)
    )


def _is_epilogue(schedule: Schedule, product: DotKernel, loop: LoopKernel) -> bool:
    """Whether a loop takes the product's elements just as they are made, and is cheap enough."""
    taken = operands(loop)
    own = whole(product.number, schedule.op(product.number))
    return (
        not loop.reductions
        and len(loop.body) <= MOST
        and all(schedule.op(step.number).name in CHEAP for step in loop.body)
        and not any(isinstance(o, Gather) for o in taken)
        and all(o.view == own for o in taken if isinstance(o, Load) and o.view.buffer == product.number)
    )


def _joined(schedule: Schedule, product: DotKernel, loop: LoopKernel, kept: bool) -> LoopKernel:
    """The loop, with the product's element as a value that is known when it begins."""
    own = whole(product.number, schedule.op(product.number))

    def value(operand: Operand) -> Operand:
        return Value(product.number) if operand == Load(own) else operand

    body = tuple([Compute(c.number, tuple([value(o) for o in c.operands])) for c in loop.body])
    stores = [Store(value(s.value), s.view, s.dtype) for s in loop.stores]
    if kept:
        stores.append(Store(Value(product.number), own, product.dtype))
    return LoopKernel(loop.space, body, tuple(stores))
