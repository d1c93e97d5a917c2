"""Products in tiles agree with NumPy, write nothing else, and have the same bits in every range of rows."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from compile.products.harness import AVX2, AVX512, SSE, Case, Compiled, bias_relu

from spusk.compile.products import (
    Product,
    Target,
    blas_accepts,
    prefers_tiles,
    scratch_elements,
    tile_function,
)
from spusk.errors import InputError

SIZES = [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 16, 17, 24, 31, 32, 33, 40, 47]


def strides(layout, rows, columns):
    return {
        "rows": (columns, 1),
        "columns": (1, rows),
        "padded rows": (columns + 3, 1),
        "padded columns": (1, rows + 5),
        "sparse": (2 * columns + 1, 2),
        "broadcast": (0, 1),
        "backwards": (-columns, 1),
    }[layout]


def random_products(count, seed):
    pick = random.Random(seed)
    layouts = ["rows", "columns", "padded rows", "padded columns", "sparse", "broadcast", "backwards"]
    for _ in range(count):
        m, n, k = (pick.choice(SIZES) for _ in range(3))
        a, b = pick.choice(layouts), pick.choice(layouts)
        c = pick.choice(["rows", "rows", "padded rows", "columns", "sparse"])
        yield Product(
            pick.choice(["float32", "float64"]),
            m,
            n,
            k,
            strides(a, m, k),
            strides(b, k, n),
            strides(c, m, n),
            accumulate=pick.random() < 0.3,
        )


def of_layouts(m, n, k, a="rows", b="rows", c="rows", dtype="float32", accumulate=False):
    return Product(dtype, m, n, k, strides(a, m, k), strides(b, k, n), strides(c, m, n), accumulate)


STEPS = [
    of_layouts(32, 10, 32),
    of_layouts(32, 32, 10, b="columns"),
    of_layouts(64, 32, 32, a="columns"),
    of_layouts(33, 21, 20, b="columns", accumulate=True),
    of_layouts(40, 256, 70),  # B wider than the level-1 cache: packed though contiguous
    of_layouts(40, 250, 70, accumulate=True),
    of_layouts(1, 70, 33),
    of_layouts(1, 33, 70, b="columns"),
    of_layouts(1, 33, 70, b="columns", accumulate=True),
    of_layouts(70, 1, 33),
    of_layouts(70, 1, 33, a="columns"),
    of_layouts(70, 1, 33, a="columns", accumulate=True),
    of_layouts(70, 1, 33, b="sparse"),
    of_layouts(70, 1, 33, a="columns", c="padded rows"),
    of_layouts(24, 18, 1),
    of_layouts(5, 7, 0),
    of_layouts(5, 7, 0, accumulate=True),
]
DOUBLE = [replace(p, dtype="float64") for p in STEPS]


def ranges(m):
    """Some cuts of m rows, one of them empty."""
    a, b = sorted(random.Random(m).choices(range(m + 1), k=2))
    return [(b, m), (0, a), (a, a), (a, b)]


# Fewer than would be nice: LLVM takes about 30 ms for each.
@pytest.mark.parametrize(
    ("target", "products"),
    [
        (SSE, [*STEPS[::2], *random_products(10, seed=1)]),
        (AVX2, [*STEPS, *DOUBLE[1::2], *random_products(10, seed=2)]),
        (AVX512, [*STEPS[1::2], *random_products(10, seed=3)]),
    ],
    ids=["SSE", "AVX2", "AVX512"],
)
def test_products_agree_with_numpy_and_bits_do_not_depend_on_ranges(target, products):
    native = Compiled(products, target)
    for i, product in enumerate(products):
        case = Case.of(product, seed=i)
        got = native.run(i, case)
        expected, bound = case.expected()
        assert (np.abs(got - expected) <= bound).all(), product
        in_ranges = native.run(i, case, ranges(product.m))
        assert got.tobytes() == in_ranges.tobytes(), product


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_one_product_has_the_bits_of_fused_additions_in_order(dtype):
    product = Product.of_rows(dtype, 7, 19, 30)
    case = Case.of(product)
    got = Compiled([product], SSE).run(0, case)
    expected = np.zeros((7, 19), dtype)
    for step in range(30):
        expected += case.a.matrix[:, step, None] * case.b.matrix[step]
    assert got.tobytes() == expected.tobytes()


def test_the_epilogue_sees_every_element_at_its_place():
    native = Compiled(STEPS, AVX2, bias_relu())
    for i, product in enumerate(STEPS):
        case = Case.of(product, seed=i)
        bias = np.random.default_rng(i).standard_normal(product.n).astype("float32")
        got = native.run(i, case, ranges(product.m), extra=(bias.ctypes.data,))
        expected, bound = case.expected()
        error = np.abs(got - np.maximum(expected + bias, 0))
        assert (error <= bound + 2e-7 * (np.abs(expected) + np.abs(bias))).all(), product


def test_nan_passes_through_bias_and_relu():
    product = Product.of_rows("float32", 3, 10, 2)
    case = Case.of(product)
    case.a.matrix[1, 0] = np.nan
    got = Compiled([product], AVX2, bias_relu()).run(0, case, extra=(np.zeros(10, "float32").ctypes.data,))
    assert np.isnan(got).all(axis=1).tolist() == [False, True, False]
    assert not np.isnan(got[[0, 2]]).any()


def test_what_c_held_before_does_not_matter():
    product = Product.of_rows("float64", 9, 11, 4)
    case = Case.of(product)
    native = Compiled([product], AVX2)
    clean = native.run(0, case).tobytes()
    case.c.matrix[...] = np.nan
    assert native.run(0, case).tobytes() == clean


def test_scratch_memory_is_needed_only_where_columns_are_copied():
    assert scratch_elements(of_layouts(32, 32, 64), AVX2) == 0
    assert scratch_elements(of_layouts(32, 32, 10, b="columns"), AVX2) == 10 * 16
    assert scratch_elements(of_layouts(64, 256, 784), AVX2) == 784 * 16
    assert scratch_elements(of_layouts(1, 32, 64, b="columns"), AVX2) == 0


def test_the_text_is_the_same_every_time_and_holds_no_addresses():
    for product in STEPS:
        text, declarations = tile_function("f", product, AVX2)
        assert (text, declarations) == tile_function("f", product, AVX2)
        assert "inttoptr" not in text
        assert "ptrtoint" not in text


def test_transposing_twice_gives_the_product_back():
    product = of_layouts(3, 5, 7, a="sparse")
    assert product.transposed.transposed == product
    assert (product.transposed.m, product.transposed.a) == (5, (1, 5))


@pytest.mark.parametrize("c", [(0, 1), (5, 1), (-6, 1), (1, 2), (4, 4)])
def test_coinciding_elements_of_c_are_refused(c):
    with pytest.raises(InputError, match=r"4 × 6 with strides .* coincide"):
        Product("float32", 4, 6, 2, (2, 1), (6, 1), c)


def test_negative_sizes_are_refused():
    with pytest.raises(InputError, match=r"4, -1, 2; none may be negative"):
        Product.of_rows("float32", 4, -1, 2)


def test_tiles_are_preferred_while_a_stays_near_the_level_2_cache():
    assert all(prefers_tiles(p) for p in STEPS)
    assert prefers_tiles(of_layouts(64, 256, 784))
    assert prefers_tiles(of_layouts(1, 4096, 4096))
    assert not prefers_tiles(of_layouts(512, 64, 512))
    assert not prefers_tiles(of_layouts(256, 256, 512, a="columns"))


def test_tiles_are_preferred_where_blas_cannot_be_called():
    product = of_layouts(1000, 1000, 1000, c="columns")
    assert not blas_accepts(product)
    assert prefers_tiles(product)
    assert blas_accepts(product.transposed)


def test_targets_follow_the_processors_features():
    wide = {"avx": True, "avx2": True, "fma": True, "avx512f": True, "avx512vl": True}
    assert Target.of_features("x86_64", wide).registers == 32
    assert Target.of_features("x86_64", {"avx": True, "fma": False}) == Target(32, False, 16)
    assert Target.of_features("x86_64", {}) == SSE
