"""LLVM makes vector instructions of every function, and calls no library."""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import pytest
from compile.vectormath.loops import (
    DTYPES,
    TYPES,
    host,
    host_has_fma,
    machine,
    optimised,
    optimised_for_host,
    text,
)

from spusk.compile.vectormath import ARGUMENTS, declarations, definition

# Triple, processor, whether it has fma.
TARGETS = {
    "SSE2": ("x86_64-unknown-linux-gnu", "x86-64", False),
    "AVX2": ("x86_64-unknown-linux-gnu", "haswell", True),
    "AVX-512": ("x86_64-unknown-linux-gnu", "skylake-avx512", True),
    "Neon": ("aarch64-unknown-linux-gnu", "generic", True),
    "SVE": ("aarch64-unknown-linux-gnu", "neoverse-v1", True),
    "Apple": ("arm64-apple-macosx14", "apple-m1", True),
}


def loop_of(module: str, name: str, dtype: str) -> str:
    """The text of one function among a module's."""
    found = re.search(rf"^define [^\n]*@{name}\.{dtype}\(.*?^}}", module, re.MULTILINE | re.DOTALL)
    assert found, f"no {name}.{dtype} in the module"
    return found[0]


# What becomes instructions; those of the second line come from the vectoriser, which masks loops' ends on SVE.
INSTRUCTIONS = re.compile(
    r"llvm\.(fma|fabs|copysign|sqrt|is\.fpclass|fshl|[us](min|max)"
    r"|vscale|usub\.sat|masked\.(load|store)|get\.active\.lane\.mask)\..*"
)


def assert_vectorised(loop: str, dtype: str) -> None:
    store = rf"(store |@llvm\.masked\.store\.\w+\.p0\()<(vscale x )?\d+ x {TYPES[dtype]}>"
    assert re.search(store, loop), "the results are stored one by one"
    called = set(re.findall(r"call [^@\n]*@([\w.]+)\(", loop))
    assert [name for name in called if not INSTRUCTIONS.fullmatch(name)] == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_loop_is_vectorised_on_this_machine(name, dtype):
    assert_vectorised(loop_of(optimised_for_host(dtype, host_has_fma()), name, dtype), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_machine_code_calls_nothing_on_this_machine(dtype):
    module = llvm.parse_assembly(optimised_for_host(dtype, host_has_fma()))
    assert calls(machine(*host()).emit_assembly(module)) == []


@pytest.mark.fuzz
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", TARGETS)
def test_every_loop_is_vectorised_on_other_machines(target, dtype):
    triple, cpu, fma = TARGETS[target]
    module = optimised(text(list(ARGUMENTS), dtype, fma), machine(triple, cpu, ""))
    for name in ARGUMENTS:
        assert_vectorised(loop_of(str(module), name, dtype), dtype)
    assert calls(machine(triple, cpu, "").emit_assembly(module)) == []


def calls(assembly: str) -> list[str]:
    """The names that call instructions of x86-64 and AArch64 mention."""
    return re.findall(r"^\t(?:callq?|bl)\t(\S+)", assembly, re.MULTILINE)


@pytest.mark.parametrize("fma", [True, False])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_fma_none_is_called_and_with_it_every_call_is_declared(name, fma):
    for dtype in DTYPES:
        called = set(re.findall(r"@(llvm[\w.]+)\(", definition(name, dtype, fma=fma)))
        declared = {re.findall(r"@([\w.]+)", line)[0] for line in declarations(name, dtype, fma=fma)}
        assert called == declared
        assert fma or not any(intrinsic.startswith("llvm.fma") for intrinsic in called)


def test_an_unknown_function_or_dtype_is_refused():
    with pytest.raises(ValueError, match="there is no function 'sinh'"):
        definition("sinh", "float32", fma=True)
    with pytest.raises(ValueError, match="not in 'float16'"):
        definition("exp", "float16", fma=True)
