"""Runs products natively on arrays with sentinels around them, beside a plain reference in float64."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace

import numpy as np
from benchmarks.products import compiled

from spusk.compile.products import (
    Emitter,
    Epilogue,
    Product,
    Spot,
    Target,
    blas_function,
    blas_pointer,
    scratch_elements,
    tile_function,
)

# Every form of code runs on every processor: LLVM splits vectors that are too wide.
SSE = Target(vector_bytes=16, has_fma=False, registers=16)
AVX2 = Target(vector_bytes=32, has_fma=True, registers=16)
AVX512 = Target(vector_bytes=64, has_fma=True, registers=32)

GUARD = 37  # elements around each array: an odd number, so that nothing is aligned by chance
SENTINEL = -12345.0


@dataclass
class Guarded:
    """A strided matrix in the middle of sentinels."""

    buffer: np.ndarray
    shape: tuple[int, int]
    strides: tuple[int, int]

    @classmethod
    def filled(cls, rng, dtype, shape, strides):
        steps = [s * (n - 1) for s, n in zip(strides, shape, strict=True)]
        length = 0 if 0 in shape else sum(abs(step) for step in steps) + 1
        guarded = cls(np.full(length + 2 * GUARD, SENTINEL, dtype), shape, strides)
        guarded.first = GUARD - sum(min(step, 0) for step in steps) if length else GUARD
        if length:
            guarded.matrix[...] = rng.standard_normal(shape)
        return guarded

    def __post_init__(self):
        self.first = GUARD

    @property
    def matrix(self):
        size = self.buffer.itemsize
        return np.lib.stride_tricks.as_strided(
            self.buffer[self.first :], self.shape, [s * size for s in self.strides]
        )

    @property
    def address(self):
        return self.buffer.ctypes.data + self.first * self.buffer.itemsize

    def copy(self):
        twin = replace(self, buffer=self.buffer.copy())
        twin.first = self.first
        return twin


@dataclass
class Case:
    """A product's arrays before it is computed."""

    product: Product
    a: Guarded
    b: Guarded
    c: Guarded

    @classmethod
    def of(cls, product, seed=0):
        rng = np.random.default_rng(seed)
        m, n, k, dtype = product.m, product.n, product.k, product.dtype
        a = Guarded.filled(rng, dtype, (m, k), product.a)
        b = Guarded.filled(rng, dtype, (k, n), product.b)
        return cls(product, a, b, Guarded.filled(rng, dtype, (m, n), product.c))

    def expected(self):
        """The product in float64, and a bound for the error of any order of summation in the product's dtype."""
        a, b, c = (x.matrix.astype("float64") for x in (self.a, self.b, self.c))
        c = c if self.product.accumulate else np.zeros_like(c)
        bound = (self.product.k + 2) * np.finfo(self.product.dtype).eps
        return c + a @ b, bound * (np.abs(c) + np.abs(a) @ np.abs(b)) + 1e-300


class Compiled:
    """Functions of many products, compiled together because that is quicker."""

    def __init__(self, products, target, epilogue: Epilogue | None = None, blas=False):
        self.target, self.blas = target, blas
        build = blas_function if blas else tile_function
        given = epilogue.parameters if epilogue else ()
        parts = []
        for i, product in enumerate(products):
            parts.append(build(f"f{i}", product, target, epilogue))
            names = ["ptr %c", "ptr %a", "ptr %b", "ptr %s", "i64 %from", "i64 %to"]
            names += ["ptr %gemm"] * blas + [f"ptr {p.split()[-1]}" for p in given]
            wrapper = f"define void @run{i}({', '.join(names)}) {{\n  call void @f{i}({', '.join(names)})\n  ret void\n}}\n"
            parts.append((wrapper, set()))
        self.library = compiled(parts, [f"run{i}" for i in range(len(products))])

    def run(self, i, case, ranges=None, extra=()):
        """C after the product is computed in some ranges of rows, its sentinels checked."""
        product, c = case.product, case.c.copy()
        scratch = np.full(scratch_elements(product, self.target) + 2 * GUARD, SENTINEL, product.dtype)
        before = case.a.buffer.copy(), case.b.buffer.copy()
        pointers = [c.address, case.a.address, case.b.address, scratch.ctypes.data + GUARD * scratch.itemsize]
        if self.blas:
            extra = (blas_pointer("sgemm" if product.dtype == "float32" else "dgemm"), *extra)
        types = [*[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_int64, *[ctypes.c_void_p] * len(extra)]
        function = ctypes.CFUNCTYPE(None, *types)(self.library[f"run{i}"])
        for begin, end in ranges or [(0, product.m)]:
            function(*pointers, begin, end, *extra)
        assert (scratch[:GUARD] == SENTINEL).all()
        assert (scratch[len(scratch) - GUARD :] == SENTINEL).all()
        assert np.array_equal(case.a.buffer, before[0], equal_nan=True)
        assert np.array_equal(case.b.buffer, before[1], equal_nan=True)
        outside = c.copy()
        outside.matrix[...] = case.c.matrix
        assert np.array_equal(outside.buffer, case.c.buffer, equal_nan=True), (
            "something is written outside of C"
        )
        return c.matrix


def bias_relu() -> Epilogue:
    """max(C[i, j] + bias[j], 0), with `%bias` of length n. NaN stays NaN, as in `nn.relu`."""

    def emit(emitter: Emitter, spot: Spot) -> str:
        kind = emitter.type_of(spot.lanes)
        x = emitter.add(spot.lanes, spot.value, spot.load(emitter, "%bias", (0, 1)))
        zero = emitter.zero(spot.lanes)
        negative = emitter.value(f"fcmp ole {kind} {x}, {zero}")
        mask = "i1" if spot.lanes == 1 else f"<{spot.lanes} x i1>"
        return emitter.value(f"select {mask} {negative}, {kind} {zero}, {kind} {x}")

    return Epilogue(("ptr noalias readonly %bias",), emit)
