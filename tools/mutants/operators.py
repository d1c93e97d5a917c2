"""The named changes: each is a function from a node of the syntax tree to what may stand in its place.

An operator sees one node and where it stands. It never sees docstrings, annotations, messages of errors, or
what only a type checker reads.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where a node stands.

    Attributes:
        parent: the node that holds it.
        statement: the innermost statement around it, or the module.
        function: the innermost function around it, None at the level of a class or a module.
        slots: names that are both a state slot read in that function (`s.m`) and a variable of it (`m`), with
            the line from which on the variable exists.
        is_default: whether it is the default of a dataclass field.
        is_preset: whether it is in a `presets` table.
        choices: what else the annotation of this field allows, for strings.
    """

    parent: ast.AST
    statement: ast.AST
    function: ast.FunctionDef | None = None
    slots: dict[str, int] = field(default_factory=dict[str, int])
    is_default: bool = False
    is_preset: bool = False
    choices: tuple[str, ...] = ()


Operator = Callable[[ast.AST, Place], Iterator[ast.AST]]


def comparison(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The border of a comparison, > for ≥; and the other half: < for >, ≠ for =, `is not` for `is`."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in _COMPARISONS.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.Compare):  # 0 <= x < 1: one border at a time
        for i, op in enumerate(node.ops):
            other = _COMPARISONS[type(op)][0]
            yield ast.Compare(node.left, [*node.ops[:i], other(), *node.ops[i + 1 :]], node.comparators)


_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def sign(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """− for +, + for −, and a minus dropped."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and not _is_text(node):
        yield ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


def factor(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """/ for ×, × for /, and the whole quotient for a remainder."""
    if isinstance(node, ast.BinOp) and type(node.op) in _FACTORS and not _is_text(node):
        yield ast.BinOp(node.left, _FACTORS[type(node.op)](), node.right)


_FACTORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}


def scale(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """A factor that is a hyperparameter dropped: `self.gain * x` becomes x."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)):
        return
    if _is_hyperparameter(node.right):
        yield node.left
    if _is_hyperparameter(node.left) and isinstance(node.op, ast.Mult):
        yield node.right


def power(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """× for the power."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield ast.BinOp(node.left, ast.Mult(), node.right)


def epsilon(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """ε moved across the root, either way, and ε dropped."""
    if _name_of_call(node) == "sqrt":
        for rest, eps in _without_eps(node.args[0]):  # type: ignore[attr-defined]
            yield ast.BinOp(_call_like(node, rest), ast.Add(), eps)
    for rest, eps in _without_eps(node):
        yield rest
        if _name_of_call(rest) == "sqrt":
            yield _call_like(rest, ast.BinOp(rest.args[0], ast.Add(), eps))  # type: ignore[attr-defined]


def debias(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The correction of the bias dropped: x for x/debias, and 1 for 1 − βᵗ."""
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Div) and (
        "debias" in _last_name(node.right) or _is_one_minus_power(node.right)
    ):
        yield node.left
    if _is_one_minus_power(node):
        yield ast.Constant(1)


def time(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The wrong step number: t for t ± 1, and t + 1 for t."""
    t_and_one = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
    if t_and_one and _is_t(node.left) and _is_one(node.right):  # type: ignore[attr-defined]
        yield node.left  # type: ignore[attr-defined]
    elif _is_t(node) and not (isinstance(place.parent, ast.BinOp) and _is_one(place.parent.right)):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))  # type: ignore[arg-type]


def extreme(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The minimum for the maximum, the ceiling for the floor, any for all; and the other way."""
    other = _OPPOSITES.get(_name_of_call(node) or "")
    if other and isinstance(node, ast.Call):
        f = node.func
        name = ast.Name(other, ast.Load())
        renamed = ast.Attribute(f.value, other, f.ctx) if isinstance(f, ast.Attribute) else name
        yield ast.Call(renamed, node.args, node.keywords)


_OPPOSITES = {a: b for pair in (("maximum", "minimum"), ("max", "min"), ("floor", "ceil"), ("any", "all"))
              for a, b in (pair, pair[::-1])}  # fmt: skip


def dropped(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """A function of one argument dropped: |x|, sign x, √x, eˣ, … become x."""
    if isinstance(node, ast.Call) and _name_of_call(node) in _DROPPED and node.args:
        yield node.args[0]


_DROPPED = {"abs", "sign", "sqrt", "square", "floor", "ceil", "exp", "cos", "clip", "round"}


def constant(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """Another number in a formula: 1 for 0, 2 for 1, n + 1 for n, half of a fraction."""
    if not (place.is_default or place.is_preset):
        yield from _another_value(node)


def default(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """Another default of a hyperparameter, or of the choice of a formula."""
    if place.is_default:
        yield from _another_value(node)
        if isinstance(node, ast.Constant) and node.value in place.choices:
            yield from (ast.Constant(c) for c in place.choices if c != node.value)


def preset(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """Another number in a preset, and an entry of it left out."""
    if not place.is_preset:
        return
    yield from _another_value(node)
    if isinstance(node, ast.Dict) and all(not isinstance(v, ast.Dict) for v in node.values):
        for i in range(len(node.keys)):
            yield ast.Dict(node.keys[:i] + node.keys[i + 1 :], node.values[:i] + node.values[i + 1 :])


def order(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The order of updates: the old value of a slot where the new one belongs, and the other way."""
    is_old = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and _is_slot(node)
    if is_old and place.slots.get(node.attr, node.lineno) < node.lineno:  # type: ignore[attr-defined]
        yield ast.Name(node.attr, ast.Load())  # type: ignore[attr-defined]
    is_new = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in place.slots
    if is_new and place.function and (old := _slot_in(place.function, node.id)):  # type: ignore[attr-defined]
        yield old


def condition(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """The two cases exchanged: in `where`, in `x if c else y`, and in an if; and a `not` dropped."""
    if _name_of_call(node) == "where" and isinstance(node, ast.Call) and len(node.args) == 3:
        test, yes, no = node.args
        yield ast.Call(node.func, [test, no, yes], node.keywords)
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(place.parent, ast.If) and node is place.parent.test and not isinstance(node, ast.Compare):
        yield node.operand if _is_not(node) else ast.UnaryOp(ast.Not(), node)  # type: ignore[attr-defined, arg-type]
    elif _is_not(node):
        yield node.operand  # type: ignore[attr-defined]


def logic(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """Or for and, and for or."""
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def fans(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """fan_out for fan_in, and the other way."""
    if isinstance(node, ast.Attribute) and node.attr in _FANS and isinstance(node.ctx, ast.Load):
        yield ast.Attribute(node.value, _FANS[node.attr], node.ctx)
    if isinstance(node, ast.Constant) and node.value in _FANS and not place.is_default:
        yield ast.Constant(_FANS[node.value])


_FANS = {"fan_in": "fan_out", "fan_out": "fan_in"}

OPERATORS: dict[str, Operator] = {
    f.__name__: f
    for f in (
        comparison, sign, factor, scale, power, epsilon, debias, time, extreme, dropped, constant, default,
        preset, order, condition, logic, fans,
    )
}  # fmt: skip
"""Every operator by its name."""


# --- what the operators look for ------------------------------------------------------------------------


def _another_value(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant):
        return
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            yield ast.Constant(node.value + 1)
        case float():
            yield ast.Constant(node.value / 2 if node.value else 0.5)
        case _:
            pass


def _name_of_call(node: ast.AST) -> str | None:
    return _last_name(node.func) if isinstance(node, ast.Call) else None


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _call_like(call: ast.AST, argument: ast.expr) -> ast.Call:
    assert isinstance(call, ast.Call)
    return ast.Call(call.func, [argument, *call.args[1:]], call.keywords)


def _without_eps(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The rest and ε, where the node is their sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for rest, eps in ((node.left, node.right), (node.right, node.left)):
            if "eps" in ast.unparse(eps) and "sqrt" not in ast.unparse(eps):
                yield rest, eps


def _is_hyperparameter(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_one_minus_power(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub)
        and _is_one(node.left)
        and isinstance(node.right, ast.BinOp)
        and isinstance(node.right.op, ast.Pow)
    )


def _is_one(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


def _is_t(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "t" and isinstance(node.ctx, ast.Load)


def _is_not(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_text(node: ast.BinOp) -> bool:
    texts = (n for side in (node.left, node.right) for n in ast.walk(side))
    return any(isinstance(n, ast.JoinedStr) or isinstance(getattr(n, "value", None), str) for n in texts)


def _is_slot(node: ast.Attribute) -> bool:
    """Whether this reads a state: `s.m`, `each[name].m`, but not `self.m` or `snp.abs`."""
    return not (isinstance(node.value, ast.Name) and node.value.id != "s")


def _slot_in(function: ast.FunctionDef, name: str) -> ast.Attribute | None:
    slots = (n for n in ast.walk(function) if isinstance(n, ast.Attribute) and n.attr == name and _is_slot(n))
    return next(slots, None)
