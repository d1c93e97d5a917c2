"""Loop nests of as few axes as possible.

Two neighbouring axes that every view crosses evenly are one axis; axes of length 1 are none. The innermost
loop becomes as long as it can be, which is what vector units want.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from spusk.compile.kernels import (
    Compute,
    Gather,
    Kernel,
    Load,
    LoopKernel,
    Operand,
    Reduce,
    Schedule,
    Store,
    reads,
    writes,
)
from spusk.compile.views import View


def collapse(schedule: Schedule) -> Schedule:
    """The schedule with every loop nest in its smallest form."""
    return replace(schedule, kernels=tuple([_collapsed(kernel) for kernel in schedule.kernels]))


def _collapsed(kernel: Kernel) -> Kernel:
    if not isinstance(kernel, LoopKernel) or 0 in kernel.space:
        return kernel
    groups = _groups(kernel)
    if len(groups) == len(kernel.space):
        return kernel
    shape = tuple([_product(kernel, group) for group in groups])

    def view(old: View) -> View:
        return View(old.buffer, shape, tuple([old.strides[group[-1]] for group in groups]), old.offset)

    def axes(old: tuple[int, ...]) -> tuple[int, ...]:
        return tuple([i for i, group in enumerate(groups) if group[-1] in old])

    return LoopKernel(
        shape,
        tuple([Compute(c.number, tuple([_with(o, view) for o in c.operands])) for c in kernel.body]),
        tuple([Store(_with(s.value, view), view(s.view), s.dtype) for s in kernel.stores]),
        tuple(
            [
                Reduce(r.number, r.kind, _with(r.value, view), axes(r.axes), view(r.view), r.dtype)
                for r in kernel.reductions
            ]
        ),
    )


def _product(kernel: LoopKernel, group: list[int]) -> int:
    size = 1
    for axis in group:
        size *= kernel.space[axis]
    return size


def _groups(kernel: LoopKernel) -> list[list[int]]:
    """Runs of neighbouring axes that can be one; the last of a run has the stride of the whole."""
    views = [*reads(kernel), *writes(kernel)]
    groups: list[list[int]] = []
    for axis, n in enumerate(kernel.space):
        if n == 1:
            continue
        if groups and _even(kernel, views, groups[-1][-1], axis):
            groups[-1].append(axis)
        else:
            groups.append([axis])
    return groups


def _even(kernel: LoopKernel, views: list[View], outer: int, inner: int) -> bool:
    if any((outer in r.axes) != (inner in r.axes) for r in kernel.reductions):
        return False
    n = kernel.space[inner]
    return all(view.strides[outer] == view.strides[inner] * n for view in views)


def _with(operand: Operand, view: Callable[[View], View]) -> Operand:
    match operand:
        case Load():
            return Load(view(operand.view))
        case Gather():
            return Gather(view(operand.view), view(operand.index), operand.stride, operand.length)
        case _:
            return operand
