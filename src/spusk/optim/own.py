"""Optimizers of the user's own, named by file and class: `./mine.py:MyRule`."""

from __future__ import annotations

import sys
import traceback
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from spusk.errors import InputError, SpuskError, closest
from spusk.optim.optimizer import Optimizer


def from_file(text: str) -> Optimizer:
    """The optimizer that a Python file defines.

    Args:
        text: `path/to/file.py:ClassName`, or the name of an optimizer that the file has made, `file.py:rule`.

    Raises:
        InputError: if there is no such file or name in it, if it is no optimizer, or if running the file
            fails; the sentence names file and line.
    """
    path, _, name = text.rpartition(":")
    module = _module(path)
    found: Any = getattr(module, name, None)
    if isinstance(found, type) and issubclass(found, Optimizer):
        return _made(found, path)
    if isinstance(found, Optimizer):
        return found
    classes: dict[str, type[Any]] = {n: v for n, v in vars(module).items() if isinstance(v, type)}
    own = [n for n, v in classes.items() if issubclass(v, Optimizer) and v.__module__ == module.__name__]
    if found is None:
        hint = closest(name, own) if own else "; it defines no optimizer"
        raise InputError(f"{path} defines no {name!r}{hint}")
    kind: str = type(found).__name__  # pyright: ignore[reportUnknownArgumentType]
    raise InputError(f"{path}: {name} is a {kind}, not a subclass of spusk.optim.Optimizer")


def _module(path: str) -> ModuleType:
    """The file run as a module, once: equal names then mean equal classes."""
    file = Path(path).resolve()
    name = f"spusk_own_{file.stem}_{abs(hash(str(file)))}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, file) if file.is_file() else None
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: no such file")
    module = sys.modules[name] = module_from_spec(spec)
    sys.path.insert(0, str(file.parent))  # so that it can import its neighbours
    try:
        spec.loader.exec_module(module)
    except SpuskError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise _told(path, str(file), error) from None
    finally:
        sys.path.remove(str(file.parent))
    return module


def _made(kind: type[Optimizer], path: str) -> Optimizer:
    try:
        return kind()
    except TypeError as error:
        raise InputError(
            f"{path}: {kind.__name__}() cannot be made: {error}; give its fields defaults"
        ) from None


def _told(path: str, file: str, error: Exception) -> InputError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if isinstance(error, SyntaxError):
        lines.append(error.lineno)
    what = error.msg if isinstance(error, SyntaxError) else str(error)
    return InputError(f"{path}:{lines[-1] if lines else '?'}: {type(error).__name__}: {what}")
