"""A name with arguments, as the command line takes losses and initialisers: `huber(delta=0.5)`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spusk.errors import InputError, closest


@dataclass(frozen=True)
class WrittenCall:
    """What a text calls, and with what.

    Attributes:
        kind: of what it is a text, e.g. "loss".
        name: what is called, as it was written.
        values, named: the arguments by place and by name.
    """

    kind: str
    name: str
    values: tuple[Any, ...]
    named: dict[str, Any]

    def arguments(self, known: Sequence[str]) -> dict[str, Any]:
        """All arguments by name.

        Args:
            known: the names of what may be given, in the order of their places.

        Raises:
            InputError: if there are too many, or one is unknown or comes twice.
        """
        title = f"{self.kind} {self.name!r}"
        for name in self.named:
            if name not in known:
                takes = closest(name, known) if known else "; it takes none"
                raise InputError(f"{title} has no argument {name!r}{takes}")
        if len(self.values) > len(known):
            takes = f"takes {', '.join(known)}" if known else "takes no arguments"
            raise InputError(f"{title} {takes} and got {len(self.values)} values")
        placed = dict(zip(known, self.values, strict=False))
        if twice := [name for name in placed if name in self.named]:
            raise InputError(f"{title} got {twice[0]} twice")
        return placed | self.named


def read_call(text: str, kind: str, example: str) -> WrittenCall:
    """A text such as `name`, `name(0.5)` or `name(key="text")`; arguments are literals, nothing is run.

    Args:
        text: what was written.
        kind: what it should be, for errors, e.g. "loss".
        example: one that is right, for errors.

    Raises:
        InputError: if it is neither a name nor a call with literals.

    >>> read_call("huber(delta=0.5)", "loss", "huber(delta=0.5)")
    WrittenCall(kind='loss', name='huber', values=(), named={'delta': 0.5})
    >>> read_call("huber(delta=x)", "loss", "huber(delta=0.5)")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: the loss 'huber(delta=x)' cannot be read; write a name, or e.g. huber(delta=0.5)
    """
    if "(" not in text:
        return WrittenCall(kind, text, (), {})
    why = ""
    try:
        match ast.parse(text.strip(), mode="eval").body:
            case ast.Call(ast.Name(name), args, keywords) if all(k.arg for k in keywords):
                values = tuple(ast.literal_eval(arg) for arg in args)
                named = {str(k.arg): ast.literal_eval(k.value) for k in keywords}
                if len(named) == len(keywords):
                    return WrittenCall(kind, name, values, named)
            case _:
                pass
    except SyntaxError as error:
        why = f" ({error.msg})"
    except (ValueError, TypeError, RecursionError, MemoryError):  # TypeError: of a literal such as {[]}
        pass
    raise InputError(f"the {kind} {text!r} cannot be read{why}; write a name, or e.g. {example}")
