"""Which of the forms of a product is used, and what it needs."""

from __future__ import annotations

from spusk.compile.products.plan import plan
from spusk.compile.products.product import Product
from spusk.compile.products.target import Target

L1_BYTES = 32 * 1024  # of the smallest level-1 data caches in use
ROWS_WORTH_A_COPY = 32


def is_dot(product: Product) -> bool:
    """Whether vectors run along k: matrix times vector, both contiguous along k."""
    return product.n == 1 and product.k > 1 and product.a[1] == product.b[0] == 1


def is_packed(product: Product) -> bool:
    """Whether a tile's columns of B are copied to scratch memory before they are used.

    They have to be where they are contiguous along k. Where they are contiguous along n, a copy is worth it
    if B is spread over more than the level-1 cache: its rows, often a power of two apart, throw each other
    out of the cache while the rows of C go by. The copy costs k·n, so it pays from about 32 rows on:
    (64, 784)·(784, 256) takes 0.75 of the time with it, (24, 784)·(784, 256) 1.06 of it.
    """
    if 0 in (product.m, product.n, product.k) or product.c[1] != 1 or is_dot(product.transposed):
        return False
    if product.b[1] == 1:
        spread = product.k * product.b[0] * product.element_bytes
        return spread > L1_BYTES and product.m >= ROWS_WORTH_A_COPY
    return product.b[0] == 1


def scratch_elements(product: Product, target: Target) -> int:
    """How many elements of scratch memory the product's function needs."""
    product = product.normal
    if not is_packed(product):
        return 0
    cut = plan(product, target)
    return product.k * cut.lanes * max(band.size for band in cut.columns)
