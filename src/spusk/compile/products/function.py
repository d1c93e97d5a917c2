"""A matrix product as an LLVM function specialised to its sizes and strides."""

from __future__ import annotations

from spusk.compile.products.dot import Dots, emit_dots
from spusk.compile.products.emitter import Emitter, Index
from spusk.compile.products.epilogue import Epilogue
from spusk.compile.products.form import is_dot, is_packed
from spusk.compile.products.pack import emit_pack
from spusk.compile.products.plan import Plan, lanes_for, plan
from spusk.compile.products.product import Product
from spusk.compile.products.target import Target
from spusk.compile.products.tile import Column, Panel, Tiling, emit_tile

PARAMETERS = (
    "ptr noalias %c",
    "ptr noalias readonly %a",
    "ptr noalias readonly %b",
    "ptr noalias %scratch",
    "i64 %m_begin",
    "i64 %m_end",
)


def tile_function(
    name: str, product: Product, target: Target, epilogue: Epilogue | None = None
) -> tuple[str, set[str]]:
    """The product's LLVM function and the lines it needs in its module.

    The function is `void @name(c, a, b, scratch, m_begin, m_end, …)`: pointers to C, A and B, a pointer to
    `scratch_elements(product, target)` elements that no other call uses meanwhile, the range of rows of C to
    compute, and the epilogue's parameters. No pointer needs more alignment than its elements.

    Each element is summed in the order of k, in one chain of (fused) multiply-adds; in a matrix-vector
    product contiguous along k, in as many chains as a vector has lanes. Its bits do not depend on the range
    of rows that it is computed in. The fastest range is all rows; others may end with some rows one by one.

    Args:
        name: of the function, without @.
        product: what it computes.
        target: the processor it is for.
        epilogue: done to each element before it is stored.
    """
    product = product.normal
    emitter = Emitter(product.element, target.has_fma)
    emitter.start("entry")
    if product.m and product.n:
        emit_product(emitter, product, target, epilogue)
    return defined(name, emitter, PARAMETERS, epilogue), emitter.declarations


def defined(name: str, emitter: Emitter, parameters: tuple[str, ...], epilogue: Epilogue | None) -> str:
    """The whole function around what was emitted.

    It is not inlined: LLVM would optimise it a second time within its caller. Where every call gives the same
    range of rows, LLVM puts the numbers into the function, and drops what other ranges would need.
    """
    listed = ", ".join((*parameters, *(epilogue.parameters if epilogue else ())))
    head = f"define internal void @{name}({listed}) noinline nounwind {{"
    return "\n".join([head, *emitter.lines, "  ret void", "}", ""])


def emit_product(emitter: Emitter, product: Product, target: Target, epilogue: Epilogue | None) -> None:
    """The function's body, in the form that suits the product; C has at least one element."""
    if is_dot(product):
        emit_dots(emitter, Dots(product, target, "%a", "%b", False, epilogue), "%m_begin", "%m_end")
    elif is_dot(product.transposed):
        dots = Dots(product.transposed, target, "%b", "%a", True, epilogue)
        with emitter.loop("%m_begin", "%m_end", 1):
            emit_dots(emitter, dots, 0, product.n)
    elif product.n == 1 and product.a[0] == product.c[0] == 1:
        _emit_along_rows(emitter, product, target, epilogue)
    else:
        _emit_tiles(emitter, product, target, epilogue)


def _emit_along_rows(emitter: Emitter, product: Product, target: Target, epilogue: Epilogue | None) -> None:
    """Matrix times vector with the matrix contiguous along m: Cᵀ = Bᵀ·Aᵀ is one row, cut at any place."""
    lanes = lanes_for(product.m, product, target)
    column: Index = "%m_begin"
    for vectors, width in dict.fromkeys(((4, lanes), (1, lanes), (1, 1))):
        if vectors * width > product.m:
            continue
        tiling = Tiling(product.transposed, width, "%b", epilogue, "m")
        with emitter.loop(column, "%m_end", vectors * width) as loop:
            columns = tuple((loop.index, i * width) for i in range(vectors))
            emit_tile(emitter, tiling, Panel("%a", product.transposed.b, columns), 0, 1, columns)
        column = loop.index


def _emit_tiles(emitter: Emitter, product: Product, target: Target, epilogue: Epilogue | None) -> None:
    cut = plan(product, target)
    tiling = Tiling(product, cut.lanes, "%a", epilogue)
    column = 0
    for band in cut.columns:
        is_last = band is cut.columns[-1]
        width = band.size * cut.lanes
        if band.count == 1:
            _emit_columns(emitter, tiling, cut, column, band.size, is_last)
        else:
            with emitter.loop(column, column + band.count * width, width) as loop:
                _emit_columns(emitter, tiling, cut, loop.index, band.size, is_last)
        column += band.count * width


def _emit_columns(
    emitter: Emitter, tiling: Tiling, cut: Plan, column: Index, vectors: int, is_last: bool
) -> None:
    """All rows of some neighbouring vectors."""
    product, lanes = tiling.product, cut.lanes
    columns: tuple[Column, ...] = tuple((column, i * lanes) for i in range(vectors))
    if is_last and product.n % lanes:
        moved = emitter.least(emitter.plus(column, (vectors - 1) * lanes), product.n - lanes)
        columns = (*columns[:-1], (moved, 0))
    panel = Panel("%b", product.b, columns)
    if is_packed(product):
        last = emitter.plus(*columns[-1])
        emit_pack(emitter, product, (column, last), vectors, lanes)
        panel = Panel("%scratch", (vectors * lanes, 1), tuple((0, i * lanes) for i in range(vectors)))
    row: Index = "%m_begin"
    reserved = product.m
    for band in cut.rows:
        reserved -= band.size * band.count
        with emitter.loop(row, emitter.plus("%m_end", -reserved), band.size) as loop:
            emit_tile(emitter, tiling, panel, loop.index, band.size, columns)
        row = loop.index
    if cut.rows[-1].size > 1:
        with emitter.loop(row, "%m_end", 1) as loop:
            emit_tile(emitter, tiling, panel, loop.index, 1, columns)
