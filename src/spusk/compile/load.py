"""From LLVM IR to a function that can be called: optimise, emit an object, link it into the process."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import llvmlite
import llvmlite.binding

from spusk.compile.products import Target

SERIALS = count()

llvm: Any = llvmlite.binding  # it has no types

# The text has its vectors written out and its loops in the form that processors like, so that little is
# left to do. LLVM's own pipelines take three times as long, and llvmlite does not give all of their memory
# back.
PASSES = (
    "always_inliner",
    "sroa",
    "instruction_combine",
    "simplify_cfg",
    "new_gvn",
    "instruction_combine",
    "dead_code_elimination",
)


@dataclass(frozen=True)
class Machine:
    """The processor that code is made for."""

    triple: str
    cpu: str
    features: str

    def __str__(self) -> str:
        version = ".".join(map(str, llvm.llvm_version_info))
        return f"{self.triple} {self.cpu} {self.features} llvm {version} llvmlite {llvmlite.__version__}"


@cache
def machine() -> Machine:
    """This machine's processor, after LLVM's set-up."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    return Machine(llvm.get_process_triple(), llvm.get_host_cpu_name(), features)


@cache
def target() -> Target:
    """What of this machine's processor decides the form of matrix products."""
    features = dict(llvm.get_host_cpu_features())
    return Target.of_features(machine().triple.split("-")[0], features)


def _target(effort: int = 3) -> Any:
    host = machine()
    target = llvm.Target.from_triple(host.triple)
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=effort, reloc="pic", codemodel="small"
    )


def translated(text: str) -> bytes:
    """Object code for a module that only calls others, where optimising gains nothing and takes long."""
    target = _target(effort=0)
    return target.emit_object(_parsed(text, target))


def optimised(text: str) -> tuple[bytes, str]:
    """Object code for a module's text, and the optimised text."""
    target = _target()
    module = _parsed(text, target)
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=3))
    passes = llvm.create_new_module_pass_manager()
    for name in PASSES:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    return target.emit_object(module), str(module)


def _parsed(text: str, target: Any) -> Any:
    module = llvm.parse_assembly(text, llvm.create_context())  # its own, because the common one only grows
    module.triple, module.data_layout = machine().triple, str(target.target_data)
    module.verify()
    return module


class Code:
    """Linked object code; its function lives as long as this object."""

    def __init__(self, images: Iterable[bytes]) -> None:
        # The older linker lets sections lie anywhere, and ends the process where that is too far apart.
        self._jit = llvm.create_lljit_compiler(_target(), use_jit_link=True)
        builder = llvm.JITLibraryBuilder()
        for image in images:
            builder.add_object_img(image)
        builder.add_current_process().export_symbol("run")
        self._library = builder.link(self._jit, f"spusk{next(SERIALS)}")
        self.run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._library["run"])
