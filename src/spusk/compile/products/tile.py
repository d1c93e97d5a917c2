"""One register tile: rows × vectors of C, summed over k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spusk.compile.products.emitter import Emitter, Index
from spusk.compile.products.epilogue import Epilogue, Spot
from spusk.compile.products.product import Product, Strides

UNROLL = 2  # turns of k written out in one turn of the loop

# Where a vector begins: a base and a constant distance from it. Vectors with the same base share one address
# register, and the processor adds the distance as it loads.
Column = tuple[Index, int]


@dataclass(frozen=True)
class Panel:
    """Where a tile finds B: the element (l, j) lies at `pointer` + l·strides[0] + j·strides[1].

    Args:
        pointer: an SSA name.
        strides: along k and n; the second is 1 unless tiles are scalar.
        columns: the tile's vectors, counted from `pointer`.
    """

    pointer: str
    strides: Strides
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Tiling:
    """What the tiles of one function have in common.

    Args:
        product: the one that is computed; vectors lie along its n.
        lanes: elements in a vector.
        a: the SSA name of the pointer to A's element (0, 0).
        epilogue: applied to each vector before it is stored.
        along: what the caller calls n; "m" if `product` is the transposed one.
    """

    product: Product
    lanes: int
    a: str = "%a"
    epilogue: Epilogue | None = None
    along: Literal["m", "n"] = "n"


def emit_tile(
    emitter: Emitter, tiling: Tiling, panel: Panel, row: Index, rows: int, columns: tuple[Column, ...]
) -> None:
    """Computes and stores `rows` rows from `row` on, in the vectors at `columns` of C."""
    product, lanes = tiling.product, tiling.lanes
    bases = {base: emitter.at("%c", row, base, product.c) for base, _ in columns}
    targets = [
        emitter.address(bases[base], i * product.c[0] + distance * product.c[1])
        for i in range(rows)
        for base, distance in columns
    ]
    sums = _sum(emitter, tiling, panel, row, rows, [emitter.zero(lanes)] * len(targets))
    if product.accumulate:  # at the end, so that the chain of additions begins at 0
        before = [emitter.load(lanes, target) for target in targets]
        sums = [emitter.add(lanes, x, y) for x, y in zip(before, sums, strict=True)] if product.k else before
    finished = _finished(emitter, tiling, row, rows, columns, sums)
    for value, target in zip(finished, targets, strict=True):
        if value is not None:
            emitter.store(lanes, value, target)


def _sum(emitter: Emitter, tiling: Tiling, panel: Panel, row: Index, rows: int, sums: list[str]) -> list[str]:
    """The sums after all of k, which ascends: each element has one order of summation in every tile."""
    k, done = tiling.product.k, 0
    if k >= 2 * UNROLL:
        done = k - k % UNROLL
        with emitter.loop(0, done, UNROLL, emitter.type_of(tiling.lanes), sums) as loop:
            loop.next = _turns(emitter, tiling, panel, row, rows, loop.index, UNROLL, loop.values)
        sums = loop.values
    return _turns(emitter, tiling, panel, row, rows, done, k - done, sums)


def _turns(
    emitter: Emitter,
    tiling: Tiling,
    panel: Panel,
    row: Index,
    rows: int,
    start: Index,
    count: int,
    sums: list[str],
) -> list[str]:
    """The sums after `count` values of k from `start` on."""
    if count == 0:
        return sums
    lanes, a = tiling.lanes, tiling.product.a
    left = emitter.at(tiling.a, row, start, a)
    bases = {base: emitter.at(panel.pointer, start, base, panel.strides) for base, _ in panel.columns}
    for turn in range(count):
        right = [
            emitter.load(
                lanes,
                emitter.address(bases[base], turn * panel.strides[0] + distance * panel.strides[1]),
            )
            for base, distance in panel.columns
        ]
        after: list[str] = []
        for i in range(rows):
            scalar = emitter.load(1, emitter.address(left, i * a[0] + turn * a[1]))
            splat = emitter.splat(lanes, scalar)
            before = sums[i * len(right) : (i + 1) * len(right)]
            after += [emitter.multiply_add(lanes, splat, x, s) for x, s in zip(right, before, strict=True)]
        sums = after
    return sums


def _finished(
    emitter: Emitter,
    tiling: Tiling,
    row: Index,
    rows: int,
    columns: tuple[Column, ...],
    sums: list[str],
) -> Sequence[str | None]:
    """The sums after the epilogue, in the caller's coordinates."""
    if tiling.epilogue is None:
        return sums
    places = [(i, base, distance) for i in range(rows) for base, distance in columns]
    finished: list[str | None] = []
    for value, (i, base, distance) in zip(sums, places, strict=True):
        place = emitter.plus(row, i), emitter.plus(base, distance)
        first, second = place if tiling.along == "n" else place[::-1]
        spot = Spot(value, tiling.lanes, first, second, tiling.along)
        finished.append(tiling.epilogue.emit(emitter, spot))
    return finished
