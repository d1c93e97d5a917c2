"""Writing LLVM IR as text: names, lines, types, literals."""

from __future__ import annotations

import struct
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np

from spusk.compile.views import View
from spusk.graph.dtypes import DType

FLOAT_TYPES = {"float32": "float", "float64": "double"}


@cache
def value_type(dtype: DType) -> str:
    """The LLVM type of a value in a register."""
    return FLOAT_TYPES.get(dtype.name) or ("i1" if dtype.kind == "b" else f"i{8 * dtype.itemsize}")


def wide(kind: str, lanes: int) -> str:
    """The type of so many values side by side."""
    return kind if lanes == 1 else f"<{lanes} x {kind}>"


@cache
def memory_type(dtype: DType) -> str:
    """The LLVM type of an element in memory: truth values take a byte."""
    return "i8" if dtype.kind == "b" else value_type(dtype)


def literal(value: bool | int | float, dtype: DType) -> str:
    """A number as LLVM writes it; floats as the bits of a double, which float32 values fit exactly."""
    if dtype.kind == "f":
        with np.errstate(all="ignore"):
            exact = float(dtype.type(value))
        if exact != exact:
            return "0x7FF8000000000000"
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    if dtype.kind == "b":
        return "true" if value else "false"
    return str(int(value))


@dataclass
class Function:
    """The text of one function in the making.

    Attributes:
        arguments: a pointer argument for each buffer, in order of first use.
        lanes: how many values side by side the instructions work on that are written now.
        needs: names of shared functions and intrinsics that the text calls, and lines that the module needs.
        split: whether the function does only the part from %low to %high of its outermost loop, which it is
            given as further arguments.
        gemm: the BLAS function that it is given a pointer to, or "".
        private: texts of functions that only this one calls.
    """

    lines: list[str] = field(default_factory=list[str])
    arguments: dict[int, str] = field(default_factory=dict[int, str])
    needs: set[str] = field(default_factory=set[str])
    entry: list[str] = field(default_factory=list[str])
    private: list[str] = field(default_factory=list[str])
    lanes: int = 1
    split: bool = False
    gemm: Literal["", "sgemm", "dgemm"] = ""
    count: int = 0
    mark: str = "v"  # what names begin with

    def name(self) -> str:
        self.count += 1
        return f"%{self.mark}{self.count}"

    def label(self) -> str:
        self.count += 1
        return f"L{self.count}"

    def line(self, text: str) -> None:
        self.lines.append("  " + text)

    def put(self, text: str) -> str:
        """A line that computes something; returns its name."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def call(self, function: str, kind: str, *values: str) -> str:
        """A call of a shared function whose arguments and result are of one type."""
        self.needs.add(function)
        given = ", ".join(f"{kind} {v}" for v in values)
        return self.put(f"call {kind} {function}({given})")

    # --- values side by side ----------------------------------------------------------------------

    def kind(self, dtype: DType) -> str:
        """The type of as many values as are worked on now."""
        return wide(value_type(dtype), self.lanes)

    def number(self, value: bool | int | float, dtype: DType) -> str:
        """The same number in every lane."""
        text = literal(value, dtype)
        return text if self.lanes == 1 else f"splat ({value_type(dtype)} {text})"

    def suffix(self, dtype: DType) -> str:
        """How the names of intrinsics on such values end."""
        kind = value_type(dtype)
        short = {"float": "f32", "double": "f64"}.get(kind, kind)
        return short if self.lanes == 1 else f"v{self.lanes}{short}"

    @contextmanager
    def working_on(self, lanes: int) -> Generator[None]:
        """Write instructions on so many values side by side."""
        before, self.lanes = self.lanes, lanes
        yield
        self.lanes = before

    def splat(self, value: str, kind: str) -> str:
        """One value in every lane."""
        if self.lanes == 1:
            return value
        many = wide(kind, self.lanes)
        first = self.put(f"insertelement {many} poison, {kind} {value}, i64 0")
        return self.put(
            f"shufflevector {many} {first}, {many} poison, {wide('i32', self.lanes)} zeroinitializer"
        )

    def joined(self, values: Sequence[str], kind: str) -> str:
        """Single values side by side."""
        if self.lanes == 1:
            return values[0]
        many, result = wide(kind, self.lanes), "poison"
        for i, value in enumerate(values):
            result = self.put(f"insertelement {many} {result}, {kind} {value}, i64 {i}")
        return result

    def taken(self, values: str, kind: str) -> list[str]:
        """The values of all lanes, one by one."""
        if self.lanes == 1:
            return [values]
        many = wide(kind, self.lanes)
        return [self.put(f"extractelement {many} {values}, i64 {i}") for i in range(self.lanes)]

    def alloca(self, kind: str) -> str:
        """Room for a variable that the optimiser turns into a register."""
        name = self.name()
        self.entry.append(f"  {name} = alloca {kind}")
        return name

    # --- addresses --------------------------------------------------------------------------------

    def pointer(self, buffer: int) -> str:
        """The argument that points to a buffer."""
        return self.arguments.setdefault(buffer, f"%b{len(self.arguments)}")

    def address(self, view: View, indices: Sequence[str], more: str | None = None) -> str:
        """Which element of its buffer a view has at the given indices, as an i64."""
        total = str(view.offset) if view.offset else None
        for index, stride, n in zip(indices, view.strides, view.shape, strict=True):
            if stride and n > 1:
                term = index if stride == 1 else self.put(f"mul nsw i64 {index}, {stride}")
                total = term if total is None else self.put(f"add nsw i64 {total}, {term}")
        if more is not None:
            total = more if total is None else self.put(f"add nsw i64 {total}, {more}")
        return total or "0"

    def element(self, buffer: int, address: str, dtype: DType) -> str:
        """A pointer to an element of a buffer."""
        kind = memory_type(dtype)
        return self.put(f"getelementptr inbounds {kind}, ptr {self.pointer(buffer)}, i64 {address}")

    def load(self, pointer: str, dtype: DType) -> str:
        """The elements from a pointer on, one for each lane."""
        kind = wide(memory_type(dtype), self.lanes)
        loaded = self.put(f"load {kind}, ptr {pointer}, align {dtype.itemsize}")
        return self.put(f"icmp ne {kind} {loaded}, zeroinitializer") if dtype.kind == "b" else loaded

    def store(self, value: str, pointer: str, dtype: DType) -> None:
        """Put the lanes' values into the elements from a pointer on."""
        kind = wide(memory_type(dtype), self.lanes)
        if dtype.kind == "b":
            value = self.put(f"zext {self.kind(dtype)} {value} to {kind}")
        self.line(f"store {kind} {value}, ptr {pointer}, align {dtype.itemsize}")

    # --- loops ------------------------------------------------------------------------------------

    def outer_loop(self, n: int) -> Loop:
        """Open the outermost loop over n: all of it, or this function's part."""
        return self.begin_loop("%low", "%high") if self.split else self.begin_loop("0", str(n))

    def begin_loop(self, start: str, stop: str, step: int = 1) -> Loop:
        """Open a loop that runs at least once and counts to exactly `stop`; `end_loop` closes it."""
        before, head, index = self.label(), self.label(), self.name()
        after, latch = self.name(), self.label()
        self.line(f"br label %{before}")
        self.lines.append(f"{before}:")
        self.line(f"br label %{head}")
        self.lines.append(f"{head}:")
        self.line(f"{index} = phi i64 [ {start}, %{before} ], [ {after}, %{latch} ]")
        return Loop(head, latch, index, after, stop, step)

    def end_loop(self, loop: Loop) -> None:
        done, exit_ = self.name(), self.label()
        self.line(f"br label %{loop.latch}")
        self.lines.append(f"{loop.latch}:")
        self.line(f"{loop.after} = add nuw nsw i64 {loop.index}, {loop.step}")
        self.line(f"{done} = icmp eq i64 {loop.after}, {loop.stop}")
        self.line(f"br i1 {done}, label %{exit_}, label %{loop.head}")
        self.lines.append(f"{exit_}:")

    def begin_if(self, condition: str) -> str:
        """Open what is done only if a condition holds; returns what `end_if` takes."""
        do, done = self.label(), self.label()
        self.line(f"br i1 {condition}, label %{do}, label %{done}")
        self.lines.append(f"{do}:")
        return done

    def end_if(self, done: str) -> None:
        self.line(f"br label %{done}")
        self.lines.append(f"{done}:")

    # --- the whole --------------------------------------------------------------------------------

    @property
    def parameters(self) -> list[str]:
        """The types and names of all arguments."""
        given = [f"ptr noalias {a}" for a in self.arguments.values()]
        return given + ["i64 %low", "i64 %high"] * self.split + ["ptr %gemm"] * bool(self.gemm)

    def text(self, name: str, result: str = "void") -> str:
        """The function under a name."""
        head = f"define {result} {name}({', '.join(self.parameters)}) nounwind {{"
        return "\n".join([*self.private, head, "entry:", *self.entry, *self.lines, "}"])


@dataclass(frozen=True)
class Loop:
    """A loop whose body is being written."""

    head: str
    latch: str
    index: str
    after: str
    stop: str
    step: int
