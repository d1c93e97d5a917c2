"""The functions by name, each as the text of one LLVM function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from spusk.compile.vectormath.builder import FORMATS, Body, Value, square_root
from spusk.compile.vectormath.error_function import erf
from spusk.compile.vectormath.exponential import exp, expm1, sigmoid, tanh
from spusk.compile.vectormath.logarithm import log, log1p
from spusk.compile.vectormath.power import power
from spusk.compile.vectormath.trigonometric import cos, sin

_UNARY: Final[dict[str, Callable[[Value], Value]]] = {
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "erf": erf,
    "sin": sin,
    "cos": cos,
    "sqrt": square_root,
}

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {**dict.fromkeys(_UNARY, ("x",)), "pow": ("x", "y")}
"""The functions' names, and their arguments'."""


def definition(name: str, dtype: str, *, fma: bool, lanes: int = 1) -> str:
    """The text of `@spusk.<name>.<dtype>`, to be put into a module beside its `declarations`.

    Args:
        name: one of `ARGUMENTS`.
        dtype: "float32" or "float64".
        fma: whether the processor has a fused multiply-add. Without one, llvm.fma would be a call; with one,
            everything gets shorter. The results differ in the last place.
        lanes: how many numbers side by side the function takes; with several, `.lanes` ends its name.

    Raises:
        ValueError: for a name or a dtype that is not among those.

    >>> print(definition("sqrt", "float32", fma=True))
    define internal float @spusk.sqrt.float32(float %x) alwaysinline nounwind memory(none) {
      %v0 = call float @llvm.sqrt.f32(float %x)
      ret float %v0
    }
    >>> sorted(declarations("sqrt", "float32", fma=True))
    ['declare float @llvm.sqrt.f32(float)']
    """
    return _function(name, dtype, fma, lanes)[0]


def declarations(name: str, dtype: str, *, fma: bool, lanes: int = 1) -> frozenset[str]:
    """The declarations that a `definition` needs, a line each; a module may hold each line once."""
    return _function(name, dtype, fma, lanes)[1]


@cache
def _function(name: str, dtype: str, fma: bool, lanes: int) -> tuple[str, frozenset[str]]:
    if name not in ARGUMENTS:
        raise ValueError(f"there is no function {name!r}; there are {', '.join(ARGUMENTS)}")
    if dtype not in FORMATS:
        raise ValueError(f"{name} is computed in {' or '.join(FORMATS)}, not in {dtype!r}")
    type_ = FORMATS[dtype].type
    body = Body(fma, lanes)
    arguments = [Value(body, type_, f"%{argument}") for argument in ARGUMENTS[name]]
    result = power(*arguments) if name == "pow" else _UNARY[name](*arguments)
    kind, many = body.wide(type_), f".{lanes}" if lanes > 1 else ""
    parameters = ", ".join(f"{kind} {a.text}" for a in arguments)
    head = (
        f"define internal {kind} @spusk.{name}.{dtype}{many}({parameters}) alwaysinline nounwind memory(none)"
    )
    lines = [*body.lines, f"ret {kind} {result.text}"]
    return f"{head} {{\n" + "".join(f"  {line}\n" for line in lines) + "}", frozenset(body.declared)
