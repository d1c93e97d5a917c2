"""When a product is better computed in tiles than by BLAS."""

from __future__ import annotations

from spusk.compile.products.blas import blas_accepts
from spusk.compile.products.product import Product

ROWS_KIB, COLUMNS_KIB = 800, 400


def prefers_tiles(product: Product) -> bool:
    """Whether `tile_function` is at least as fast as `blas_function`.

    Tiles read A anew for every few columns of C, and do not copy it as BLAS does. So they win as long as A
    stays near the level-2 cache: up to 800 KiB if A is contiguous along k and streams in, up to 400 KiB if
    along m, where each tile uses only part of a cache line. How large B and C are does not matter.

    Measured by `python -m benchmarks products` on one core with 512 KiB of level-2 cache and AVX2 (Zen 3)
    beside OpenBLAS 0.3.30: below those limits 0.95 to 2.9 times BLAS's speed, and 2 to 20 times for a single
    row or column; above them 0.4 to 1.1 times.

    >>> prefers_tiles(Product.of_rows("float32", 32, 10, 64))
    True
    >>> prefers_tiles(Product.of_rows("float32", 1024, 1024, 1024))
    False
    """
    product = product.normal
    if not blas_accepts(product) or 1 in (product.m, product.n):
        return True
    limit = ROWS_KIB if product.a[1] == 1 else COLUMNS_KIB
    return product.m * product.k * product.element_bytes <= limit * 1024
