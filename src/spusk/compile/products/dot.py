"""Matrix times vector with the matrix contiguous along the summed axis: vectors run along k."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.compile.products.emitter import Emitter, Index
from spusk.compile.products.epilogue import Epilogue, Spot
from spusk.compile.products.plan import lanes_for
from spusk.compile.products.product import Product
from spusk.compile.products.target import Target

ROWS = 8  # dot products at a time; each is one chain of dependent additions


@dataclass(frozen=True)
class Dots:
    """Dot products of the rows of `matrix` with `vector`.

    Args:
        product: whose n is 1 and whose A is contiguous along k, as is B.
        matrix: the SSA name of the pointer to A.
        vector: the SSA name of the pointer to B.
        swapped: whether the caller's product is the transposed one.
        epilogue: applied to each element before it is stored.
    """

    product: Product
    target: Target
    matrix: str
    vector: str
    swapped: bool
    epilogue: Epilogue | None


def emit_dots(emitter: Emitter, dots: Dots, begin: Index, end: Index) -> None:
    """The elements of C from row `begin` to before `end`."""
    row = begin
    for rows in dict.fromkeys((min(ROWS, dots.product.m), 1)):
        with emitter.loop(row, end, rows) as loop:
            _emit_rows(emitter, dots, loop.index, rows)
        row = loop.index


def _emit_rows(emitter: Emitter, dots: Dots, row: Index, rows: int) -> None:
    """Each element sums partial sums, one for each lane, in halves: the same order wherever it is."""
    product = dots.product
    targets = [emitter.at("%c", emitter.plus(row, i), 0, product.c) for i in range(rows)]
    totals: list[str] = [emitter.load(1, t) for t in targets] if product.accumulate else []
    start = 0
    while start < product.k:
        lanes = lanes_for(product.k - start, product, dots.target)
        stop = start + (product.k - start) // lanes * lanes
        sums = _partial_sums(emitter, dots, row, rows, (start, stop), lanes)
        halved = [_added_up(emitter, value, lanes) for value in sums]
        totals = [emitter.add(1, x, y) for x, y in zip(totals, halved, strict=True)] if totals else halved
        start = stop
    for i, (value, target) in enumerate(zip(totals, targets, strict=True)):
        finished: str | None = value
        if dots.epilogue is not None:
            place = (emitter.plus(row, i), 0)
            first, second = place[::-1] if dots.swapped else place
            finished = dots.epilogue.emit(emitter, Spot(value, 1, first, second))
        if finished is not None:
            emitter.store(1, finished, target)


def _partial_sums(
    emitter: Emitter, dots: Dots, row: Index, rows: int, span: tuple[int, int], lanes: int
) -> list[str]:
    product = dots.product
    zeros = [emitter.zero(lanes)] * rows

    def step(place: Index, sums: list[str]) -> list[str]:
        right = emitter.load(lanes, emitter.address(dots.vector, place))
        first = emitter.at(dots.matrix, row, place, product.a)
        left = [emitter.load(lanes, emitter.address(first, i * product.a[0])) for i in range(rows)]
        return [emitter.multiply_add(lanes, x, right, s) for x, s in zip(left, sums, strict=True)]

    if span[1] - span[0] == lanes:
        return step(span[0], zeros)
    with emitter.loop(span[0], span[1], lanes, emitter.type_of(lanes), zeros) as loop:
        loop.next = step(loop.index, loop.values)
    return loop.values


def _added_up(emitter: Emitter, value: str, lanes: int) -> str:
    while lanes > 1:
        half = lanes // 2
        if half == 1:
            low, high = (
                emitter.value(f"extractelement {emitter.type_of(2)} {value}, i64 {i}") for i in (0, 1)
            )
        else:
            low = emitter.shuffle(lanes, value, "poison", range(half))
            high = emitter.shuffle(lanes, value, "poison", range(half, lanes))
        value, lanes = emitter.add(half, low, high), half
    return value
