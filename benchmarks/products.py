"""Matrix products of training steps: generated tiles beside the BLAS that SciPy carries, on one core.

Both are called from the same compiled loop, so neither pays for Python. Rounds alternate between them; the
speeds are those of the best round, the ratio is the median of the rounds' own, and what else runs on the
machine disturbs both. Above 1 tiles are faster. The last column is what `prefers_tiles` picks.
"""

from __future__ import annotations

import ctypes
import statistics
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, Literal

import llvmlite.binding as llvm
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.options import Options
from spusk.compile.products import (
    Product,
    Target,
    blas_function,
    blas_pointer,
    prefers_tiles,
    scratch_elements,
    tile_function,
)

ROUND_SECONDS = 3e-4
Layout = Literal["A·B", "Aᵀ·B", "A·Bᵀ"]

# What is multiplied, m, n, k: as stored, for the weight's gradient (Aᵀ·B), for the input's gradient (A·Bᵀ).
SHAPES: list[tuple[str, Layout, int, int, int]] = [
    ("digits, layer 1", "A·B", 32, 32, 64),
    ("digits, layer 1, weights", "Aᵀ·B", 64, 32, 32),
    ("digits, layer 2", "A·B", 32, 10, 32),
    ("digits, layer 2, weights", "Aᵀ·B", 32, 10, 32),
    ("digits, layer 2, input", "A·Bᵀ", 32, 32, 10),
    ("MNIST, layer 1", "A·B", 64, 256, 784),
    ("MNIST, layer 1, weights", "Aᵀ·B", 784, 256, 64),
    ("MNIST, layer 1, input", "A·Bᵀ", 64, 784, 256),
    ("MNIST, layer 2", "A·B", 64, 10, 256),
    ("MNIST, layer 2, weights", "Aᵀ·B", 256, 10, 64),
    ("MNIST, layer 2, input", "A·Bᵀ", 64, 256, 10),
    ("width 64", "A·B", 32, 64, 64),
    ("width 64, weights", "Aᵀ·B", 64, 64, 32),
    ("width 64, input", "A·Bᵀ", 32, 64, 64),
    ("batch 256", "A·B", 256, 32, 64),
    ("batch 256, weights", "Aᵀ·B", 64, 32, 256),
    ("batch 256, input", "A·Bᵀ", 256, 64, 32),
    ("batch 1", "A·B", 1, 32, 64),
    ("batch 1, weights", "Aᵀ·B", 64, 32, 1),
    ("batch 1, input", "A·Bᵀ", 1, 64, 32),
    ("batch 1, wide", "A·B", 1, 256, 784),
    ("batch 1, wide, input", "A·Bᵀ", 1, 784, 256),
    ("one output", "A·B", 256, 1, 32),
    ("one output, weights", "Aᵀ·B", 32, 1, 256),
    ("one output, input", "A·Bᵀ", 256, 32, 1),
    ("cube", "A·B", 128, 128, 128),
    ("cube", "A·B", 256, 256, 256),
    ("cube", "Aᵀ·B", 256, 256, 256),
    ("cube", "A·Bᵀ", 256, 256, 256),
    ("cube", "A·B", 512, 512, 512),
    ("cube", "Aᵀ·B", 512, 512, 512),
]


def product_of(layout: Layout, m: int, n: int, k: int, dtype: Literal["float32", "float64"]) -> Product:
    a = (1, m) if layout == "Aᵀ·B" else (k, 1)
    b = (1, k) if layout == "A·Bᵀ" else (n, 1)
    return Product(dtype, m, n, k, a, b, (n, 1))


def host_target() -> Target:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return Target.of_features(llvm.get_default_triple().split("-")[0], dict(llvm.get_host_cpu_features()))


def compiled(parts: Iterable[tuple[str, set[str]]], names: Iterable[str]) -> Any:
    """The functions optimised for this processor: `library[name]` is an address as long as it lives."""
    texts, declarations = zip(*parts, strict=True)
    lines: set[str] = set().union(*declarations)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    module = llvm.parse_assembly("\n".join([*texts, *sorted(lines)]))
    module.verify()
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    library = llvm.JITLibraryBuilder().add_object_img(machine.emit_object(module)).add_current_process()
    for name in names:
        library.export_symbol(name)
    return library.link(llvm.create_lljit_compiler(machine), "products")


def repeated(name: str, called: str, rows: int, further: str = "") -> tuple[str, set[str]]:
    """A function that calls another so many times on all rows; the empty assembly forbids to skip any."""
    text = f"""define void @{name}(ptr %c, ptr %a, ptr %b, ptr %scratch, ptr %gemm, i64 %times) {{
entry:
  br label %again
again:
  %i = phi i64 [ 0, %entry ], [ %next, %again ]
  call void asm sideeffect "", "~{{memory}}"()
  call void @{called}(ptr %c, ptr %a, ptr %b, ptr %scratch, i64 0, i64 {rows}{further})
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %times
  br i1 %more, label %again, label %done
done:
  ret void
}}
"""
    return text, set()


def callable_pairs(products: list[Product], target: Target) -> list[tuple[Any, Any]]:
    """For each product two native functions that repeat it: in tiles and by BLAS."""
    parts: list[tuple[str, set[str]]] = []
    for i, product in enumerate(products):
        parts += [tile_function(f"t{i}", product, target), blas_function(f"b{i}", product, target)]
        parts += [
            repeated(f"tiles{i}", f"t{i}", product.m),
            repeated(f"blas{i}", f"b{i}", product.m, ", ptr %gemm"),
        ]
    library = compiled(parts, [f"{kind}{i}" for i in range(len(products)) for kind in ("tiles", "blas")])
    # Each function keeps the library alive, whose end would unload it.
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5, ctypes.c_int64)

    def function(name: str) -> Any:
        found = kind(library[name])
        found.library = library
        return found

    return [(function(f"tiles{i}"), function(f"blas{i}")) for i in range(len(products))]


def seconds(function: Callable[[int], None], times: int) -> float:
    start = perf_counter()
    function(times)
    return (perf_counter() - start) / times


def measure(
    product: Product, pair: tuple[Any, Any], gemm: int, target: Target, rounds: int
) -> dict[str, float]:
    rng = np.random.default_rng(0)
    sizes = (product.m * product.n, product.m * product.k, product.k * product.n)
    arrays = [rng.standard_normal(size).astype(product.dtype) for size in sizes]
    arrays.append(np.zeros(max(scratch_elements(product, target), 1), product.dtype))
    pointers = (*(array.ctypes.data for array in arrays), gemm)
    tiles, blas = (lambda times, f=f: f(*pointers, times) for f in pair)
    times = max(1, round(ROUND_SECONDS / seconds(tiles, 3)))
    found = [(seconds(tiles, times), seconds(blas, times)) for _ in range(rounds)]
    return {
        "tiles": product.flops / min(t for t, _ in found) / 1e9,
        "blas": product.flops / min(b for _, b in found) / 1e9,
        "ratio": statistics.median(b / t for t, b in found),
    }


def run(options: Options) -> tuple[str, dict[str, Any]]:
    target = host_target()
    lines = [
        "| product | dtype | m × n × k | tiles, GFLOP/s | BLAS, GFLOP/s | ratio | rule |",
        "|---|---|---|---:|---:|---:|---|",
    ]
    data: list[dict[str, Any]] = []
    dtypes: tuple[Literal["float32", "float64"], ...] = ("float32", "float64")
    # Loaded before it is limited: threadpoolctl sees only libraries that are loaded already.
    gemm = {"float32": blas_pointer("sgemm"), "float64": blas_pointer("dgemm")}
    with threadpool_limits(1):
        for dtype in dtypes:
            products = [product_of(layout, m, n, k, dtype) for _, layout, m, n, k in SHAPES]
            pairs = callable_pairs(products, target)
            for (title, layout, m, n, k), product, pair in zip(SHAPES, products, pairs, strict=True):
                figures = measure(product, pair, gemm[dtype], target, rounds=options.repeats_or(30))
                rule = "tiles" if prefers_tiles(product) else "BLAS"
                lines.append(
                    f"| {title}, {layout} | {dtype} | {m} × {n} × {k} | {figures['tiles']:.1f} "
                    f"| {figures['blas']:.1f} | {figures['ratio']:.2f} | {rule} |"
                )
                data.append(
                    {"product": title, "layout": layout, "dtype": dtype, "mnk": [m, n, k], "rule": rule}
                    | figures
                )
    return "\n".join(lines), {"target": str(target), "products": data}
