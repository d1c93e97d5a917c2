"""A matrix product as a call of BLAS, for products too large for tiles."""

from __future__ import annotations

from dataclasses import replace

from spusk.compile.products.emitter import Emitter
from spusk.compile.products.epilogue import Epilogue
from spusk.compile.products.function import PARAMETERS, defined, emit_product
from spusk.compile.products.product import Product, Strides
from spusk.compile.products.target import Target
from spusk.errors import InputError


def blas_function(
    name: str, product: Product, target: Target, epilogue: Epilogue | None = None
) -> tuple[str, set[str]]:
    """As `tile_function`, with `ptr %gemm` after `m_end`: the address of sgemm or dgemm, by dtype.

    BLAS promises nothing about bits: they may depend on the range of rows. Those of OpenBLAS 0.3.30 do not
    where ranges begin at multiples of what its kernels take at a time (12 rows with AVX2, 8 without AVX).

    Raises:
        InputError: if C is not contiguous along n, or A or B along neither of its axes.
    """
    if not blas_accepts(product):
        raise InputError(
            f"BLAS needs C contiguous along n, and A and B along one axis each; the strides of A, B, C are "
            f"{product.a}, {product.b}, {product.c}"
        )
    product = product.normal
    emitter = Emitter(product.element, target.has_fma)
    emitter.start("entry")
    if product.m and product.n:
        _emit_call(emitter, product)
        if epilogue is not None:
            # What is left is a product with nothing to sum, that finishes what C holds.
            emit_product(emitter, replace(product, k=0, accumulate=True), target, epilogue)
    return defined(name, emitter, (*PARAMETERS, "ptr %gemm"), epilogue), emitter.declarations


def _emit_call(emitter: Emitter, product: Product) -> None:
    """BLAS stores matrices by columns: what is C by rows, it sees as Cᵀ, and Cᵀ = Bᵀ·Aᵀ."""
    first = _operand(product.b, (product.k, product.n))
    second = _operand(product.a, (product.m, product.k))
    rows = emitter.value("sub nsw i64 %m_end, %m_begin")
    some = emitter.value(f"icmp sgt i64 {rows}, 0")
    # Held before the branch: only what is allocated in the first block is allocated once when LLVM inlines.
    arguments = [
        _held(emitter, "i8", str(ord(first[0]))),
        _held(emitter, "i8", str(ord(second[0]))),
        _held(emitter, "i32", str(product.n)),
        _held(emitter, "i32", emitter.value(f"trunc i64 {rows} to i32")),
        _held(emitter, "i32", str(product.k)),
        _held(emitter, product.element, "1.0"),
        "%b",
        _held(emitter, "i32", str(first[1])),
        emitter.at("%a", "%m_begin", 0, product.a),
        _held(emitter, "i32", str(second[1])),
        _held(emitter, product.element, "1.0" if product.accumulate else "0.0"),
        emitter.at("%c", "%m_begin", 0, product.c),
        _held(emitter, "i32", str(max(product.c[0], product.n))),
    ]
    emitter.line(f"br i1 {some}, label %call, label %called")
    emitter.start("call")
    emitter.line(f"call void %gemm({', '.join(f'ptr {argument}' for argument in arguments)})")
    emitter.jump("called")
    emitter.start("called")


def blas_accepts(product: Product) -> bool:
    """Whether C is contiguous along n, and each of A and B along one of its axes."""
    product = product.normal
    return product.c[1] == 1 and 1 in product.a and 1 in product.b


def _operand(strides: Strides, lengths: tuple[int, int]) -> tuple[str, int]:
    """The transposition flag and leading dimension of a matrix that BLAS sees transposed."""
    if strides[1] == 1:
        return "N", max(strides[0], lengths[1], 1)
    return "T", max(strides[1], lengths[0], 1)


def _held(emitter: Emitter, type: str, value: str) -> str:
    """A place on the stack that holds a value, since Fortran takes every argument by reference."""
    place = emitter.value(f"alloca {type}")
    emitter.line(f"store {type} {value}, ptr {place}")
    return place
