"""Matrix products as LLVM IR."""

from __future__ import annotations

from spusk.compile.kernels import DotKernel, Schedule
from spusk.compile.lower.loops import loaded
from spusk.compile.lower.text import Function, literal, value_type


def lower_dot(schedule: Schedule, kernel: DotKernel) -> Function:
    f = Function()
    *batch, m, n = kernel.out.shape
    k = kernel.a.shape[-1]
    dtype, kind = kernel.dtype, value_type(kernel.dtype)
    if 0 in kernel.out.shape:
        f.line("ret void")
        return f
    loops = [f.begin_loop("0", str(size)) for size in (*batch, m)]
    outer = [loop.index for loop in loops]

    def element(j: str) -> str:
        return f.element(schedule.home(kernel.number), f.address(kernel.out, [*outer, j]), dtype)

    j = f.begin_loop("0", str(n))
    f.store(literal(0, dtype), element(j.index), dtype)
    f.end_loop(j)
    if k:
        along = f.begin_loop("0", str(k))
        a = loaded(f, schedule, kernel.a, [*outer, along.index])
        j = f.begin_loop("0", str(n))
        b = loaded(f, schedule, kernel.b, [*outer[:-1], along.index, j.index])
        add = "mul" if dtype.kind != "f" else "fmul"
        product = f.put(f"{add} {kind} {a}, {b}")
        total = f.load(element(j.index), dtype)
        f.store(
            f.put(f"{'fadd' if dtype.kind == 'f' else 'add'} {kind} {total}, {product}"),
            element(j.index),
            dtype,
        )
        f.end_loop(j)
        f.end_loop(along)
    for loop in reversed(loops):
        f.end_loop(loop)
    f.line("ret void")
    return f
