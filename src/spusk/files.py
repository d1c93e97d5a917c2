"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from spusk.errors import InputError


def require_writable(path: str | Path) -> None:
    """Tell before any work is done that a file could not be written after it; leaves nothing behind.

    Raises:
        InputError: if `path` is a folder or a read-only file, or no file can be made in its folder; the
            sentence says why.
    """
    from tempfile import TemporaryFile

    target = _target(path)
    if not _is_special(target):
        try:
            TemporaryFile(dir=target.parent).close()
        except OSError as error:
            raise _refusal(path, error) from None


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write a file beside its place and rename it there, so that no half-written file is ever seen.

    A link stays, and the file it leads to is replaced, keeping its permissions; a pipe or a device is
    written to as it is.

    Raises:
        InputError: if the file cannot be written; the sentence says why, and what was there before is kept.
    """
    target = _target(path)
    try:
        if _is_special(target):
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        raise _refusal(path, error) from error
    return Path(path)


def _replace(target: Path, content: bytes) -> None:
    from tempfile import mkstemp

    handle, beside = mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, _mode(target))
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The permissions of a file that is there, or those that a new one gets."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _target(path: str | Path) -> Path:
    """Where a path leads, through links; an InputError if no file can be there."""
    target = Path(path)
    if target.is_dir():
        raise InputError(f"cannot write {str(path)!r}: it is a folder")
    if not _is_special(target):
        target = Path(os.path.realpath(target))
    if not target.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(Path(path).parent)!r}")
    if target.exists() and not (os.access(target, os.W_OK) and target.stat().st_mode & 0o222):
        raise InputError(f"cannot write {str(path)!r}: it is there already, and read-only")
    return target


def _is_special(target: Path) -> bool:
    """Whether this is a pipe or a device, such as /dev/stdout, which must not be replaced by a file."""
    return target.exists() and not target.is_file()


def _refusal(path: str | Path, error: OSError) -> InputError:
    return InputError(f"cannot write {str(path)!r}: {error.strerror or error}")
