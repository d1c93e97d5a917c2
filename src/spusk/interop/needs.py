"""Libraries that are imported only where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def library(name: str, extra: str, adapter: str) -> Any:
    """A library by name, for an adapter that lives in it.

    Args:
        name: of the module to import.
        extra: Spusk's extra that installs it.
        adapter: who needs it, for the error.

    Raises:
        ImportError: if it is not installed; the sentence says how to install it.

    >>> library("math", "maths", "spusk.interop.maths").floor(1.5)
    1
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] != name.split(".")[0]:
            raise
        sentence = f"{adapter} needs {name}, which is not installed: pip install 'spusk[{extra}]'"
        raise ImportError(sentence, name=name) from None
