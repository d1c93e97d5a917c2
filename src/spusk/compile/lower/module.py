"""A whole program as one LLVM module: the kernels' functions, and `run`, which calls them step after step."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
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
from spusk.compile.lower.form import form
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
BLAS_ROWS = 24  # a multiple of what OpenBLAS's kernels take: its bits depend on where their rests begin

GEMMS = {"sgemm": SGEMM, "dgemm": DGEMM}
CALLS = 100  # calls in one function

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
    def result(self) -> str:
        return result_type(self.kernel)

    @property
    def declaration(self) -> str:
        kinds = ["ptr"] * len(self.buffers) + ["i64", "i64"] * self.split + ["ptr"] * bool(self.gemm)
        return f"declare {self.result} @{self.function}({', '.join(kinds)})"


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


@dataclass(frozen=True)
class Lowered:
    """The function of all kernels of one form.

    Attributes:
        name, text: the function's name and its module.
        arguments: which of the form's buffers its pointers go to.
    """

    name: str
    text: str
    arguments: tuple[int, ...]
    split: bool
    gemm: Literal["", "sgemm", "dgemm"]


def lower(layout: Layout) -> Modules:
    """The program as LLVM IR. Kernels that differ only in their buffers share one function."""
    kernels: dict[str, str] = {}
    calls: list[Call] = []
    for kernel in layout.schedule.kernels:
        key, buffers = form(layout.schedule, kernel)
        known = _known.get(key)
        if known is None:
            if len(_known) >= KNOWN:
                del _known[next(iter(_known))]  # the oldest
            known = _known[key] = _lowered(layout.schedule, kernel, buffers)
        if known.arguments or isinstance(kernel, CheckKernel):  # others touch no element of any buffer
            kernels[known.name] = known.text
            given = tuple([buffers[i] for i in known.arguments])
            calls.append(Call(kernel, known.name, given, known.split, known.gemm))
    return Modules(kernels, _Run(layout, calls).text(), tuple(calls))


KNOWN = 256  # forms of kernels whose functions are kept, here and in other programs
_known: dict[Hashable, Lowered] = {}


def _lowered(schedule: Schedule, kernel: Kernel, buffers: tuple[int, ...]) -> Lowered:
    function = lower_kernel(schedule, kernel)
    name, text = named(function, result_type(kernel))
    arguments = tuple([buffers.index(buffer) for buffer in function.arguments])
    return Lowered(name, text, arguments, function.split, function.gemm)


def named(function: Function, result: str) -> tuple[str, str]:
    """A function's name and its module's text; equal functions have equal names."""
    body, shared = function.text("NAME", result), definitions(function.needs)
    digest = blake2b("\n".join([*shared, body]).encode(), digest_size=12).hexdigest()
    name = f"kernel_{digest}"
    return name, "\n\n".join([*shared, body.replace(" NAME(", f" @{name}(", 1)]) + "\n"


def result_type(kernel: Kernel) -> str:
    """What a kernel's function returns: a check, whether it has a complaint."""
    return "i1" if isinstance(kernel, CheckKernel) else "void"


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

    A step is cut into functions of at most `CALLS` calls, because LLVM takes more than twice the time for a
    function twice as long. The module is not optimised: it only calls.
    """

    def __init__(self, layout: Layout, calls: list[Call]) -> None:
        self.layout, self.calls = layout, calls
        self.threaded = any(call.split for call in calls)

    def text(self) -> str:
        pieces: list[Call | tuple[int, int]] = [*self.calls, *self.layout.schedule.commits]
        parts = [pieces[i : i + CALLS] for i in range(0, len(pieces), CALLS)]
        functions = [self._part(i, part) for i, part in enumerate(parts)]
        self._begin()
        loop = self.f.begin_loop("0", self._constant(STEPS, "i64"))
        for i in range(len(parts)):
            self._leave_if(self.f.put(f"call i1 @part_{i}(ptr %block)"))
        self._count()
        self._watch()
        self._advance()
        self.f.end_loop(loop)
        self.f.line("ret void")
        declared = ["declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"]
        declared += dict.fromkeys(call.declaration for call in self.calls)
        shared = barrier() if self.threaded else []
        return "\n".join([*declared, *shared, *functions, self._function("define void @run")]) + "\n"

    def _part(self, i: int, pieces: list[Call | tuple[int, int]]) -> str:
        """Some of a step's calls and copies as a function, which tells whether the loop must end."""
        self._begin()
        for piece in pieces:
            if isinstance(piece, Call):
                self._call(piece)
            else:
                self._copy(*piece)
        self.f.line("ret i1 false")
        return self._function(f"define internal i1 @part_{i}")

    def _begin(self) -> None:
        """A new function of the argument block."""
        self.f = Function()
        self.constants: dict[int, str] = {}

    def _function(self, head: str) -> str:
        return "\n".join([f"{head}(ptr %block) nounwind {{", "entry:", *self.f.entry, *self.f.lines, "}"])

    def _slot(self, word: int) -> str:
        return self.f.put(f"getelementptr inbounds i64, ptr %block, i64 {word}")

    def _word(self, word: int, kind: str) -> str:
        return self.f.put(f"load {kind}, ptr {self._slot(word)}")

    def _constant(self, word: int, kind: str) -> str:
        """A word that does not change while the function runs, loaded once, where it begins."""
        if word not in self.constants:
            slot, name = self.f.name(), self.f.name()
            self.f.entry.append(f"  {slot} = getelementptr inbounds i64, ptr %block, i64 {word}")
            self.f.entry.append(f"  {name} = load {kind}, ptr {slot}")
            self.constants[word] = name
        return self.constants[word]

    def _pointer(self, buffer: int) -> str:
        place = self.layout.places[buffer]
        if place.room == "outside":
            return self._constant(OUTSIDE + 2 * place.at, "ptr")
        room = self._constant(STATE if place.room == "state" else ARENA, "ptr")
        return self.f.put(f"getelementptr inbounds i8, ptr {room}, i64 {place.at}")

    # --- kernels ----------------------------------------------------------------------------------

    def _call(self, call: Call) -> None:
        given = [f"ptr {self._pointer(buffer)}" for buffer in call.buffers]
        gemm = [f"ptr {self._constant(GEMMS[call.gemm], 'ptr')}"] if call.gemm else []
        if isinstance(call.kernel, CheckKernel):  # done by every thread, so that all leave together
            bad = self.f.put(f"call i1 @{call.function}({', '.join(given)})")
            if self.threaded:
                self._meet()  # nobody may change what another still checks
            self._leave_if(bad, COMPLAINT + call.kernel.why, "ret i1 true")
        elif call.split:
            low, high = self._share(call)
            some = self.f.put(f"icmp slt i64 {low}, {high}")
            given += [f"i64 {low}", f"i64 {high}", *gemm]
            self._if(some, f"call void @{call.function}({', '.join(given)})")
            self._meet()
        else:
            self._alone(f"call void @{call.function}({', '.join([*given, *gemm])})")

    def _share(self, call: Call) -> tuple[str, str]:
        """This thread's share of the kernel's first axis, in whole cache lines where that is all there is."""
        kernel = call.kernel
        shape = kernel.space if isinstance(kernel, LoopKernel) else writes(kernel)[0].shape
        rows = BLAS_ROWS if call.gemm else ROWS if isinstance(kernel, DotKernel) else 1
        n, line = shape[0], 16 if len(shape) == 1 else rows
        f = self.f
        lines = -(-n // line)
        threads = self._constant(THREADS, "i64")
        share = f.put(f"udiv i64 {f.put(f'add i64 {threads}, {lines - 1}')}, {threads}")
        step = f.put(f"mul i64 {share}, {line}")
        low = f.put(f"mul i64 {self._constant(THREAD, 'i64')}, {step}")
        high = f.put(f"add i64 {low}, {step}")
        beyond = f.put(f"icmp ugt i64 {high}, {n}")
        return low, f.put(f"select i1 {beyond}, i64 {n}, i64 {high}")

    def _alone(self, line: str) -> None:
        """A line that only the first thread executes."""
        if self.threaded:
            first = self.f.put(f"icmp eq i64 {self._constant(THREAD, 'i64')}, 0")
            self._if(first, line)
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
        barrier, threads = self._constant(BARRIER, "ptr"), self._constant(THREADS, "i64")
        self.f.line(f"call void @meet(ptr {barrier}, i64 {threads})")

    def _leave_if(self, condition: str, status: int | None = None, how: str = "ret void") -> None:
        leave, stay = self.f.label(), self.f.label()
        self.f.line(f"br i1 {condition}, label %{leave}, label %{stay}")
        self.f.lines.append(f"{leave}:")
        if status is not None:
            self.f.line(f"store i64 {status}, ptr {self._slot(STATUS)}")
        self.f.line(how)
        self.f.lines.append(f"{stay}:")

    # --- the end of a step ------------------------------------------------------------------------

    def _copy(self, source: int, into: int) -> None:
        """A carried value that could not be computed in its place."""
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
        for position in range(len(self.layout.outside)):
            word = OUTSIDE + 2 * position
            self._move(word, word + 1, self._word(word, "ptr"))
