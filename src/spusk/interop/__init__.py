"""The optimizers inside other libraries: `spusk.interop.torch` and `spusk.interop.optax`.

Importing this package imports none of them; each is loaded when it is asked for.
"""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name in ("torch", "optax"):
        return import_module(f"spusk.interop.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
