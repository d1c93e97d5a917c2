"""How a product is cut into register tiles.

A tile is some rows × some vectors of C whose sums stay in registers while k runs. The cut is chosen by
counting: a turn of k in a tile of r rows × w vectors costs r·w multiply-adds and r + w loads at two each a
cycle, and no less than a multiply-add's latency.
"""

from __future__ import annotations

from dataclasses import dataclass

from spusk.compile.products.product import Product
from spusk.compile.products.target import Target

LATENCY = 4.0  # cycles of a multiply-add, on every current x86 and ARM core
TILE_OVERHEAD = 3.0  # cycles to begin and end a tile that do not overlap with its neighbours'
SIZE_OVERHEAD = 150.0  # cycles that compiling one more size of tile is worth, over some 100,000 calls
WIDEST = 4  # vectors side by side; more of them, only with a single row
ROW_WIDEST = 8
MOST_ROWS = 8  # hides every latency; more would only lengthen the code


@dataclass(frozen=True)
class Band:
    """`count` tiles of the same size, one after the other along an axis."""

    size: int
    count: int


@dataclass(frozen=True)
class Plan:
    """A cut of C.

    Args:
        lanes: elements in a vector.
        columns: bands of vectors. Together they reach past n when n is no multiple of `lanes`; the very last
            vector is moved back to end at n, over elements that its left neighbour in the tile holds, too.
        rows: bands of rows.
    """

    lanes: int
    columns: tuple[Band, ...]
    rows: tuple[Band, ...]


def lanes_for(length: int, product: Product, target: Target) -> int:
    """The largest power of two that fits into a vector and into the axis."""
    lanes = target.vector_bytes // product.element_bytes
    while lanes > length:
        lanes //= 2
    return max(lanes, 1)


def balanced(total: int, largest: int) -> tuple[Band, ...]:
    """As few tiles as possible, of sizes that differ by one at most; larger ones last.

    The last one has more than one vector whenever there are two, so that the vector moved back overlaps
    within its tile, and an accumulating tile loads each element before it stores any.

    >>> balanced(7, 3)
    (Band(size=2, count=2), Band(size=3, count=1))
    """
    tiles = -(-total // largest)
    size, larger = divmod(total, tiles)
    bands = (Band(size, tiles - larger), Band(size + 1, larger))
    return tuple(band for band in bands if band.count)


def turn(rows: int, vectors: int) -> float:
    """Cycles of one turn of k in one tile."""
    return max(rows * vectors / 2, (rows + vectors) / 2, LATENCY)


def cycles(rows: int, vectors: int, k: int) -> float:
    return k * turn(rows, vectors) + TILE_OVERHEAD


def most_rows(vectors: int, target: Target) -> int:
    """Rows whose sums fit into the registers, beside a row of B and an element of A."""
    return min(max((target.registers - 1 - vectors) // vectors, 1), MOST_ROWS)


def row_bands(m: int, vectors: int, k: int, groups: int, target: Target) -> tuple[Band, ...]:
    """Rows of at most two sizes, in the cheapest way for so many groups of vectors."""
    best: tuple[float, tuple[Band, ...]] | None = None
    for large in range(1, min(m, most_rows(vectors, target)) + 1):
        count, rest = divmod(m, large)
        bands = (Band(large, count), Band(rest, 1)) if rest else (Band(large, count),)
        cost = sum(band.count * cycles(band.size, vectors, k) + SIZE_OVERHEAD / groups for band in bands)
        if best is None or cost < best[0]:
            best = cost, bands
    return best[1] if best else ()


def plan(product: Product, target: Target) -> Plan:
    """The cheapest cut of a product whose C has at least one element."""
    m, n, k = product.m, product.n, product.k
    contiguous = product.c[1] == 1 and (1 in product.b or k == 0)
    lanes = lanes_for(n, product, target) if contiguous else 1
    vectors = -(-n // lanes)
    best: tuple[float, Plan] | None = None
    for widest in range(min(2, vectors), min(vectors, ROW_WIDEST if m == 1 else WIDEST) + 1):
        columns = balanced(vectors, widest)
        rows = row_bands(m, columns[-1].size, k, sum(band.count for band in columns), target)
        cost = sum(
            column.count * row.count * cycles(row.size, column.size, k) + SIZE_OVERHEAD
            for column in columns
            for row in rows
        )
        if best is None or cost < best[0]:
            best = cost, Plan(lanes, columns, rows)
    assert best is not None
    return best[1]
