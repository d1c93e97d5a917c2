"""Writing LLVM IR as text: names, lines, types, literals."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spusk.compile.views import View
from spusk.graph.dtypes import DType

FLOAT_TYPES = {"float32": "float", "float64": "double"}


def value_type(dtype: DType) -> str:
    """The LLVM type of a value in a register."""
    return FLOAT_TYPES.get(dtype.name) or ("i1" if dtype.kind == "b" else f"i{8 * dtype.itemsize}")


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
        needs: names of shared functions and intrinsics that the text calls.
    """

    lines: list[str] = field(default_factory=list[str])
    arguments: dict[int, str] = field(default_factory=dict[int, str])
    needs: set[str] = field(default_factory=set[str])
    metadata: list[str] = field(default_factory=list[str])
    entry: list[str] = field(default_factory=list[str])
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

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
        loaded = self.put(f"load {memory_type(dtype)}, ptr {pointer}, align {dtype.itemsize}")
        return self.put(f"icmp ne i8 {loaded}, 0") if dtype.kind == "b" else loaded

    def store(self, value: str, pointer: str, dtype: DType) -> None:
        if dtype.kind == "b":
            value = self.put(f"zext i1 {value} to i8")
        self.line(f"store {memory_type(dtype)} {value}, ptr {pointer}, align {dtype.itemsize}")

    # --- loops ------------------------------------------------------------------------------------

    def begin_loop(self, start: str, stop: str) -> Loop:
        """Open a counted loop that runs at least once; `end_loop` closes it."""
        before, head, index = self.label(), self.label(), self.name()
        after = self.name()
        self.line(f"br label %{before}")
        self.lines.append(f"{before}:")
        self.line(f"br label %{head}")
        self.lines.append(f"{head}:")
        latch = self.label()
        self.line(f"{index} = phi i64 [ {start}, %{before} ], [ {after}, %{latch} ]")
        return Loop(head, latch, index, after, stop)

    def end_loop(self, loop: Loop) -> None:
        done, exit_ = self.name(), self.label()
        self.line(f"br label %{loop.latch}")
        self.lines.append(f"{loop.latch}:")
        self.line(f"{loop.after} = add nuw nsw i64 {loop.index}, 1")
        self.line(f"{done} = icmp eq i64 {loop.after}, {loop.stop}")
        self.line(f"br i1 {done}, label %{exit_}, label %{loop.head}")
        self.lines.append(f"{exit_}:")

    # --- the whole --------------------------------------------------------------------------------

    def text(self, name: str, result: str = "void") -> str:
        """The function under a name."""
        given = ", ".join(f"ptr noalias {a}" for a in self.arguments.values())
        head = f"define {result} {name}({given}) nounwind {{"
        return "\n".join([head, "entry:", *self.entry, *self.lines, "}"])


@dataclass(frozen=True)
class Loop:
    """A loop whose body is being written."""

    head: str
    latch: str
    index: str
    after: str
    stop: str
