"""Mistakes in a rule, told in one sentence that names the rule and the line in its author's file."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import CodeType
from typing import Any

from spusk.errors import DTypeError, InputError, ShapeError, SpuskError
from spusk.graph import Tensor
from spusk.graph.place import PACKAGES, Place
from spusk.optim.hints import for_field
from spusk.optim.state import State, flatten

STANDARD = str(Path(ast.__file__).parent)
TOLD = "_names_the_line"
MUTABLE = (list, dict, set)
SIGNATURES = {
    "start": "self, w",
    "point": "self, w, s",
    "evaluated": "self, w, s",
    "update": "self, w, g, s, t",
}


@contextmanager
def told(rule: Any, method: str, but: Sequence[BaseException] = ()) -> Generator[None]:
    """What goes wrong inside a rule's method is told in a sentence with the rule and the line.

    Args:
        rule: whose method is called.
        method: its name.
        but: errors that are not the rule's, such as those of the loss; they pass as they are.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # a formula of the user's own can raise anything
        is_ours = isinstance(error, SpuskError)
        place = _raised_at(error, rule, method)
        if any(error is other for other in but) or getattr(error, TOLD, False) or place is None:
            raise
        kind = type(error) if isinstance(error, SpuskError) else InputError
        name = f"{type(rule).__name__}.{method}"
        what = _in_words(error, rule)
        sentence = what if what.startswith(type(rule).__name__) else f"{name}: {what}"
        raise _marked(kind(sentence if f"({place})" in sentence else f"{sentence} ({place})")) from (
            error.__cause__ if is_ours else error
        )


def _marked(error: SpuskError) -> SpuskError:
    """An error that is told: it passes the calls further out as it is."""
    setattr(error, TOLD, True)
    return error


def _in_words(error: Exception, rule: Any) -> str:
    what = " ".join(str(error).split())
    if isinstance(error, AttributeError) and error.obj is rule and error.name:
        hint = for_field(error.name, [f.name for f in fields(rule)])
        return f"{type(rule).__name__} has no hyperparameter {error.name!r}{hint}"
    if isinstance(error, SpuskError) or (isinstance(error, AttributeError) and isinstance(error.obj, State)):
        return what
    return f"{type(error).__name__}: {what}{_remedy(what)}"


def _remedy(what: str) -> str:
    """What to do about an error of Python's, where that is known."""
    if "does not support item assignment" in what:
        return "; a Tensor never changes, so make a new one, with spusk.numpy.where for instance"
    called = re.search(r"\.(\w+)\(\) (?:takes|missing|got an unexpected)", what)
    signature = SIGNATURES.get(called.group(1)) if called else None
    return f"; it is called as {called.group(1)}({signature})" if called and signature else ""


# --- lines -----------------------------------------------------------------------------------------------


def _raised_at(error: Exception, rule: Any, method: str) -> Place | None:
    """The innermost line outside of this package, in the method's own file if there is one; or its `def`.

    None if the method is one of ours and nobody else's code took part.
    """
    code = _code(rule, method)
    lines: list[Place] = []
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if _is_users(file):
            lines.append(Place(file, trace.tb_lineno))
        trace = trace.tb_next
    # The first frame is that of the call; what calls us is no part of the rule.
    own = [line for line in lines if code is not None and line.file == code.co_filename]
    if own or lines:
        return (own or lines)[-1]
    return None if code is None else Place(code.co_filename, code.co_firstlineno)


def returned_at(rule: Any, method: str, thing: Any = None) -> Place | None:
    """The line that made what a method returned, or its only `return`, or its `def`; None if it is ours.

    Args:
        rule: whose method it is.
        method: its name.
        thing: what was returned: a Tensor or a State, which know where they were made.
    """
    code = _code(rule, method)
    if code is None:
        return None
    inside = {line for _, _, line in code.co_lines() if line is not None}
    made = getattr(thing, "place", None)
    if isinstance(made, Place) and made.file == code.co_filename and made.line in inside:
        return made
    returns = _returns(code)
    return Place(code.co_filename, returns[0] if len(returns) == 1 else code.co_firstlineno)


def _code(rule: Any, method: str) -> CodeType | None:
    """The code of a rule's method, unless it is one of this package's own."""
    code = getattr(getattr(rule.__class__, method, None), "__code__", None)
    return code if isinstance(code, CodeType) and _is_users(code.co_filename) else None


def _is_users(file: str) -> bool:
    is_pythons = file.startswith(STANDARD) and "site-packages" not in file
    return not file.startswith((*PACKAGES, "<")) and not is_pythons


def _returns(code: CodeType) -> list[int]:
    """The lines of the `return` statements of a function."""
    for node in ast.walk(_syntax(code.co_filename)):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                return [n.lineno for n in ast.walk(node) if isinstance(n, ast.Return)]
    return []


def _syntax(file: str) -> ast.AST:
    linecache.checkcache(file)  # it may have been changed since it was last read
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return ast.Module([], [])


def at(place: Place | None) -> str:
    """A line at the end of a sentence."""
    return "" if place is None else f" ({place})"


# --- what a rule is --------------------------------------------------------------------------------------


def check_class(cls: type[Any]) -> None:
    """Raise an InputError if a class that is being defined has a default that all its rules would share."""
    for name in _own_fields(cls):
        if isinstance(cls.__dict__.get(name), MUTABLE):
            kind = type(cls.__dict__[name]).__name__
            place = _field_place(cls, name)
            raise InputError(
                f"{cls.__name__}.{name} is a {kind} by default, which all would share; use a tuple{at(place)}"
            )


def check_made(cls: type[Any], named: Mapping[str, Any]) -> None:
    """Raise an InputError if a class has fields and is no dataclass, or lacks a field that it is given."""
    undeclared = [n for n in _own_fields(cls) if n not in cls.__dataclass_fields__]
    if undeclared:
        raise InputError(
            f"{cls.__name__} has the field{'s' * (len(undeclared) > 1)} {' and '.join(undeclared)} and is no "
            f"dataclass; write @dataclass(frozen=True) above it{at(cls.defined_at)}"
        )
    known = [f.name for f in fields(cls) if f.init]
    if cls.__init__.__code__.co_filename == "<string>":  # the one that dataclass has written
        for name in named:
            if name not in known:
                raise InputError(f"{cls.__name__} has no hyperparameter {name!r}{for_field(name, known)}")


def _own_fields(cls: type[Any]) -> list[str]:
    """The names that the class itself annotates as fields."""
    annotated = inspect.get_annotations(cls)
    return [name for name, kind in annotated.items() if "ClassVar" not in str(kind)]


def _field_place(cls: type[Any], name: str) -> Place | None:
    place: Place | None = cls.defined_at
    if place is None:
        return None
    for node in ast.walk(_syntax(place.file)):
        if isinstance(node, ast.ClassDef) and node.lineno == place.line:
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == name:
                    return Place(place.file, part.lineno)
    return place


# --- what its methods return -----------------------------------------------------------------------------


def check_start(rule: Any, name: str, state: Any) -> None:
    """The state that `start` returns for a parameter must be a mapping of Tensors."""
    where = at(returned_at(rule, "start", state))
    wanted = (
        "it must return a State of Tensors, such as State(m=snp.zeros_like(w)), or State() if it keeps none"
    )
    if not isinstance(state, Mapping):
        raise _marked(
            InputError(
                f"{type(rule).__name__}.start returns {type(state).__name__} for {name!r}; {wanted}{where}"
            )
        )
    slots: Mapping[str, Any] = state  # pyright: ignore[reportUnknownVariableType]
    for slot, content in flatten(slots).items():
        if not isinstance(content, Tensor):
            kind = type(content).__name__
            raise _marked(
                InputError(
                    f"{type(rule).__name__}.start returns {kind} for {name + '/' + slot!r}; {wanted}{where}"
                )
            )


def checked_pair(rule: Any, method: str, name: str, w: Tensor, s: Any, result: Any) -> tuple[Tensor, Any]:
    """What `update` returned for a parameter, if it is the pair of the next parameter and the next state.

    Args:
        rule: whose update it is.
        method: "update", or what stands for it.
        name: of the parameter.
        w: the parameter.
        s: its state.
        result: what was returned.

    Raises:
        InputError, ShapeError, DTypeError: if it is not, or a name, shape or dtype has changed.
    """
    called = f"{type(rule).__name__}.{method}"
    if not isinstance(result, tuple) or len(result) != 2:  # pyright: ignore[reportUnknownArgumentType]
        pair: Any = result  # pyright: ignore[reportUnknownVariableType]
        kind = "nothing" if pair is None else f"a {type(pair).__name__}"
        what = kind if pair is None or kind != "a tuple" else f"a tuple of {len(pair)}"
        raise _marked(
            InputError(
                f"{called} returned {what}; it must return the pair (w, state), for instance "
                f"(w, s){at(returned_at(rule, method, pair))}"
            )
        )
    new, state = result  # pyright: ignore[reportUnknownVariableType]
    check_same(rule, method, {name: w}, {name: new}, "parameter")
    if not isinstance(state, Mapping):
        raise _marked(
            InputError(
                f"{called} returns {type(state).__name__} as the state of {name!r}, not a State"  # pyright: ignore[reportUnknownArgumentType]
                f"{at(returned_at(rule, method, state))}"
            )
        )
    slots: Mapping[str, Any] = state  # pyright: ignore[reportUnknownVariableType]
    check_same(rule, method, flatten({name: s}), flatten({name: slots}), "state slot", slots)
    return new, state  # pyright: ignore[reportUnknownVariableType]


def check_same(
    rule: Any,
    method: str,
    before: Mapping[str, Tensor],
    after: Mapping[str, Any],
    what: str,
    whole: Any = None,
) -> None:
    """A rule must return every parameter and slot as it was: same names, shapes and dtypes.

    Args:
        rule: whose method it is.
        method: its name.
        before: the Tensors as they were, by name.
        after: what was returned in their place.
        what: "parameter" or "state slot".
        whole: the State that `after` comes from.
    """
    name = f"{type(rule).__name__}.{method}"
    where = at(returned_at(rule, method, whole))
    if missing := [path for path in before if path not in after]:
        raise _marked(InputError(f"{name} returns no {what} {missing[0]!r}, which start made{where}"))
    if surplus := [path for path in after if path not in before]:
        raise _marked(InputError(f"{name} returns a {what} {surplus[0]!r}, which start did not make{where}"))
    for path, old in before.items():
        new = after[path]
        if not isinstance(new, Tensor):
            kind = type(new).__name__
            raise _marked(InputError(f"{name} returns {kind} for {what} {path!r}, not a Tensor{where}"))
        line = returned_at(rule, method, new) or new.place
        if new.shape != old.shape:
            change = f"from shape {old.shape} to {new.shape}"
            raise _marked(ShapeError(f"{name} changes {what} {path!r} {change} ({line})"))
        if new.dtype != old.dtype:
            change = f"from {old.dtype.name} to {new.dtype.name}"
            raise _marked(DTypeError(f"{name} changes {what} {path!r} {change} ({line})"))
