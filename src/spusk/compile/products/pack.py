"""Copies some columns of B into scratch memory, where each row of them is contiguous."""

from __future__ import annotations

from spusk.compile.products.emitter import Emitter, Index
from spusk.compile.products.product import Product

LARGEST_BLOCK = 8  # a block this wide is transposed within 16 registers


def emit_pack(
    emitter: Emitter, product: Product, columns: tuple[Index, Index], vectors: int, lanes: int
) -> None:
    """Packs the columns of one tile: row l of B, column j of the tile, goes to scratch[l·vectors·lanes + j].

    Args:
        product: with B contiguous along one axis.
        columns: where the first vector and the last vector of the tile begin in B.
        vectors: how many the tile has.
        lanes: elements in each.
    """
    if product.b[1] == 1:
        _emit_copy(emitter, product, columns, vectors, lanes)
        return
    side = _block_side(product.k, lanes)
    width = vectors * lanes
    stride = product.b[1]
    with emitter.loop(0, width, side) as across:
        source = _source(emitter, columns, across.index, width - lanes)
        with emitter.loop(0, product.k + side - 1, side) as down:
            # The last block moves back to end at k, and copies some elements a second time.
            top = emitter.least(down.index, product.k - side)
            first = emitter.at("%b", top, source, product.b)
            block = [emitter.load(side, emitter.address(first, i * stride)) for i in range(side)]
            target = emitter.at("%scratch", top, across.index, (width, 1))
            for i, line in enumerate(_transposed(emitter, block)):
                emitter.store(side, line, emitter.address(target, i * width))


def _emit_copy(
    emitter: Emitter, product: Product, columns: tuple[Index, Index], vectors: int, lanes: int
) -> None:
    first, last = columns
    with emitter.loop(0, product.k, 1) as down:
        sources = [emitter.at("%b", down.index, column, product.b) for column in (first, last)]
        target = emitter.at("%scratch", down.index, 0, (vectors * lanes, 1))
        for i in range(vectors):
            is_last = i == vectors - 1
            place = sources[1] if is_last else emitter.address(sources[0], i * lanes)
            emitter.store(lanes, emitter.load(lanes, place), emitter.address(target, i * lanes))


def _block_side(k: int, lanes: int) -> int:
    side = min(lanes, LARGEST_BLOCK)
    while side > k:
        side //= 2
    return side


def _source(emitter: Emitter, columns: tuple[Index, Index], place: Index, last: int) -> Index:
    """The column of B for a place in the panel, whose last vector may begin before its neighbour's end."""
    first, moved = columns
    if isinstance(first, int) and moved == first + last:
        return emitter.plus(place, first)
    ahead = emitter.plus(emitter.plus(place, -last), moved)
    within = emitter.plus(place, first)
    is_last = emitter.value(f"icmp sge i64 {place}, {last}")
    return emitter.value(f"select i1 {is_last}, i64 {ahead}, i64 {within}")


def _transposed(emitter: Emitter, block: list[str]) -> list[str]:
    """A square of vectors transposed, in log₂(side) rounds that each exchange halves of pairs."""
    side, half = len(block), len(block) // 2
    while half:
        # Bit `half` of the row number and of the lane number are exchanged.
        low = [lane if not lane & half else side + lane - half for lane in range(side)]
        high = [lane + half if not lane & half else side + lane for lane in range(side)]
        following = list(block)
        for i in range(side):
            if not i & half:
                x, y = block[i], block[i + half]
                following[i] = emitter.shuffle(side, x, y, low)
                following[i + half] = emitter.shuffle(side, x, y, high)
        block, half = following, half // 2
    return block
