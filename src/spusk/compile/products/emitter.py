"""Writes the text of one LLVM function."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

Index = int | str  # a number known now, or the SSA name of an i64

# LLVM would write loops out again, up to a hundred times, and take long to compile that. The number only has
# to differ from those that the rest of the module uses.
NO_UNROLL = '!77001 = distinct !{!77001, !{!"llvm.loop.unroll.disable"}}'


@dataclass
class Loop:
    """An open loop: its index, the values carried into this turn and, set by the body, into the next."""

    index: str
    values: list[str]
    next: list[str] = field(default_factory=list[str])


@dataclass
class Emitter:
    """Lines of a function's body, and what they need declared in the module.

    Args:
        element: LLVM's name of the element type, "float" or "double".
        has_fma: whether `fma` is one instruction.
    """

    element: str
    has_fma: bool
    lines: list[str] = field(default_factory=list[str])
    declarations: set[str] = field(default_factory=set[str])
    block: str = "entry"
    _numbers: int = 0

    def number(self) -> int:
        """A number no name holds yet."""
        self._numbers += 1
        return self._numbers

    def line(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def value(self, instruction: str) -> str:
        """The SSA name of an instruction's result."""
        name = f"%v{self.number()}"
        self.line(f"{name} = {instruction}")
        return name

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        self.line(f"br label %{label}")

    # Index arithmetic: numbers fold, so that the text holds none that LLVM would have to fold.

    def plus(self, x: Index, y: Index) -> Index:
        if isinstance(x, int) and isinstance(y, int):
            return x + y
        if x == 0 or y == 0:
            return y if x == 0 else x
        return self.value(f"add nsw i64 {x}, {y}")

    def times(self, x: Index, factor: int) -> Index:
        if isinstance(x, int):
            return x * factor
        return x if factor == 1 else self.value(f"mul nsw i64 {x}, {factor}")

    def least(self, x: Index, y: int) -> Index:
        if isinstance(x, int):
            return min(x, y)
        smaller = self.value(f"icmp slt i64 {x}, {y}")
        return self.value(f"select i1 {smaller}, i64 {x}, i64 {y}")

    # Memory

    def type_of(self, lanes: int) -> str:
        return self.element if lanes == 1 else f"<{lanes} x {self.element}>"

    def address(self, pointer: str, offset: Index) -> str:
        """The pointer so many elements further."""
        if offset == 0:
            return pointer
        return self.value(f"getelementptr {self.element}, ptr {pointer}, i64 {offset}")

    def at(self, pointer: str, row: Index, column: Index, strides: tuple[int, int]) -> str:
        return self.address(pointer, self.plus(self.times(row, strides[0]), self.times(column, strides[1])))

    @property
    def _alignment(self) -> int:
        return 4 if self.element == "float" else 8

    def load(self, lanes: int, pointer: str) -> str:
        return self.value(f"load {self.type_of(lanes)}, ptr {pointer}, align {self._alignment}")

    def store(self, lanes: int, value: str, pointer: str) -> None:
        self.line(f"store {self.type_of(lanes)} {value}, ptr {pointer}, align {self._alignment}")

    # Arithmetic on vectors, where one lane is a scalar

    def zero(self, lanes: int) -> str:
        return "0.0" if lanes == 1 else "zeroinitializer"

    def splat(self, lanes: int, scalar: str) -> str:
        if lanes == 1:
            return scalar
        vector = self.type_of(lanes)
        first = self.value(f"insertelement {vector} poison, {self.element} {scalar}, i64 0")
        return self.value(f"shufflevector {vector} {first}, {vector} poison, <{lanes} x i32> zeroinitializer")

    def shuffle(self, lanes: int, x: str, y: str, order: Sequence[int]) -> str:
        places = ", ".join(f"i32 {i}" for i in order)
        vector = self.type_of(lanes)
        return self.value(f"shufflevector {vector} {x}, {vector} {y}, <{len(order)} x i32> <{places}>")

    def add(self, lanes: int, x: str, y: str) -> str:
        return self.value(f"fadd {self.type_of(lanes)} {x}, {y}")

    def multiply_add(self, lanes: int, x: str, y: str, z: str) -> str:
        """x·y + z, in one rounding where the processor has that.

        Never left to LLVM's `contract`, which may fuse in one tile and not in another: bits would differ.
        """
        kind = self.type_of(lanes)
        if not self.has_fma:
            return self.add(lanes, self.value(f"fmul {kind} {x}, {y}"), z)
        bits = 8 * self._alignment
        function = f"@llvm.fma.f{bits}" if lanes == 1 else f"@llvm.fma.v{lanes}f{bits}"
        self.declarations.add(f"declare {kind} {function}({kind}, {kind}, {kind})")
        return self.value(f"call {kind} {function}({kind} {x}, {kind} {y}, {kind} {z})")

    # Control

    @contextmanager
    def loop(
        self, start: Index, stop: Index, step: int, kind: str = "", values: Sequence[str] = ()
    ) -> Generator[Loop]:
        """A loop over start, start + step, … while a whole step fits before stop.

        `values` of LLVM's type `kind` are carried from turn to turn; after the loop, `Loop.values` are those
        of the last turn, and `Loop.index` is where the next one would have begun.
        """
        number = self.number()
        head, body, done = (f"{part}{number}" for part in ("head", "body", "done"))
        loop = Loop(f"%i{number}", [f"%c{number}.{i}" for i in range(len(values))])
        # Not `index ≤ stop − step`: LLVM counts the turns of such a loop in 128 bits, and divides them by
        # calling the compiler's runtime, which a JIT does not find.
        limit = self.plus(stop, 1 - step)
        before = self.block
        self.jump(head)
        self.start(head)
        place = len(self.lines)
        more = self.value(f"icmp slt i64 {loop.index}, {limit}")
        self.line(f"br i1 {more}, label %{body}, label %{done}")
        self.start(body)
        yield loop
        following = self.value(f"add nsw i64 {loop.index}, {step}")
        after = self.block
        self.declarations.add(NO_UNROLL)
        self.line(f"br label %{head}, !llvm.loop !77001")
        phis = [f"  {loop.index} = phi i64 [ {start}, %{before} ], [ {following}, %{after} ]"]
        phis += [
            f"  {name} = phi {kind} [ {first}, %{before} ], [ {then}, %{after} ]"
            for name, first, then in zip(loop.values, values, loop.next, strict=True)
        ]
        self.lines[place:place] = phis
        self.start(done)
