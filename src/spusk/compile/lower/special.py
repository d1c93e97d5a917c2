"""Kernels that are no plain loop nests: argmax, scatter, random words, checks of indices."""

from __future__ import annotations

import math

from spusk.compile.kernels import ArgMaxKernel, CheckKernel, RandomKernel, ScatterKernel, Schedule
from spusk.compile.lower.lanes import loaded, row
from spusk.compile.lower.scalars import convert
from spusk.compile.lower.text import Function, Loop, value_type
from spusk.compile.views import View
from spusk.graph.dtypes import INT64, UINT32


def _nest(f: Function, shape: tuple[int, ...]) -> list[Loop]:
    return [f.begin_loop("0", str(n)) for n in shape]


def _end(f: Function, loops: list[Loop]) -> None:
    for loop in reversed(loops):
        f.end_loop(loop)


def lower_argmax(schedule: Schedule, kernel: ArgMaxKernel) -> Function:
    """For each element of the result, one walk along the axis; the first NaN wins, as in NumPy."""
    f, x, axis = Function(), kernel.x, kernel.axis
    dtype = schedule.op(x.buffer).dtype
    kind = value_type(dtype)
    if 0 not in x.shape:
        loops = _nest(f, kernel.out.shape)
        kept = [loop.index for loop in loops]
        best, at = f.alloca(kind), f.alloca("i64")
        start = loaded(f, schedule, x, [*kept[:axis], "0", *kept[axis:]])
        f.line(f"store {kind} {start}, ptr {best}")
        f.line(f"store i64 0, ptr {at}")
        along = f.begin_loop("0", str(x.shape[axis]))
        value = loaded(f, schedule, x, [*kept[:axis], along.index, *kept[axis:]])
        old, old_at = f.put(f"load {kind}, ptr {best}"), f.put(f"load i64, ptr {at}")
        if dtype.kind == "f":
            above, is_nan = f.put(f"fcmp ugt {kind} {value}, {old}"), f.put(f"fcmp uno {kind} {old}, {old}")
            better = f.put(f"select i1 {is_nan}, i1 false, i1 {above}")
        else:
            better = f.put(f"icmp {'sgt' if dtype.kind == 'i' else 'ugt'} {kind} {value}, {old}")
        f.line(f"store {kind} {f.put(f'select i1 {better}, {kind} {value}, {kind} {old}')}, ptr {best}")
        f.line(f"store i64 {f.put(f'select i1 {better}, i64 {along.index}, i64 {old_at}')}, ptr {at}")
        f.end_loop(along)
        found = f.put(f"load i64, ptr {at}")
        f.store(found, f.element(schedule.home(kernel.number), f.address(kernel.out, kept), INT64), INT64)
        _end(f, loops)
    f.line("ret void")
    return f


def lower_scatter(schedule: Schedule, kernel: ScatterKernel) -> Function:
    """Add the updates one by one: two of them may go to the same place."""
    f, dtype = Function(), kernel.dtype
    if 0 not in kernel.updates.shape:
        loops = _nest(f, kernel.updates.shape)
        indices = [loop.index for loop in loops]
        value = loaded(f, schedule, kernel.updates, indices)
        more = row(f, schedule, kernel.index, kernel.stride, kernel.length, indices)
        pointer = f.element(schedule.home(kernel.number), f.address(kernel.out, indices, more), dtype)
        name = {"f": "fadd", "b": "or"}.get(dtype.kind, "add")
        f.store(f.put(f"{name} {value_type(dtype)} {f.load(pointer, dtype)}, {value}"), pointer, dtype)
        _end(f, loops)
    f.line("ret void")
    return f


def lower_random(schedule: Schedule, kernel: RandomKernel) -> Function:
    """Four words a block of Philox; the last block may be cut."""
    f, n = Function(), math.prod(kernel.out.shape)

    def words(view: View) -> list[str]:
        return [loaded(f, schedule, view, [str(i)]) for i in (0, 1)]

    key, counter = words(kernel.key), words(kernel.counter)

    def block(index: str, count: int) -> None:
        four = philox(f, [f.put(f"trunc i64 {index} to i32"), "0", *counter], key)
        start = f.put(f"mul i64 {index}, 4")
        for i in range(count):
            at = f.put(f"add i64 {start}, {i}")
            f.store(four[i], f.element(schedule.home(kernel.number), at, UINT32), UINT32)

    if n >= 4:
        loop = f.begin_loop("0", str(n // 4))
        block(loop.index, 4)
        f.end_loop(loop)
    if n % 4:
        block(str(n // 4), n % 4)
    f.line("ret void")
    return f


def philox(f: Function, counter: list[str], key: list[str]) -> list[str]:
    """Philox4x32-10 (Salmon et al., 2011, §3.3): ten rounds of two multiplications."""
    c0, c1, c2, c3 = counter
    k0, k1 = key

    def product(x: str, by: int) -> tuple[str, str]:
        wide = f.put(f"mul i64 {f.put(f'zext i32 {x} to i64')}, {by}")
        high = f.put(f"trunc i64 {f.put(f'lshr i64 {wide}, 32')} to i32")
        return high, f.put(f"trunc i64 {wide} to i32")

    for _ in range(10):
        (high0, low0), (high1, low1) = product(c0, 0xD2511F53), product(c2, 0xCD9E8D57)
        c0 = f.put(f"xor i32 {f.put(f'xor i32 {high1}, {c1}')}, {k0}")
        c2 = f.put(f"xor i32 {f.put(f'xor i32 {high0}, {c3}')}, {k1}")
        c1, c3 = low1, low0
        k0, k1 = f.put(f"add i32 {k0}, {0x9E3779B9}"), f.put(f"add i32 {k1}, {0xBB67AE85}")
    return [c0, c1, c2, c3]


def lower_check(schedule: Schedule, kernel: CheckKernel) -> Function:
    """Returns whether any number lies outside of the range."""
    f, dtype = Function(), schedule.op(kernel.x.buffer).dtype
    found = f.alloca("i1")
    f.line(f"store i1 false, ptr {found}")
    loops = _nest(f, kernel.x.shape)
    value = convert(f, loaded(f, schedule, kernel.x, [loop.index for loop in loops]), dtype, INT64)
    last = kernel.high - 1  # 2⁶³ itself is no int64
    low, high = f.put(f"icmp slt i64 {value}, {kernel.low}"), f.put(f"icmp sgt i64 {value}, {last}")
    bad = f.put(f"or i1 {low}, {high}")
    before = f.put(f"load i1, ptr {found}")
    f.line(f"store i1 {f.put(f'or i1 {before}, {bad}')}, ptr {found}")
    _end(f, loops)
    f.line(f"ret i1 {f.put(f'load i1, ptr {found}')}")
    return f
