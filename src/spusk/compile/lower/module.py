"""A whole program as one LLVM module: the kernels' functions, and `run`, which calls them step after step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from spusk.compile.kernels import (
    ArgMaxKernel,
    CheckKernel,
    DotKernel,
    Kernel,
    LoopKernel,
    RandomKernel,
    ScatterKernel,
    Schedule,
)
from spusk.compile.lower.dots import lower_dot
from spusk.compile.lower.loops import lower_loop
from spusk.compile.lower.runtime import definitions
from spusk.compile.lower.special import lower_argmax, lower_check, lower_random, lower_scatter
from spusk.compile.lower.text import Function
from spusk.compile.memory import Layout

# The argument of `run` is a block of 64-bit words.
STATE, ARENA, STEPS, DONE, STATUS, WATCH, WATCH_ADVANCE, WATCH_BYTES = range(8)
OUTSIDE = (
    8  # from here on two words for each outside buffer: where it is, and by how many bytes it moves a step
)

FINISHED, DIVERGED, COMPLAINT = 0, 1, 2  # the status; from COMPLAINT on, the number of a complaint


@dataclass(frozen=True)
class Call:
    """One kernel's call: its function, and the buffers that its pointers go to."""

    kernel: Kernel
    function: str
    buffers: tuple[int, ...]


@dataclass(frozen=True)
class Modules:
    """A program in LLVM IR.

    Attributes:
        kernels: the text of a module for each kernel function, by the function's name. The name is a hash of
            the text, so that programs share what they have in common.
        run: the text of the module with `run`.
        calls: which function each kernel calls.
    """

    kernels: Mapping[str, str]
    run: str
    calls: tuple[Call, ...]


def lower(layout: Layout) -> Modules:
    """The program as LLVM IR. Kernels that differ only in their buffers share one function."""
    kernels: dict[str, str] = {}
    calls: list[Call] = []
    for kernel in layout.schedule.kernels:
        function = lower_kernel(layout.schedule, kernel)
        if function.arguments:
            result = "i1" if isinstance(kernel, CheckKernel) else "void"
            name, text = named(function, result)
            kernels[name] = text
            calls.append(Call(kernel, name, tuple(function.arguments)))
    return Modules(kernels, _Run(layout, calls).text(), tuple(calls))


def named(function: Function, result: str) -> tuple[str, str]:
    """A function's name and its module's text; equal functions have equal names."""
    body, shared = function.text("NAME", result), definitions(function.needs)
    digest = blake2b("\n".join([*shared, body]).encode(), digest_size=12).hexdigest()
    name = f"kernel_{digest}"
    return name, "\n\n".join([*shared, body.replace(" NAME(", f" @{name}(", 1)]) + "\n"


def lower_kernel(schedule: Schedule, kernel: Kernel) -> Function:
    """The function of one kernel."""
    match kernel:
        case LoopKernel():
            return lower_loop(schedule, kernel)
        case DotKernel():
            return lower_dot(schedule, kernel)
        case ArgMaxKernel():
            return lower_argmax(schedule, kernel)
        case ScatterKernel():
            return lower_scatter(schedule, kernel)
        case RandomKernel():
            return lower_random(schedule, kernel)
        case CheckKernel():
            return lower_check(schedule, kernel)


class _Run:
    """The function `run`: all kernels, commits and the watch, step after step."""

    def __init__(self, layout: Layout, calls: list[Call]) -> None:
        self.layout, self.calls = layout, calls
        self.f = Function()
        self.pointers: dict[int, str] = {}

    def text(self) -> str:
        f = self.f
        state, arena = self._word(STATE, "ptr"), self._word(ARENA, "ptr")
        self.rooms = {"state": state, "arena": arena}
        steps = self._word(STEPS, "i64")
        loop = f.begin_loop("0", steps)
        self._load_outside()
        for call in self.calls:
            self._call(call)
        self._commit()
        self._count()
        self._watch()
        self._advance()
        f.end_loop(loop)
        f.line("ret void")
        kinds = {c.function: "i1" if isinstance(c.kernel, CheckKernel) else "void" for c in self.calls}
        counts = {c.function: len(c.buffers) for c in self.calls}
        declared = [f"declare {kinds[n]} @{n}({', '.join(['ptr'] * counts[n])})" for n in kinds]
        body = "\n".join(
            [
                *declared,
                "",
                "define void @run(ptr noalias %block) nounwind {",
                "entry:",
                *f.entry,
                *f.lines,
                "}",
            ]
        )
        return "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)\n\n" + body

    def _slot(self, word: int) -> str:
        return self.f.put(f"getelementptr inbounds i64, ptr %block, i64 {word}")

    def _word(self, word: int, kind: str) -> str:
        return self.f.put(f"load {kind}, ptr {self._slot(word)}")

    def _load_outside(self) -> None:
        for position, buffer in enumerate(self.layout.outside):
            self.pointers[buffer] = self._word(OUTSIDE + 2 * position, "ptr")

    def _pointer(self, buffer: int) -> str:
        place = self.layout.places[buffer]
        if place.room == "outside":
            return self.pointers[buffer]
        return self.f.put(f"getelementptr inbounds i8, ptr {self.rooms[place.room]}, i64 {place.at}")

    def _call(self, call: Call) -> None:
        given = ", ".join(f"ptr {self._pointer(buffer)}" for buffer in call.buffers)
        if not isinstance(call.kernel, CheckKernel):
            self.f.line(f"call void @{call.function}({given})")
            return
        bad = self.f.put(f"call i1 @{call.function}({given})")
        self._leave_if(bad, COMPLAINT + call.kernel.why)

    def _leave_if(self, condition: str, status: int) -> None:
        leave, stay = self.f.label(), self.f.label()
        self.f.line(f"br i1 {condition}, label %{leave}, label %{stay}")
        self.f.lines.append(f"{leave}:")
        self.f.line(f"store i64 {status}, ptr {self._slot(STATUS)}")
        self.f.line("ret void")
        self.f.lines.append(f"{stay}:")

    def _commit(self) -> None:
        for source, into in self.layout.schedule.commits:
            op = self.layout.schedule.op(source)
            to, start = self._pointer(into), self._pointer(source)
            n = op.size * op.dtype.itemsize
            self.f.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {start}, i64 {n}, i1 false)")

    def _count(self) -> None:
        done = self.f.put(f"add i64 {self._word(DONE, 'i64')}, 1")
        self.f.line(f"store i64 {done}, ptr {self._slot(DONE)}")

    def _watch(self) -> None:
        """Leave after a step whose watched number has an exponent of ones: it is infinite or NaN."""
        f = self.f
        pointer = self._word(WATCH, "ptr")
        watched, short, long, join = f.label(), f.label(), f.label(), f.label()
        absent = f.put(f"icmp eq ptr {pointer}, null")
        found = f.alloca("i1")
        f.line(f"store i1 false, ptr {found}")
        f.line(f"br i1 {absent}, label %{join}, label %{watched}")
        f.lines.append(f"{watched}:")
        is_short = f.put(f"icmp eq i64 {self._word(WATCH_BYTES, 'i64')}, 4")
        f.line(f"br i1 {is_short}, label %{short}, label %{long}")
        for label, kind, ones in ((short, "i32", 0x7F800000), (long, "i64", 0x7FF0000000000000)):
            f.lines.append(f"{label}:")
            exponent = f.put(f"and {kind} {f.put(f'load {kind}, ptr {pointer}')}, {ones}")
            f.line(f"store i1 {f.put(f'icmp eq {kind} {exponent}, {ones}')}, ptr {found}")
            f.line(f"br label %{join}")
        f.lines.append(f"{join}:")
        self._leave_if(f.put(f"load i1, ptr {found}"), DIVERGED)
        self._move(WATCH, WATCH_ADVANCE, pointer)

    def _move(self, word: int, advance: int, pointer: str) -> None:
        moved = self.f.put(f"getelementptr i8, ptr {pointer}, i64 {self._word(advance, 'i64')}")
        self.f.line(f"store ptr {moved}, ptr {self._slot(word)}")

    def _advance(self) -> None:
        for position, buffer in enumerate(self.layout.outside):
            word = OUTSIDE + 2 * position
            self._move(word, word + 1, self.pointers[buffer])
