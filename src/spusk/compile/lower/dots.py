"""Matrix products as LLVM IR: register tiles or BLAS for floats, plain loops for whole numbers."""

from __future__ import annotations

import math
from typing import Literal, cast

from spusk.compile.cost import is_large
from spusk.compile.kernels import DotKernel, Schedule, reads, writes
from spusk.compile.load import target
from spusk.compile.lower.lanes import Elements, loaded
from spusk.compile.lower.text import Function, value_type
from spusk.compile.products import (
    LONGEST,
    Emitter,
    Epilogue,
    Part,
    Product,
    Spot,
    blas_function,
    in_parts,
    prefers_tiles,
    scratch_elements,
    tile_function,
)
from spusk.compile.views import View


def lower_dot(schedule: Schedule, kernel: DotKernel) -> Function:
    """The function for the products of one kernel, one after another for its batch axes.

    An epilogue belongs to products that are one part (`is_whole`).
    """
    if kernel.dtype.kind != "f":
        return _plain(schedule, kernel)
    f = Function()
    *batch, m, _ = kernel.out.shape
    if not math.prod(kernel.out.shape):
        f.line("ret void")
        return f
    product = _product(kernel)
    epilogue = _epilogue(schedule, kernel, f) if kernel.epilogue else None
    f.split = not batch and is_large(schedule, kernel)
    f.gemm = "" if in_tiles(kernel) else "sgemm" if product.dtype == "float32" else "dgemm"
    write = blas_function if f.gemm else tile_function
    parts = [Part(product, 0, 1)] if f.gemm else in_parts(product)
    scratch = "null"
    if not f.gemm and (count := scratch_elements(parts[0].product, target())):
        scratch = f.alloca(f"[{count} x {product.element}], align 64")
    rows = "i64 %low, i64 %high" if f.split else f"i64 0, i64 {m}"
    more = ["ptr %gemm"] if f.gemm else list(epilogue.parameters) if epilogue else []
    loops = [f.begin_loop("0", str(size)) for size in batch]
    outer = [loop.index for loop in loops]
    a, b = (_start(f, schedule, view, outer) for view in (kernel.a, kernel.b))
    c = "null" if epilogue else _start(f, schedule, kernel.out, outer)
    for i, part in enumerate(parts):
        text, declarations = write(f"product{i}", part.product, target(), epilogue)
        f.private.append(text)
        f.needs |= declarations
        loop = f.begin_loop(str(part.first), str(part.first + part.count)) if len(parts) > 1 else None
        steps = (product.a[1], product.b[0])
        starts = [
            _moved(f, product.element, x, loop.index, step) if loop else x
            for x, step in zip((a, b), steps, strict=True)
        ]
        given = [f"ptr {pointer}" for pointer in (c, *starts, scratch)]
        f.line(f"call void @product{i}({', '.join([*given, rows, *more])})")
        if loop:
            f.end_loop(loop)
    for loop in reversed(loops):
        f.end_loop(loop)
    f.line("ret void")
    return f


def is_whole(kernel: DotKernel) -> bool:
    """Whether the product is made in one part, so that its sums are still in registers at the end."""
    return len(in_parts(_product(kernel))) == 1


def in_tiles(kernel: DotKernel) -> bool:
    """Whether the product of floats is made in register tiles."""
    return prefers_tiles(_product(kernel))


def _epilogue(schedule: Schedule, kernel: DotKernel, f: Function) -> Epilogue:
    """The epilogue's loop body for the elements of one register, on the outer function's buffers."""
    loop = kernel.epilogue
    assert loop is not None
    pointers = [f.pointer(schedule.home(view.buffer)) for view in (*reads(loop), *writes(loop))]
    g = Function(mark="e", arguments=f.arguments, needs=f.needs)
    elements = Elements(g, schedule, loop, [kernel.number])

    def emit(emitter: Emitter, spot: Spot) -> None:
        g.lines = emitter.lines
        elements.given[kernel.number] = spot.value
        with g.working_on(spot.lanes):
            elements.prepare([str(spot.row)])
            elements.compute(str(spot.column))
            results = [elements.operand(store.value) for store in loop.stores]
            for store, value in zip(loop.stores, results, strict=True):
                elements.store(value, store.view, store.dtype)

    return Epilogue(tuple([f"ptr {name}" for name in dict.fromkeys(pointers)]), emit)


def _product(kernel: DotKernel) -> Product:
    def last(view: View) -> tuple[int, int]:
        return view.strides[-2], view.strides[-1]

    (m, n), k = kernel.out.shape[-2:], kernel.a.shape[-1]
    dtype = cast(Literal["float32", "float64"], kernel.dtype.name)
    return Product(dtype, m, n, k, last(kernel.a), last(kernel.b), last(kernel.out))


def _start(f: Function, schedule: Schedule, view: View, outer: list[str]) -> str:
    """A pointer to the first element of one matrix."""
    address = f.address(view, [*outer, "0", "0"])
    return f.element(schedule.home(view.buffer), address, schedule.op(view.buffer).dtype)


def _moved(f: Function, element: str, pointer: str, stretch: str, step: int) -> str:
    """A pointer to where a stretch of k begins."""
    elements = f.put(f"mul nsw i64 {stretch}, {LONGEST * step}")
    return f.put(f"getelementptr {element}, ptr {pointer}, i64 {elements}")


def _plain(schedule: Schedule, kernel: DotKernel) -> Function:
    """Row by row, each element of A times a row of B."""
    f = Function()
    *batch, m, n = kernel.out.shape
    k, dtype, kind = kernel.a.shape[-1], kernel.dtype, value_type(kernel.dtype)
    if not math.prod(kernel.out.shape):
        f.line("ret void")
        return f
    multiply, add = ("and", "or") if dtype.kind == "b" else ("mul", "add")
    loops = [f.begin_loop("0", str(size)) for size in (*batch, m)]
    outer = [loop.index for loop in loops]

    def element(column: str) -> str:
        return f.element(schedule.home(kernel.number), f.address(kernel.out, [*outer, column]), dtype)

    columns = f.begin_loop("0", str(n))
    f.store("false" if dtype.kind == "b" else "0", element(columns.index), dtype)
    f.end_loop(columns)
    if k:
        along = f.begin_loop("0", str(k))
        a = loaded(f, schedule, kernel.a, [*outer, along.index])
        columns = f.begin_loop("0", str(n))
        b = loaded(f, schedule, kernel.b, [*outer[:-1], along.index, columns.index])
        total = f.load(element(columns.index), dtype)
        product = f.put(f"{multiply} {kind} {a}, {b}")
        f.store(f.put(f"{add} {kind} {total}, {product}"), element(columns.index), dtype)
        f.end_loop(columns)
        f.end_loop(along)
    for loop in reversed(loops):
        f.end_loop(loop)
    f.line("ret void")
    return f
