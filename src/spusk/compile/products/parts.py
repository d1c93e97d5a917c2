"""Long products in parts: a chain of 1,024 additions is added to C, then the next begins at 0.

One chain over ten million terms of float32 loses the third digit, because what is added becomes smaller than
the last place of the sum. In parts it loses the sixth; BLAS has parts of a few hundred for the same reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from spusk.compile.products.product import Product

LONGEST = 1024  # terms of one chain; the copy of B for one part has 256 KiB at most


@dataclass(frozen=True)
class Part:
    """`count` stretches of k, each of which `product` sums; stretch i begins at i·LONGEST."""

    product: Product
    first: int
    count: int


def in_parts(product: Product) -> list[Part]:
    """The products that make up a product in tiles, in order; itself if k is short enough.

    >>> parts = in_parts(Product.of_rows("float32", 2, 3, 9000))
    >>> [(part.product.k, part.product.accumulate, part.count) for part in parts]
    [(1024, False, 1), (1024, True, 7), (808, True, 1)]
    """
    whole, rest = divmod(product.k, LONGEST)
    if whole == 0 or product.k == LONGEST:
        return [Part(product, 0, 1)]
    first = Part(replace(product, k=LONGEST), 0, 1)
    more = Part(replace(product, k=LONGEST, accumulate=True), 1, whole - 1)
    last = Part(replace(product, k=rest, accumulate=True), whole, 1)
    return [first, *([more] if whole > 1 else []), *([last] if rest else [])]
