"""Values that are given to a graph's inputs, as arrays of the inputs' dtypes: nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spusk.errors import InputError, SpuskError
from spusk.graph.dtypes import DType

NEEDED = {"b": "truth values", "i": "whole numbers", "u": "whole numbers", "f": "numbers"}
KINDS = {"b": "truth values", "c": "complex numbers", "U": "texts", "S": "bytes", "O": "objects"}


def held(what: str, value: Any, dtype: DType) -> NDArray[Any]:
    """A value as an array of a dtype that can hold it; an array that has the dtype is returned as it is.

    Whole numbers become floats and floats are rounded to a shorter dtype, as NumPy does it. Floats that are
    whole numbers become such, and the numbers 0 and 1 truth values. Any byte order is accepted.

    Args:
        what: whose value it is, for the sentence of an error, e.g. "input 'x'".
        value: an array, a number or nested lists of numbers.
        dtype: of the result.

    Raises:
        InputError: if a number has a fraction where a whole one is needed, or is out of the dtype's range; if
            truth values, texts, complex numbers or other objects are given for numbers; if lists are ragged.

    >>> held("input 'n'", [1.0, 2.0], np.dtype("int8"))
    array([1, 2], dtype=int8)
    >>> held("input 'n'", [1.0, 2.5], np.dtype("int8"))
    Traceback (most recent call last):
    spusk.errors.InputError: input 'n' was given 2.5; it needs whole numbers (int8)
    >>> held("input 'n'", 300, np.dtype("int8"))
    Traceback (most recent call last):
    spusk.errors.InputError: input 'n' was given 300; it needs whole numbers from -128 to 127 (int8)
    """
    if type(value) is np.ndarray and value.dtype is dtype:
        return value

    def refused(found: str, needed: str = "") -> InputError:
        return InputError(f"{what} was given {found}; it needs {needed or NEEDED[dtype.kind]} ({dtype.name})")

    array = _numbers(value, dtype, refused)
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in ("iuf" if dtype.kind != "b" else "biuf"):
        raise refused(_in_words(array))
    with np.errstate(all="ignore"):
        result = array.astype(dtype)
        lost = _lost(array, result)
    if lost is not None and lost.any():
        first = array[lost].flat[0]
        is_whole = array.dtype.kind != "f" or float(first).is_integer()
        raise refused(str(first), _range(dtype) if is_whole else "")
    if dtype.kind in "iu" and array.dtype.kind == "f" and isinstance(value, (list, tuple)):
        return np.array(value, dtype)  # NumPy takes some lists of long whole numbers for floats
    return result


def _numbers(value: Any, dtype: DType, refused: Callable[..., InputError]) -> NDArray[Any]:
    """The value as NumPy takes it."""
    try:
        array: NDArray[Any] = np.asarray(value)
    except SpuskError as error:  # a Tensor whose value is not known
        raise refused("a Tensor") from error
    except (TypeError, ValueError, OverflowError):
        raise refused(f"a ragged {type(value).__name__} {value!r:.60}", "a rectangular array") from None
    if array.dtype.kind != "O" or isinstance(value, np.ndarray):
        return array
    # Python's whole numbers may be longer than 64 bits.
    found: list[Any] = array.ravel().tolist()
    strange = [n for n in found if type(n) not in (int, float)]
    if strange:
        raise refused(f"{type(strange[0]).__name__} {strange[0]!r:.60}")
    if dtype.kind != "f":
        raise refused(f"{max(found, key=abs)!s:.60}", _range(dtype))
    try:
        return np.array([float(n) for n in found]).reshape(array.shape)
    except OverflowError:
        raise refused(f"{max(found, key=abs)!s:.60}…", _range(dtype)) from None


def _lost(array: NDArray[Any], result: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Which elements the result does not hold; None if it can hold all."""
    dtype = result.dtype
    if np.can_cast(array.dtype, dtype):
        return None
    if dtype.kind == "b":
        return (array != 0) & (array != 1)
    if dtype.kind == "f":
        return None if array.dtype.kind in "iu" else np.isfinite(array) & ~np.isfinite(result)
    info = np.iinfo(dtype)
    if array.dtype.kind != "f":
        return (array < info.min) | (array > info.max)
    wide = array.astype(np.float64) if array.dtype.itemsize < 8 else array
    inside = (wide >= float(info.min)) & (wide < float(int(info.max) + 1))  # both bounds are powers of two
    return ~inside | (np.trunc(wide) != wide)


def _range(dtype: DType) -> str:
    if dtype.kind == "f":
        return f"numbers up to ±{np.finfo(dtype).max:.2g}"
    if dtype.kind == "b":
        return NEEDED["b"]
    return f"whole numbers from {np.iinfo(dtype).min} to {np.iinfo(dtype).max}"


def _in_words(array: NDArray[Any]) -> str:
    """What there is instead of numbers: one value as it is, of many the first."""
    kind = KINDS.get(array.dtype.kind, f"{array.dtype.name} values")
    if not array.size:
        return kind
    first = array.ravel()[:1]
    shown = str(first[0]) if array.dtype.kind in "mM" else repr(first.tolist()[0])
    return f"{kind} such as {shown:.60}" if array.ndim else f"{shown:.60}"
