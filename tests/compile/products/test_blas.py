"""The same products as calls of the BLAS that SciPy carries."""

from __future__ import annotations

import numpy as np
import pytest
from compile.products.harness import AVX2, Case, Compiled, bias_relu
from compile.products.test_products import DOUBLE, STEPS, of_layouts, ranges
from threadpoolctl import threadpool_info

from spusk.compile.blas import one_blas_thread
from spusk.compile.lower.module import BLAS_ROWS
from spusk.compile.products import Product, blas_accepts, blas_function, blas_pointer
from spusk.compile.products.pointer import expect_signature
from spusk.errors import InputError

ACCEPTED = [p for p in (*STEPS, *DOUBLE[:5]) if blas_accepts(p)]


def test_blas_agrees_with_numpy_in_every_range_of_rows():
    assert len(ACCEPTED) > 15
    native = Compiled(ACCEPTED, AVX2, blas=True)
    for i, product in enumerate(ACCEPTED):
        case = Case.of(product, seed=i)
        expected, bound = case.expected()
        for cuts in (None, ranges(product.m)):
            assert (np.abs(native.run(i, case, cuts) - expected) <= bound).all(), product


def test_the_epilogue_follows_blas():
    products = [p for p in ACCEPTED if p.dtype == "float32"][::3]
    native = Compiled(products, AVX2, bias_relu(), blas=True)
    for i, product in enumerate(products):
        case = Case.of(product, seed=i)
        bias = np.random.default_rng(i).standard_normal(product.n).astype("float32")
        got = native.run(i, case, ranges(product.m), extra=(bias.ctypes.data,))
        expected, bound = case.expected()
        error = np.abs(got - np.maximum(expected + bias, 0))
        assert (error <= bound + 2e-7 * (np.abs(expected) + np.abs(bias))).all(), product


@pytest.mark.parametrize("wrong", [{"a": "sparse"}, {"b": "sparse"}, {"c": "sparse"}, {"c": "columns"}])
def test_products_that_blas_cannot_compute_are_refused(wrong):
    with pytest.raises(InputError, match="BLAS needs C contiguous along n"):
        blas_function("f", of_layouts(4, 5, 6, **wrong), AVX2)


@pytest.mark.parametrize(("name", "letter"), [("sgemm", "s"), ("dgemm", "d")])
def test_a_function_with_other_integers_or_reals_is_refused(name, letter):
    real = f"__pyx_t_5scipy_6linalg_11cython_blas_{letter} *"
    whole = f"void (char *, char *, int *, int *, int *, {real}, {real}, int *, {real}, int *, {real}, {real}, int *)"
    expect_signature(name, whole)
    for wrong in (
        whole.replace("int *", "long *"),
        whole.replace(f"blas_{letter}", "blas_z"),
        "",
        "void (int)",
    ):
        with pytest.raises(InputError, match=f"SciPy's {name} has the signature"):
            expect_signature(name, wrong)


def test_pointers_are_those_of_two_functions():
    assert 0 < blas_pointer("sgemm") != blas_pointer("dgemm") > 0


def openblas_on_x86() -> bool:
    blas_pointer("sgemm")  # loads it
    loaded = [lib for lib in threadpool_info() if "scipy.libs" in lib["filepath"]]
    known = {"Haswell", "Zen", "Sandybridge", "Nehalem", "Barcelona"}
    return any(lib["internal_api"] == "openblas" and lib["architecture"] in known for lib in loaded)


def test_shares_of_rows_have_the_bits_of_the_whole():
    if not openblas_on_x86():
        pytest.skip("only known of OpenBLAS on x86-64")
    products = [Product.of_rows("float32", 301, 45, 487), Product.of_rows("float64", 261, 31, 303)]
    native = Compiled(products, AVX2, blas=True)
    for i, product in enumerate(products):
        case = Case.of(product, seed=i)
        with one_blas_thread():
            whole = native.run(i, case, None)
            for first in (BLAS_ROWS, 3 * BLAS_ROWS, 10 * BLAS_ROWS):
                parts = native.run(i, case, [(0, first), (first, product.m)])
                assert parts.tobytes() == whole.tobytes(), (product, first)
