"""Whether a rule has all that it needs to do anything."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from spusk.errors import InputError
from spusk.optim.hyper import members


def require_complete(rule: Any) -> None:
    """Raise an InputError if a rule, or one inside it, would do nothing because something was left out.

    A class says so by a property `lacking`, a sentence, or no text if nothing is. A rule may be made without
    it, as the catalogue does, but not trained.

    >>> from spusk import optim
    >>> require_complete(optim.Lookahead(optim.Clip(optim.SGD())))
    Traceback (most recent call last):
        ...
    spusk.errors.InputError: Clip got no limit; give value, norm or global_norm
    """
    if sentence := getattr(rule, "lacking", ""):
        raise InputError(sentence)
    inside = [getattr(rule, f.name) for f in fields(rule)] if is_dataclass(rule) else members(rule).values()
    for part in inside:
        require_complete(part)
