"""Loops over arrays that call the functions under test, compiled as the compiler compiles its own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numpy.typing import NDArray

from spusk.compile.vectormath import ARGUMENTS, declarations, definition

DTYPES = ("float32", "float64")
TYPES = {"float32": "float", "float64": "double"}


def loop(name: str, dtype: str) -> str:
    """out[i] = f(x[i]) or f(x[i], y[i]), as the text of a function."""
    type_, arguments = TYPES[dtype], ARGUMENTS[name]
    pointers = ", ".join(f"ptr noalias %p{a}" for a in arguments)
    loads = "".join(
        f"""
  %a{a} = getelementptr inbounds {type_}, ptr %p{a}, i64 %i
  %{a} = load {type_}, ptr %a{a}"""
        for a in arguments
    )
    return f"""
define void @{name}.{dtype}({pointers}, ptr noalias %out, i64 %n) nounwind {{
entry:
  br label %body
body:
  %i = phi i64 [0, %entry], [%next, %body]{loads}
  %r = call {type_} @spusk.{name}.{dtype}({", ".join(f"{type_} %{a}" for a in arguments)})
  %o = getelementptr inbounds {type_}, ptr %out, i64 %i
  store {type_} %r, ptr %o
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %body, label %exit
exit:
  ret void
}}
"""


def text(names: list[str], dtype: str, fma: bool) -> str:
    """A module with a loop for each function."""
    declared = set[str]().union(*(declarations(name, dtype, fma=fma) for name in names))
    functions = [definition(name, dtype, fma=fma) + loop(name, dtype) for name in names]
    return "\n".join([*sorted(declared), *functions])


llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()


@cache
def machine(triple: str, cpu: str, features: str) -> llvm.TargetMachine:
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def optimised(module: str, target: llvm.TargetMachine) -> llvm.ModuleRef:
    """The module after LLVM's passes at -O3."""
    parsed = llvm.parse_assembly(module)
    parsed.triple, parsed.data_layout = target.triple, str(target.target_data)
    parsed.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    options.slp_vectorization = True
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(parsed, builder)
    return parsed


def host() -> tuple[str, str, str]:
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def host_has_fma() -> bool:
    features = llvm.get_host_cpu_features()
    return features.get("fma", False) or not llvm.get_process_triple().startswith("x86")


@cache
def optimised_for_host(dtype: str, fma: bool) -> str:
    return str(optimised(text(list(ARGUMENTS), dtype, fma), machine(*host())))


@cache
def compiled(dtype: str, fma: bool) -> dict[str, Callable[..., Any]]:
    """The functions as functions of arrays, which run on this machine."""
    # Not the cached machine: the compiler takes its machine over.
    target = llvm.Target.from_triple(host()[0])
    jit = llvm.create_lljit_compiler(target.create_target_machine(*host()[1:], opt=3, jit=True))
    # Without fma in the processor, llvm.fma is a function of the C library.
    library = llvm.JITLibraryBuilder().add_ir(optimised_for_host(dtype, fma)).add_current_process()
    for name in ARGUMENTS:
        library = library.export_symbol(f"{name}.{dtype}")
    tracker = library.link(jit, f"vectormath.{dtype}.{fma}")

    def function(name: str) -> Callable[..., Any]:
        pointer = ctypes.c_void_p
        prototype = ctypes.CFUNCTYPE(None, *[pointer] * (len(ARGUMENTS[name]) + 1), ctypes.c_int64)
        address = prototype(tracker[f"{name}.{dtype}"])

        def apply(*arrays: Any) -> NDArray[Any]:
            given = [np.ascontiguousarray(a, dtype) for a in arrays]
            out = np.empty_like(given[0])
            address(*(a.ctypes.data for a in (*given, out)), len(out))
            return out

        # The machine code lives as long as these.
        apply.owners = jit, tracker
        return apply

    return {name: function(name) for name in ARGUMENTS}
