"""Initialisers by name, as the command line and `initialise` take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields

from spusk.errors import InputError, closest
from spusk.init import where
from spusk.init.initialiser import Initialiser
from spusk.lazy import ByName
from spusk.written_call import read_call

CATALOGUE: Mapping[str, type[Initialiser]] = ByName("spusk.init", where.INITIALISERS)
"""Every initialiser, by its class name in lower case; each is loaded when it is looked up."""


def get(init: Initialiser | str) -> Initialiser:
    """The initialiser that a name stands for; an initialiser stands for itself.

    Args:
        init: an initialiser, or the name of one in any case, e.g. `"henormal"`; after the name there may be
            what differs from its defaults, e.g. `"henormal(mode='fan_out')"`.

    Raises:
        InputError: if no initialiser has that name or takes these arguments, or one without a default is
            missing.

    >>> get("henormal")
    HeNormal(slope=0.0, mode='fan_in')
    >>> get("henormal(mode='fan_out')"), get("constant(0.1)")
    (HeNormal(slope=0.0, mode='fan_out'), Constant(value=0.1))
    >>> get("heenormal")
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: there is no initialiser 'heenormal'; did you mean 'henormal'?
    """
    if isinstance(init, Initialiser):
        return init
    if not isinstance(init, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(f"{init!r} is not an initialiser; give one, such as HeNormal(), or its name")
    call = read_call(init, "initialiser", "henormal(mode='fan_out')")
    cls = CATALOGUE.get(call.name.strip().lower())
    if cls is None:
        raise InputError(f"there is no initialiser {call.name!r}{closest(call.name, CATALOGUE)}")
    given = call.arguments([field.name for field in fields(cls)])
    required = [field.name for field in fields(cls) if field.default is MISSING]
    if missing := [name for name in required if name not in given]:
        whole = f"{cls.__name__}({', '.join(f'{name}=…' for name in required)})"
        raise InputError(f"initialiser {call.name!r} has no default {' and '.join(missing)}; write {whole}")
    return cls(**given)
