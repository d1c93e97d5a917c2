"""The user's own Python files: run when asked for by name, and their errors told with file and line."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from spusk.errors import InputError, SpuskError


def run_file(path: str) -> dict[str, Any]:
    """What a Python file defines, by name. As a script's would, its folder is searched for what it imports.

    Raises:
        InputError: if there is no such file, or it raises; the sentence names its line.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    folder = Path(path).resolve().parent
    for name in [name for name, of in _beside.items() if of != folder]:
        sys.modules.pop(name, None)  # the file may mean a module of its own folder by that name
    before = {*sys.modules}
    sys.path.insert(0, str(folder))
    try:
        with own_errors_told(path):
            return runpy.run_path(path)
    finally:
        sys.path.remove(str(folder))
        new = {name for name, module in sys.modules.items() if _is_beside(folder, module)} - before
        _beside.update(dict.fromkeys(new, folder))


_beside: dict[str, Path] = {}
"""The modules that files have imported from their own folders, with the folder of each."""


def _is_beside(folder: Path, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.endswith(".py") and Path(file).resolve().parent == folder


@contextmanager
def own_errors_told(*paths: str) -> Generator[None]:
    """What the user's own Python files raise, at any time, is told in a sentence with its line."""
    try:
        yield
    except SpuskError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        places = [(frame.filename, frame.lineno) for frame in frames if frame.filename in paths]
        what = str(error)
        if "non-frozen dataclass" in what:
            what += "; write @dataclass(frozen=True)"
        if isinstance(error, SyntaxError):
            what = error.msg
            if error.filename and (places or error.filename in paths):  # perhaps in a file that it imports
                places.append((error.filename, error.lineno))
        if not places:
            raise
        file, line = places[-1]
        where = file if line is None else f"{file}:{line}"
        raise InputError(f"{where}: {type(error).__name__}: {what}") from None
