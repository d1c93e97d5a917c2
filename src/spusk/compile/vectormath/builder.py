"""LLVM instructions written as Python expressions.

Operators on `Value`s append lines to the body of one function, so a formula reads as in the literature:
`1 + r * q` emits an fmul and an fadd. Nothing here branches; a choice is `where`.

Instructions carry no fast-math flags, and comparisons are ordered: false if a side is NaN.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Format:
    """A binary interchange format of IEEE 754-2019, §3.4.

    Attributes:
        dtype: NumPy's name.
        type: LLVM's name.
        integer: LLVM's integer type of the same size.
        bits: the size.
        precision: bits of the significand, the hidden one included.
        bias: what is added to an exponent to store it; also the greatest exponent.
        suffix: how names of LLVM's intrinsics end.
    """

    dtype: str
    type: str
    integer: str
    bits: int
    precision: int
    bias: int
    suffix: str

    @property
    def fraction(self) -> int:
        """How many bits of the significand are stored: those below the exponent."""
        return self.precision - 1

    def pattern(self, number: float) -> int:
        """The bits of a number, as an integer."""
        code = "<f" if self.bits == 32 else "<d"
        return int.from_bytes(struct.pack(code, number), "little")

    def rounded(self, number: float) -> float:
        """The nearest number of the format."""
        code = "<f" if self.bits == 32 else "<d"
        return float(struct.unpack(code, struct.pack(code, number))[0])


BINARY32: Final = Format("float32", "float", "i32", 32, 24, 127, "f32")
BINARY64: Final = Format("float64", "double", "i64", 64, 53, 1023, "f64")
FORMATS: Final = {f.dtype: f for f in (BINARY32, BINARY64)}
_BY_TYPE: Final = {f.type: f for f in (BINARY32, BINARY64)}


@dataclass
class Body:
    """The instructions of one function, so far.

    Attributes:
        fma: whether the processor multiplies and adds with one rounding.
        lanes: on how many numbers side by side each instruction works.
        lines: the instructions.
        declared: a declaration for each intrinsic that they call.
    """

    fma: bool
    lanes: int = 1
    lines: list[str] = field(default_factory=list[str])
    declared: set[str] = field(default_factory=set[str])

    def emit(self, type_: str, instruction: str) -> Value:
        """Appends an instruction whose result has the given type."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"{name} = {instruction}")
        return Value(self, type_, name)

    def call(self, intrinsic: str, *arguments: Value) -> Value:
        """Calls an intrinsic whose arguments and result all have one floating-point type."""
        type_ = arguments[0].type
        kind = self.wide(type_)
        many = f"v{self.lanes}" if self.lanes > 1 else ""
        name = f"@llvm.{intrinsic}.{many}{arguments[0].format.suffix}"
        self.declared.add(f"declare {kind} {name}({', '.join([kind] * len(arguments))})")
        return self.emit(type_, f"call {kind} {name}({', '.join(f'{kind} {a.text}' for a in arguments)})")

    def wide(self, type_: str) -> str:
        """The type of a number in each lane."""
        return type_ if self.lanes == 1 else f"<{self.lanes} x {type_}>"


@dataclass(frozen=True)
class Value:
    """A number, an integer or a condition (i1) that is known when the function runs."""

    body: Body
    type: str
    text: str

    @property
    def format(self) -> Format:
        """The format of a floating-point value."""
        return _BY_TYPE[self.type]

    @property
    def is_float(self) -> bool:
        return self.type in _BY_TYPE

    def constant(self, number: float) -> Value:
        """A number of this value's type; a float is rounded to it."""
        # LLVM reads integers as signed or unsigned, whichever fits; its hexadecimal notation of floats is a
        # double's for every type, and the only exact one.
        exact = (
            f"0x{BINARY64.pattern(self.format.rounded(number)):016X}" if self.is_float else str(int(number))
        )
        return Value(self.body, self.type, exact if self.body.lanes == 1 else f"splat ({self.type} {exact})")

    @property
    def kind(self) -> str:
        """The type of a number in each lane."""
        return self.body.wide(self.type)

    # --- arithmetic -----------------------------------------------------------------------------------

    def __add__(self, other: Number) -> Value:
        return self._binary("fadd", "add", other)

    def __radd__(self, other: float) -> Value:
        return self.constant(other) + self

    def __sub__(self, other: Number) -> Value:
        return self._binary("fsub", "sub", other)

    def __rsub__(self, other: float) -> Value:
        return self.constant(other) - self

    def __mul__(self, other: Number) -> Value:
        return self._binary("fmul", "mul", other)

    def __rmul__(self, other: float) -> Value:
        return self.constant(other) * self

    def __truediv__(self, other: Number) -> Value:
        return self._binary("fdiv", "", other)

    def __rtruediv__(self, other: float) -> Value:
        return self.constant(other) / self

    def __neg__(self) -> Value:
        return self.body.emit(self.type, f"fneg {self.kind} {self.text}")

    # --- bits -----------------------------------------------------------------------------------------

    def __and__(self, other: Number) -> Value:
        return self._binary("", "and", other)

    def __or__(self, other: Number) -> Value:
        return self._binary("", "or", other)

    def __xor__(self, other: Number) -> Value:
        return self._binary("", "xor", other)

    def __lshift__(self, other: Number) -> Value:
        return self._binary("", "shl", other)

    def __rshift__(self, other: Number) -> Value:
        """Zeros move in: AVX2 has no arithmetic shift of 64 bits."""
        return self._binary("", "lshr", other)

    # --- comparisons ----------------------------------------------------------------------------------

    def __lt__(self, other: Number) -> Value:
        return self._compare("olt", "ult", other)

    def __le__(self, other: Number) -> Value:
        return self._compare("ole", "ule", other)

    def __gt__(self, other: Number) -> Value:
        return self._compare("ogt", "ugt", other)

    def __ge__(self, other: Number) -> Value:
        return self._compare("oge", "uge", other)

    def equals(self, other: Number) -> Value:
        return self._compare("oeq", "eq", other)

    def has_bit(self, bit: int) -> Value:
        """Whether an integer's bit is 1; bit 0 is the lowest."""
        return (self & (1 << bit))._compare("", "ne", 0)

    # --- conversions ----------------------------------------------------------------------------------

    def as_bits(self) -> Value:
        """The bits of a number."""
        return self._convert("bitcast", self.format.integer)

    def as_float(self) -> Value:
        """The number that has these bits."""
        return self._convert("bitcast", {"i32": "float", "i64": "double"}[self.type])

    def extended(self) -> Value:
        """An i32 as i64, with zeros above."""
        return self._convert("zext", "i64")

    def truncated(self) -> Value:
        """A float64 rounded to float32; the lower half of an i64."""
        return self._convert("fptrunc", "float") if self.is_float else self._convert("trunc", "i32")

    def _convert(self, instruction: str, type_: str) -> Value:
        return self.body.emit(type_, f"{instruction} {self.kind} {self.text} to {self.body.wide(type_)}")

    def _binary(self, of_floats: str, of_integers: str, other: Number) -> Value:
        instruction = of_floats if self.is_float else of_integers
        return self.body.emit(self.type, f"{instruction} {self.kind} {self.text}, {self._text(other)}")

    def _compare(self, of_floats: str, of_integers: str, other: Number) -> Value:
        test = f"fcmp {of_floats}" if self.is_float else f"icmp {of_integers}"
        return self.body.emit("i1", f"{test} {self.kind} {self.text}, {self._text(other)}")

    def _text(self, other: Number) -> str:
        return (other if isinstance(other, Value) else self.constant(other)).text


Number = Value | float


def where(condition: Value, then: Number, otherwise: Number) -> Value:
    """`then` where the condition holds, else `otherwise`; at least one of both is a `Value`."""
    like = then if isinstance(then, Value) else otherwise
    if not isinstance(like, Value):
        raise TypeError("where() needs a Value among its two choices, to know their type")
    a, b = (c if isinstance(c, Value) else like.constant(c) for c in (then, otherwise))
    choice = f"select {condition.kind} {condition.text}, {a.kind} {a.text}, {b.kind} {b.text}"
    return condition.body.emit(a.type, choice)


def absolute(x: Value) -> Value:
    """|x|."""
    return x.body.call("fabs", x)


def with_sign(magnitude: Value, sign: Value) -> Value:
    """The magnitude of the one with the sign of the other."""
    return magnitude.body.call("copysign", magnitude, sign)


def square_root(x: Value) -> Value:
    """√x, correctly rounded."""
    return x.body.call("sqrt", x)
