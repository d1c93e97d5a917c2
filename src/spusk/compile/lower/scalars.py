"""The elementwise primitives on values in registers, one function each, found by the primitive's name.

They work on single values or on several side by side, as the function that is being written says.
"""

from __future__ import annotations

from collections.abc import Callable

from spusk.compile.flow import Op
from spusk.compile.lower.text import Function, value_type
from spusk.graph.dtypes import BOOL, DType

Lowering = Callable[[Function, Op, list[str], list[DType]], str]


def lower_scalar(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    """Write one elementwise operation; returns the name of its result."""
    return LOWERINGS[op.name](f, op, values, dtypes)


def _arithmetic(of_float: str, of_int: str, of_bool: str = "") -> Lowering:
    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        x, y = values
        kind = dtypes[0].kind
        name = of_float if kind == "f" else of_bool if kind == "b" else of_int
        return f.put(f"{name} {f.kind(dtypes[0])} {x}, {y}")

    return lower


def _comparison(of_float: str, of_signed: str, of_unsigned: str) -> Lowering:
    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        x, y = values
        kind = dtypes[0].kind
        name = f"fcmp {of_float}" if kind == "f" else f"icmp {of_signed if kind == 'i' else of_unsigned}"
        return f.put(f"{name} {f.kind(dtypes[0])} {x}, {y}")

    return lower


def _function(name: str) -> Lowering:
    """A function of vectormath."""

    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        return shared(f, name, dtypes[0], values)

    return lower


def shared(f: Function, name: str, dtype: DType, values: list[str]) -> str:
    """A call of a function that `runtime` defines for this dtype and number of lanes."""
    many = f".{f.lanes}" if f.lanes > 1 else ""
    return f.call(f"@spusk.{name}.{dtype.name}{many}", f.kind(dtype), *values)


def _intrinsic(f: Function, name: str, dtype: DType, *values: str) -> str:
    return f.call(f"@llvm.{name}.{f.suffix(dtype)}", f.kind(dtype), *values)


def _larger(name: str) -> Lowering:
    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        return extremum(f, name, dtypes[0], *values)

    return lower


def extremum(f: Function, name: str, dtype: DType, x: str, y: str) -> str:
    """The "max" or "min" of two values; NaN if either is."""
    if dtype.kind == "b":
        return f.put(f"{'or' if name == 'max' else 'and'} {f.kind(dtype)} {x}, {y}")
    if dtype.kind == "f":
        return _intrinsic(f, f"{name}imum", dtype, x, y)
    return _intrinsic(f, f"{'s' if dtype.kind == 'i' else 'u'}{name}", dtype, x, y)


def _floor_divide(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    """Floor division of whole numbers; what the processor would stop at, by 0 and by −1, is done apart."""
    (x, y), dtype = values, dtypes[0]
    kind, truth, zero, one = f.kind(dtype), f.kind(BOOL), f.number(0, dtype), f.number(1, dtype)
    by_zero = f.put(f"icmp eq {kind} {y}, {zero}")
    if dtype.kind == "u":
        safe = f.put(f"select {truth} {by_zero}, {kind} {one}, {kind} {y}")
        found = f.put(f"udiv {kind} {x}, {safe}")
    else:
        by_minus = f.put(f"icmp eq {kind} {y}, {f.number(-1, dtype)}")
        apart = f.put(f"or {truth} {by_zero}, {by_minus}")
        safe = f.put(f"select {truth} {apart}, {kind} {one}, {kind} {y}")
        towards_zero = f.put(f"sdiv {kind} {x}, {safe}")
        rest = f.put(f"sub {kind} {x}, {f.put(f'mul {kind} {towards_zero}, {safe}')}")
        is_cut = f.put(f"icmp ne {kind} {rest}, {zero}")
        differs = f.put(f"icmp slt {kind} {f.put(f'xor {kind} {rest}, {safe}')}, {zero}")
        below = f.put(f"zext {truth} {f.put(f'and {truth} {is_cut}, {differs}')} to {kind}")
        floored = f.put(f"sub {kind} {towards_zero}, {below}")
        opposite = f.put(f"sub {kind} {zero}, {x}")
        found = f.put(f"select {truth} {by_minus}, {kind} {opposite}, {kind} {floored}")
    return f.put(f"select {truth} {by_zero}, {kind} {zero}, {kind} {found}")


def _pow(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    dtype, kind = dtypes[0], value_type(dtypes[0])
    if dtype.kind == "f":
        return shared(f, "pow", dtype, values)
    pairs = zip(*[f.taken(value, kind) for value in values], strict=True)
    with f.working_on(1):
        powers = [shared(f, "pow", dtype, list(pair)) for pair in pairs]
    return f.joined(powers, kind)


def _neg(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    (x,), kind = values, f.kind(dtypes[0])
    return f.put(f"fneg {kind} {x}" if dtypes[0].kind == "f" else f"sub {kind} {f.number(0, dtypes[0])}, {x}")


def _abs(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    (x,), (dtype,) = values, dtypes
    if dtype.kind == "f":
        return _intrinsic(f, "fabs", dtype, x)
    if dtype.kind != "i":
        return x
    kind, zero = f.kind(dtype), f.number(0, dtype)
    negative = f.put(f"icmp slt {kind} {x}, {zero}")
    return f.put(f"select {f.kind(BOOL)} {negative}, {kind} {f.put(f'sub {kind} {zero}, {x}')}, {kind} {x}")


def _sign(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    """−1, 0 or 1, and NaN of NaN: what is neither above nor below 0 is itself, but never −0."""
    (x,), (dtype,) = values, dtypes
    kind, zero, one, truth = f.kind(dtype), f.number(0, dtype), f.number(1, dtype), f.kind(BOOL)
    if dtype.kind == "f":
        above, below = f.put(f"fcmp ogt {kind} {x}, {zero}"), f.put(f"fcmp olt {kind} {x}, {zero}")
        neither = f.put(f"fadd {kind} {x}, {zero}")
    else:
        above = f.put(f"icmp {'sgt' if dtype.kind == 'i' else 'ugt'} {kind} {x}, {zero}")
        below = f.put(f"icmp slt {kind} {x}, {zero}") if dtype.kind == "i" else f.number(False, BOOL)
        neither = zero
    minus = f.number(-1, dtype) if dtype.kind != "u" else zero
    rest = f.put(f"select {truth} {below}, {kind} {minus}, {kind} {neither}")
    return f.put(f"select {truth} {above}, {kind} {one}, {kind} {rest}")


def _unary_intrinsic(name: str) -> Lowering:
    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        return _intrinsic(f, name, dtypes[0], values[0])

    return lower


def _logic(name: str) -> Lowering:
    def lower(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
        return f.put(f"{name} {f.kind(BOOL)} {values[0]}, {values[1]}")

    return lower


def _not(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    return f.put(f"xor {f.kind(BOOL)} {values[0]}, {f.number(True, BOOL)}")


def _where(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    condition, x, y = values
    kind = f.kind(op.dtype)
    return f.put(f"select {f.kind(BOOL)} {condition}, {kind} {x}, {kind} {y}")


def _same(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    return values[0]


def _cast(f: Function, op: Op, values: list[str], dtypes: list[DType]) -> str:
    return convert(f, values[0], dtypes[0], op.dtype)


def convert(f: Function, x: str, old: DType, new: DType) -> str:
    """A value in another dtype; floats become whole numbers by truncation, saturating at the ends."""
    source, target = f.kind(old), f.kind(new)
    if old == new:
        return x
    if new == BOOL:
        zero = f.number(0, old)
        return f.put(f"fcmp une {source} {x}, {zero}" if old.kind == "f" else f"icmp ne {source} {x}, {zero}")
    if old.kind == "f" and new.kind == "f":
        return f.put(f"{'fpext' if new.itemsize > old.itemsize else 'fptrunc'} {source} {x} to {target}")
    if old.kind == "f":
        return _to_whole(f, x, old, new)
    if new.kind == "f":
        return f.put(f"{'sitofp' if old.kind == 'i' else 'uitofp'} {source} {x} to {target}")
    if old.itemsize > new.itemsize:
        return f.put(f"trunc {source} {x} to {target}")
    if old.itemsize == new.itemsize and old != BOOL:
        return x
    return f.put(f"{'sext' if old.kind == 'i' else 'zext'} {source} {x} to {target}")


def _to_whole(f: Function, x: str, old: DType, new: DType) -> str:
    source, target = f.kind(old), f.kind(new)
    name = f"@llvm.fpto{'s' if new.kind == 'i' else 'u'}i.sat.{f.suffix(new)}.{f.suffix(old)}"
    f.needs.add(f"declare {target} {name}({source})")
    return f.put(f"call {target} {name}({source} {x})")


LOWERINGS: dict[str, Lowering] = {
    "add": _arithmetic("fadd", "add", "or"),
    "sub": _arithmetic("fsub", "sub"),
    "mul": _arithmetic("fmul", "mul", "and"),
    "div": _arithmetic("fdiv", ""),
    "floor_divide": _floor_divide,
    "pow": _pow,
    "neg": _neg,
    "abs": _abs,
    "sign": _sign,
    "maximum": _larger("max"),
    "minimum": _larger("min"),
    "floor": _unary_intrinsic("floor"),
    "sqrt": _unary_intrinsic("sqrt"),
    "exp": _function("exp"),
    "expm1": _function("expm1"),
    "log": _function("log"),
    "log1p": _function("log1p"),
    "sin": _function("sin"),
    "cos": _function("cos"),
    "tanh": _function("tanh"),
    "sigmoid": _function("sigmoid"),
    "erf": _function("erf"),
    "less": _comparison("olt", "slt", "ult"),
    "less_equal": _comparison("ole", "sle", "ule"),
    "equal": _comparison("oeq", "eq", "eq"),
    "not_equal": _comparison("une", "ne", "ne"),
    "logical_and": _logic("and"),
    "logical_or": _logic("or"),
    "logical_not": _not,
    "where": _where,
    "cast": _cast,
    "stop_gradient": _same,
    "take": _same,
}
