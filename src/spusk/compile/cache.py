"""Object code by content: what has been compiled once, in this process or an earlier one, is kept.

The key is a hash of the LLVM IR, the processor and the compiler's version, so that nothing in the folder
can be stale. Code is executed, therefore the folder must be one that only its owner can write.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path

from spusk._version import __version__
from spusk.compile.load import machine, optimised, translated

VARIABLE = "SPUSK_CACHE_DIR"
LIMIT = 256 * 2**20  # bytes; when the folder outgrows it, the files unused for longest go
KEPT = 0.75  # of the limit, after clearing up
DIGEST = 32  # bytes before the code in a file: a hash of it, so that a cut file is noticed
NAME = re.compile(r"[0-9a-f]{40}")  # a file of code, without the .o
PART = "spusk-"  # how the names of unfinished files begin
EVERY = 64  # new files between two looks at the folder's size


@lru_cache(maxsize=512)
def object_code(text: str, *, quick: bool = False) -> bytes:
    """The object code of a module's text: from memory, from the folder, or compiled now.

    Args:
        text: LLVM IR.
        quick: whether it is worth no optimisation, because it only calls other modules.
    """
    path = _path(text, quick)
    code = None if path is None else _read(path)
    if code is None:
        code = translated(text) if quick else optimised(text)[0]
        if path is not None:
            _write(path, code)
    return code


def folder() -> Path:
    """Where code is kept: `SPUSK_CACHE_DIR`, or the usual place of this system's caches; always absolute.

    Only a `~` that stands for nobody's home is left as it is; `fault` then tells that.
    """
    given = os.environ.get(VARIABLE)
    if not given and sys.platform == "darwin":
        given = "~/Library/Caches/spusk"
    elif not given:
        given = os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "spusk")
    where = os.path.expanduser(given)
    return Path(where if where.startswith("~") else os.path.abspath(where))


def files(where: Path) -> list[Path]:
    """The files of code in a folder; others that end alike are somebody else's."""
    with suppress(OSError):
        return sorted(path for path in where.glob("*.o") if NAME.fullmatch(path.stem))
    return []


def size() -> tuple[int, int]:
    """How many files and bytes of code are kept."""
    found = files(folder())
    return len(found), sum(entry.st_size for path in found if (entry := _stat(path)))


def _stat(path: Path) -> os.stat_result | None:
    """What the system knows of a file; None if another process has just removed it."""
    try:
        return path.stat()
    except OSError:
        return None


def clear() -> tuple[int, int]:
    """Remove all kept code that can be removed; returns how many files and bytes that were."""
    where, removed = folder(), list[int]()
    for path in files(where):
        with suppress(OSError):
            found = path.stat().st_size
            path.unlink()
            removed.append(found)
    for path in _unfinished(where):
        with suppress(OSError):
            path.unlink()
    object_code.cache_clear()
    return len(removed), sum(removed)


def _unfinished(where: Path) -> list[Path]:
    """What interrupted processes left behind, and what others are just writing."""
    with suppress(OSError):
        return list(where.glob(f"{PART}*.part"))
    return []


def fault(where: Path) -> str:
    """Why code cannot be kept in a folder, as the rest of a sentence; empty if it can, once it is made."""
    if not where.is_absolute():
        return f"{where.parts[0]} is nobody's home folder"
    try:
        found = where.stat()
    except FileNotFoundError:
        parent = next(path for path in where.parents if path.exists())
        if not parent.is_dir():
            return f"{parent} is not a folder"
        return "" if _takes_files(parent) else f"{parent} cannot be written to"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a folder"
    return _danger(found) or ("" if _takes_files(where) else "it cannot be written to")


def _takes_files(where: Path) -> bool:
    """Whether a file can be made in a folder: permissions alone do not tell, e.g. in /proc."""
    if not os.access(where, os.W_OK | os.X_OK):
        return False
    return _can_make_files(where)


@cache
def _can_make_files(where: Path) -> bool:
    """Tried once a process; where it fails later, only time is lost."""
    try:
        tempfile.TemporaryFile(dir=where).close()
    except OSError:
        return False
    return True


def _danger(found: os.stat_result) -> str:
    """Why code in a folder could be another user's; empty if it cannot."""
    if found.st_uid != os.geteuid():
        return f"it belongs to another user ({_name(found.st_uid)})"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others can write to it (its mode is {stat.S_IMODE(found.st_mode):o}, and should be 700)"
    return ""


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"number {user}"


def _path(text: str, quick: bool) -> Path | None:
    """The file for a module's code, or None if the folder cannot be used."""
    where = _usable(folder())
    if where is None:
        return None
    key = blake2b(f"{__version__} {machine()} {quick}\n{text}".encode(), digest_size=20).hexdigest()
    return where / f"{key}.o"


def _usable(where: Path) -> Path | None:
    """The folder, made if need be; None, with a warning, if others could put code there.

    Without a warning where there is just no place to keep code: everything works, only slower, and
    `spusk cache` tells why.
    """
    if where.is_absolute():
        with suppress(OSError):
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
    why = fault(where)
    if why and (found := _stat(where)) and stat.S_ISDIR(found.st_mode) and _danger(found):
        _warn(f"the code cache {where} is not used, because {why}; set {VARIABLE} to a folder of your own")
    return None if why else where


@cache
def _warn(sentence: str) -> None:
    """Once a process."""
    warnings.warn(sentence, stacklevel=3)


def _read(path: Path) -> bytes | None:
    """The code in a file; None if there is none, or it is not whole, or another user's."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            content = file.read()
        os.utime(path)
    except OSError:
        return None
    code = content[DIGEST:]
    return code if content[:DIGEST] == _digest(code) else None


def _write(path: Path, code: bytes) -> None:
    """Put code into its file whole or not at all; another process may be doing the same."""
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=PART, suffix=".part", delete=False) as file:
            part = Path(file.name)
            file.write(_digest(code) + code)
        os.replace(part, path)
    except OSError:  # a full disk costs only time
        if part is not None:
            with suppress(OSError):
                part.unlink()
        return
    _written.append(path)
    if len(_written) % EVERY == 1:
        _clear_up(path.parent)


_written: list[Path] = []


def _clear_up(where: Path) -> None:
    """Keep the folder bounded, and free of what interrupted processes left behind."""
    found = [(entry, path) for path in (*files(where), *_unfinished(where)) if (entry := _stat(path))]
    total = sum(entry.st_size for entry, _ in found)
    if total <= LIMIT:
        return
    for entry, path in sorted(found, key=lambda pair: pair[0].st_mtime):
        if total <= KEPT * LIMIT:
            break
        with suppress(OSError):
            path.unlink()
            total -= entry.st_size


def _digest(code: bytes) -> bytes:
    return blake2b(code, digest_size=DIGEST).digest()
