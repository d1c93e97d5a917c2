"""A whole program as one LLVM module: the kernels' functions, and `run`, which calls them step after step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from spusk.compile.kernels import (
    ArgMaxKernel,
    CheckKernel,
    DotKernel,
    Kernel,
    LoopKernel,
    RandomKernel,
    ScatterKernel,
    Schedule,
    writes,
)
from spusk.compile.lower.dots import lower_dot
from spusk.compile.lower.loops import lower_loop
from spusk.compile.lower.runtime import barrier, definitions
from spusk.compile.lower.special import lower_argmax, lower_check, lower_random, lower_scatter
from spusk.compile.lower.text import Function
from spusk.compile.memory import Layout

# The argument of `run` is a block of 64-bit words; from OUTSIDE on there are two words for each outside
# buffer: where it is, and by how many bytes it moves a step.
STATE, ARENA, STEPS, DONE, STATUS, WATCH, WATCH_ADVANCE, WATCH_BYTES, SGEMM, DGEMM = range(10)
THREAD, THREADS, BARRIER = range(10, 13)  # which of how many threads, and where they meet
OUTSIDE = 16

ROWS = 12  # of a product: a multiple of what its tiles take at a time

FINISHED, DIVERGED, COMPLAINT = 0, 1, 2  # the status; from COMPLAINT on, the number of a complaint


@dataclass(frozen=True)
class Call:
    """One kernel's call: its function, the buffers that its pointers go to, and what else it takes."""

    kernel: Kernel
    function: str
    buffers: tuple[int, ...]
    split: bool = False
    gemm: Literal["", "sgemm", "dgemm"] = ""

    @property
    def declaration(self) -> str:
        result = "i1" if isinstance(self.kernel, CheckKernel) else "void"
        kinds = ["ptr"] * len(self.buffers) + ["i64", "i64"] * self.split + ["ptr"] * bool(self.gemm)
        return f"declare {result} @{self.function}({', '.join(kinds)})"


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
            calls.append(Call(kernel, name, tuple(function.arguments), function.split, function.gemm))
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
    """The function `run`: all kernels, commits and the watch, step after step.

    Where kernels are split, several threads execute it at once, each with a block of its own. Every thread
    does its part of those kernels and the first one all others; they meet after each kernel.
    """

    def __init__(self, layout: Layout, calls: list[Call]) -> None:
        self.layout, self.calls = layout, calls
        self.f = Function()
        self.pointers: dict[int, str] = {}
        self.threaded = any(call.split for call in calls)

    def text(self) -> str:
        f = self.f
        self.rooms = {"state": self._word(STATE, "ptr"), "arena": self._word(ARENA, "ptr")}
        self.gemms = {"sgemm": self._word(SGEMM, "ptr"), "dgemm": self._word(DGEMM, "ptr")}
        if self.threaded:
            self.thread, self.threads = self._word(THREAD, "i64"), self._word(THREADS, "i64")
            self.barrier = self._word(BARRIER, "ptr")
            self.first = f.put(f"icmp eq i64 {self.thread}, 0")
        loop = f.begin_loop("0", self._word(STEPS, "i64"))
        self._load_outside()
        for call in self.calls:
            self._call(call)
        self._commit()
        self._count()
        self._watch()
        self._advance()
        f.end_loop(loop)
        f.line("ret void")
        declared = ["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"]
        declared += dict.fromkeys(call.declaration for call in self.calls)
        shared = barrier() if self.threaded else []
        head = "define void @run(ptr noalias %block) nounwind {"
        return "\n".join([*declared, *shared, head, "entry:", *f.entry, *f.lines, "}"]) + "\n"

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

    # --- kernels ----------------------------------------------------------------------------------

    def _call(self, call: Call) -> None:
        given = [f"ptr {self._pointer(buffer)}" for buffer in call.buffers]
        gemm = [f"ptr {self.gemms[call.gemm]}"] if call.gemm else []
        if isinstance(call.kernel, CheckKernel):  # done by every thread, so that all leave together
            bad = self.f.put(f"call i1 @{call.function}({', '.join(given)})")
            self._leave_if(bad, COMPLAINT + call.kernel.why)
        elif call.split:
            low, high = self._part(call.kernel)
            some = self.f.put(f"icmp slt i64 {low}, {high}")
            given += [f"i64 {low}", f"i64 {high}", *gemm]
            self._if(some, f"call void @{call.function}({', '.join(given)})")
            self._meet()
        else:
            self._alone(f"call void @{call.function}({', '.join([*given, *gemm])})")

    def _part(self, kernel: Kernel) -> tuple[str, str]:
        """This thread's share of the kernel's first axis, in whole cache lines where that is all there is."""
        shape = kernel.space if isinstance(kernel, LoopKernel) else writes(kernel)[0].shape
        n, line = shape[0], 16 if len(shape) == 1 else ROWS if isinstance(kernel, DotKernel) else 1
        f = self.f
        lines = -(-n // line)
        share = f.put(f"udiv i64 {f.put(f'add i64 {self.threads}, {lines - 1}')}, {self.threads}")
        step = f.put(f"mul i64 {share}, {line}")
        low = f.put(f"mul i64 {self.thread}, {step}")
        high = f.put(f"add i64 {low}, {step}")
        beyond = f.put(f"icmp ugt i64 {high}, {n}")
        return low, f.put(f"select i1 {beyond}, i64 {n}, i64 {high}")

    def _alone(self, line: str) -> None:
        """A line that only the first thread executes."""
        if self.threaded:
            self._if(self.first, line)
            self._meet()
        else:
            self.f.line(line)

    def _if(self, condition: str, line: str) -> None:
        do, done = self.f.label(), self.f.label()
        self.f.line(f"br i1 {condition}, label %{do}, label %{done}")
        self.f.lines.append(f"{do}:")
        self.f.line(line)
        self.f.line(f"br label %{done}")
        self.f.lines.append(f"{done}:")

    def _meet(self) -> None:
        self.f.line(f"call void @meet(ptr {self.barrier}, i64 {self.threads})")

    def _leave_if(self, condition: str, status: int) -> None:
        leave, stay = self.f.label(), self.f.label()
        self.f.line(f"br i1 {condition}, label %{leave}, label %{stay}")
        self.f.lines.append(f"{leave}:")
        self.f.line(f"store i64 {status}, ptr {self._slot(STATUS)}")
        self.f.line("ret void")
        self.f.lines.append(f"{stay}:")

    # --- the end of a step ------------------------------------------------------------------------

    def _commit(self) -> None:
        for source, into in self.layout.schedule.commits:
            op = self.layout.schedule.op(source)
            to, start = self._pointer(into), self._pointer(source)
            n = op.size * op.dtype.itemsize
            self._alone(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {start}, i64 {n}, i1 false)")

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
        if self.threaded:
            self._meet()  # nobody may change the watched number while another still looks at it
        self._move(WATCH, WATCH_ADVANCE, pointer)

    def _move(self, word: int, advance: int, pointer: str) -> None:
        moved = self.f.put(f"getelementptr i8, ptr {pointer}, i64 {self._word(advance, 'i64')}")
        self.f.line(f"store ptr {moved}, ptr {self._slot(word)}")

    def _advance(self) -> None:
        for position, buffer in enumerate(self.layout.outside):
            word = OUTSIDE + 2 * position
            self._move(word, word + 1, self.pointers[buffer])
