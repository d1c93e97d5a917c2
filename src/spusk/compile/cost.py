"""An estimate of what a kernel costs: arithmetic operations, and bytes that it must read and write."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spusk.compile.kernels import DotKernel, Kernel, LoopKernel, RandomKernel, Schedule, reads, writes
from spusk.compile.views import View

LARGE = 200_000  # operations or bytes: some microseconds, several times what a barrier costs


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations (a multiply-add is two) and bytes, each buffer's element counted once."""

    operations: int
    bytes: int


def cost(schedule: Schedule, kernel: Kernel) -> Cost:
    """What one run of the kernel costs at least."""
    views = {*reads(kernel), *writes(kernel)}
    moved = sum(_elements(view) * schedule.op(view.buffer).dtype.itemsize for view in views)
    return Cost(_operations(kernel), moved)


def is_large(schedule: Schedule, kernel: Kernel) -> bool:
    """Whether it is worth more than one thread."""
    found = cost(schedule, kernel)
    return max(found.operations, found.bytes) >= LARGE


def _operations(kernel: Kernel) -> int:
    match kernel:
        case LoopKernel():
            return math.prod(kernel.space) * max(len(kernel.body) + len(kernel.reductions), 1)
        case DotKernel():
            more = _operations(kernel.epilogue) if kernel.epilogue else 0
            return 2 * math.prod(kernel.out.shape) * kernel.a.shape[-1] + more
        case RandomKernel():
            return 25 * math.prod(kernel.out.shape)  # ten rounds of about ten operations for four words
        case _:
            return sum(math.prod(view.shape) for view in reads(kernel)[:1])


def _elements(view: View) -> int:
    return math.prod(n for n, s in zip(view.shape, view.strides, strict=True) if s)
