"""Optimizers as text, as the command line takes them and tables name them.

>>> read("momentum(mu=0.99)")
Momentum(lr=0.01, mu=0.99, dampening=0.0, lr_inside=True, dampen_first=True, average=False)
>>> read('lookahead(adam.like("keras"), k=10)').inner.eps
1e-07
>>> written(read("sgd(lr=cosine(0.1, steps=900))"))
'sgd(lr=cosine(initial=0.1, steps=900))'
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from spusk.errors import InputError, closest
from spusk.optim import hints
from spusk.optim.catalogue import SCHEDULES, known_rule
from spusk.optim.hyper import members
from spusk.optim.optimizer import Optimizer
from spusk.own_file import run_file

INSIDE = ("inner", "rules")
"""Fields of rules that are around others, which are always written."""

OWN = re.compile(r"([^,()=]+\.py):(\w+)")
"""A rule of the user's own: a Python file, and a name in it."""


def read(text: str) -> Optimizer:
    """The optimizer that a text describes: a name, and in brackets what differs from its defaults.

    Args:
        text: a name of `CATALOGUE` or of another package's optimizer, alone or called with numbers, texts,
            True, False, None, and schedules or other optimizers written the same way, also in tuples, lists
            and dicts; `name.like("library", …)` is a preset. A rule of the user's own is written
            `file.py:Name`, and that file is run. Nothing else is evaluated.

    Raises:
        InputError: if it cannot be read, names an unknown method or hyperparameter, or a value is not
            allowed.
    """
    own = {name.lower(): _from_file(file.strip(), name) for file, name in OWN.findall(text)}
    found = _value(_tree(text), text, own)
    if not isinstance(found, Optimizer):
        raise InputError(f"{text!r} is not an optimizer; 'spusk methods optimizers' lists them")
    return found


def is_given(text: str, rule: Any, name: str) -> bool:
    """Whether a text that `read` reads gives a value to a field of a rule's class, by its name or its place.

    >>> from spusk.optim import SGD
    >>> texts = "lookahead(sgd(0.01))", "sgd(lr=0.01)", "sgd", "momentum(0.1)"
    >>> [is_given(text, SGD(), "lr") for text in texts]
    [True, True, False, False]
    """
    places = [f.name for f in fields(rule) if f.init and not f.kw_only]
    wanted = type(rule).__name__.lower()
    own = {word.lower(): (file.strip(), word) for file, word in OWN.findall(text)}
    for node in ast.walk(_tree(text)):
        match node:
            case ast.Call(ast.Name(called), args, keywords):
                given = places[: len(args)]
            case ast.Call(ast.Attribute(ast.Name(called), "like"), [_, *args], keywords):
                given = places[: len(args)]
            case _:
                continue
        if name not in (*given, *(k.arg for k in keywords)):
            continue
        # A file of one's own may have the class under another name, too: it is run to see.
        if called.lower() != wanted and called.lower() in own:
            called = getattr(_from_file(*own[called.lower()]), "__name__", called)
        if called.lower() == wanted:
            return True
    return False


def written(rule: Any, libraries: Sequence[str] = ()) -> str:
    """The text that `read` reads back: the name, what is inside, and the fields that differ from defaults.

    A preset is written as one, `adam.like("keras")`, if it is of one of the `libraries`, or changes more than
    one field and no other library's preset does the same.

    >>> from spusk import optim
    >>> written(optim.Lookahead(k=10)), written(optim.Adam.like("keras", beta1=0.5))
    ('lookahead(adam, k=10)', 'adam.like("keras", beta1=0.5)')
    """
    own = [f for f in fields(rule) if f.init]
    contents = {f.name: getattr(rule, f.name) for f in own}
    changed = {f.name for f in own if contents[f.name] != f.default or f.name in INSIDE}
    name, words = type(rule).__name__.lower(), list[str]()
    library = _library(rule, changed, libraries)
    if library is not None:
        name, words = f"{name}.like", [f'"{library}"']
        changed -= {*_presets(rule)[library]}
    for i, f in enumerate(own):
        if f.name in changed:
            is_inside = i == 0 and library is None and _holds_rules(contents[f.name])
            part = _part(contents[f.name], libraries)
            words.append(part if is_inside else f"{f.name}={part}")
    return f"{name}({', '.join(words)})" if words else name


def _holds_rules(content: Any) -> bool:
    """Whether a field holds an optimizer, which is always written."""
    return isinstance(content, Optimizer) or any(map(_holds_rules, members(content).values()))


def _library(rule: Any, changed: set[str], libraries: Sequence[str]) -> str | None:
    """Whose preset a rule is, if it is worth writing as one."""
    fits = {
        library: len(changed & {*preset})
        for library, preset in _presets(rule).items()
        if changed & {*preset} and all(getattr(rule, name) == x for name, x in preset.items())
    }
    asked = [library for library in libraries if library in fits]
    most = max(fits.values(), default=0)
    best = [library for library, n in fits.items() if n == most > 1]
    return asked[0] if asked else best[0] if len(best) == 1 else None


def _presets(rule: Any) -> Mapping[str, Mapping[str, Any]]:
    return getattr(rule, "presets", {})  # which schedules do not have


def _part(content: Any, libraries: Sequence[str]) -> str:
    if isinstance(content, Mapping):
        pairs: Any = content.items()  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return "{" + ", ".join(f"{k!r}: {_part(v, libraries)}" for k, v in pairs) + "}"
    if isinstance(content, tuple):
        parts: Any = content  # pyright: ignore[reportUnknownVariableType]
        return f"({', '.join(_part(x, libraries) for x in parts)}{',' if len(parts) == 1 else ''})"
    return written(content, libraries) if is_dataclass(content) else repr(content)


def _from_file(file: str, name: str) -> Any:
    defined = run_file(file)
    found = defined.get(name)
    if found is None:
        rules = [k for k, v in defined.items() if isinstance(v, type) and issubclass(v, Optimizer)]
        hint = closest(name, rules) if rules else ", nor any other Optimizer"
        raise InputError(f"{file} does not define {name!r}{hint}")
    if not isinstance(found, Optimizer) and not (isinstance(found, type) and issubclass(found, Optimizer)):
        raise InputError(f"{file}: {name} is no Optimizer; derive it from spusk.optim.Optimizer")
    return found


def _tree(text: str) -> ast.expr:
    try:
        found = ast.parse(OWN.sub(r"\2", text).strip(), mode="eval").body
    except SyntaxError as error:
        raise _unreadable(text, error.msg) from None
    except ValueError:  # of a null byte
        raise _unreadable(text) from None
    for node in ast.walk(found):
        names = [k.arg for k in node.keywords if k.arg] if isinstance(node, ast.Call) else []
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise InputError(f"the optimizer {text!r} gives {twice[0]} twice")
    return found


def _value(node: ast.expr, text: str, own: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)):
            return -number
        case ast.Name("inf" | "nan" as number):  # as `written` writes them
            return float(number)
        case ast.UnaryOp(ast.USub(), ast.Name("inf")):
            return -math.inf
        case ast.Tuple(members) | ast.List(members):
            return tuple([_value(member, text, own) for member in members])
        case ast.Dict(keys, values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {_value(k, text, own): _value(v, text, own) for k, v in pairs if k is not None}
        case ast.Name(name):
            found = _known(name, own)
            return found if isinstance(found, Optimizer) else _made(found, [], {}, text)
        case ast.Call(ast.Name(name), args, keywords):
            make = cls = _known(name, own)
        case ast.Call(ast.Attribute(ast.Name(name), "like"), args, keywords):
            cls = _known(name, own)
            make = getattr(cls, "like", None)
            if args and isinstance(args[0], ast.Name) and make is not None:
                raise InputError(f'{name}.like takes a library in quotes: {name}.like("{args[0].id}")')
        case ast.Attribute(ast.Name(name), library):
            known_rule(f"{name}.{library}")  # which tells how a preset is written
            raise _unreadable(text, f"at {ast.unparse(node)}")
        case _:
            raise _unreadable(text, f"at {ast.unparse(node)}")
    if not callable(make) or any(keyword.arg is None for keyword in keywords):
        raise _unreadable(text, f"at {ast.unparse(node)}")
    named = {str(keyword.arg): _value(keyword.value, text, own) for keyword in keywords}
    return _made(make, [_value(arg, text, own) for arg in args], named, text)


def _known(name: str, own: Mapping[str, Any]) -> Any:
    for known in (own, SCHEDULES):
        if name.lower() in known:
            return known[name.lower()]
    return known_rule(name, also=SCHEDULES)


def _made(make: Any, args: list[Any], named: dict[str, Any], text: str) -> Any:
    if _takes_its_fields(make) and (mistake := hints.mistaken_call(make, args, named)):
        raise InputError(mistake)
    try:
        return make(*args, **named)
    except TypeError as error:  # of a class that takes its arguments itself
        raise InputError(f"the optimizer {text!r} cannot be made: {error}") from None


def _takes_its_fields(make: Any) -> bool:
    """Whether this is a class whose `__init__` is the one that dataclass has written."""
    return isinstance(make, type) and is_dataclass(make) and make.__init__.__code__.co_filename == "<string>"


def _unreadable(text: str, why: str = "") -> InputError:
    instead = hints.file_alone(text) or "write a name, or e.g. momentum(mu=0.99)"
    return InputError(f"the optimizer {text!r} cannot be read{f' ({why})' if why else ''}; {instead}")
