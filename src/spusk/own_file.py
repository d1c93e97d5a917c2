"""The user's own Python files: run when asked for by name, and their errors told with file and line."""

from __future__ import annotations

import runpy
import sys
import sysconfig
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
    hidden = _others_modules(folder)
    for name in hidden:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        with own_errors_told(path):
            return runpy.run_path(path)
    finally:
        sys.path.remove(str(folder))
        sys.modules.update(hidden)


def _others_modules(folder: Path) -> dict[str, ModuleType]:
    """Modules of other folders, with the name of a file or package that lies in this one.

    What is installed is none of them: it is imported before a file beside a script would be.
    """
    here = {p.stem if p.suffix == ".py" else p.name for p in folder.iterdir() if p.suffix in (".py", "")}
    roots = {name for name in here - {"spusk"} if (m := sys.modules.get(name)) and _is_elsewhere(m, folder)}
    return {name: m for name, m in sys.modules.items() if name.partition(".")[0] in roots}


def _is_elsewhere(module: ModuleType, folder: Path) -> bool:
    """Whether a module is of somebody's own, in another folder."""
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    files = [Path(place).resolve() for place in places if place]
    installed = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return bool(files) and not any(f.is_relative_to(p) for f in files for p in (folder, *installed))


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
