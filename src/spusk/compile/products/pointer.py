"""Where the BLAS that SciPy carries can be called natively."""

from __future__ import annotations

import ctypes
import importlib
import re
from typing import Any, Literal

from spusk.errors import InputError

REALS = {"sgemm": "float", "dgemm": "double"}
SIGNATURE = (
    "void (char *, char *, int *, int *, int *, {0} *, {0} *, int *, {0} *, int *, {0} *, {0} *, int *)"
)


def blas_pointer(name: Literal["sgemm", "dgemm"]) -> int:
    """The address of BLAS's function, to be given to a compiled program when it runs.

    Raises:
        InputError: if SciPy's function has other arguments than expected, such as 64-bit integers.
    """
    blas: Any = importlib.import_module("scipy.linalg.cython_blas")  # late: SciPy takes long to import
    capsule: Any = blas.__pyx_capi__[name]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    signature: bytes = name_of(capsule)
    expect_signature(name, signature.decode())
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer_of(capsule, signature))


def expect_signature(name: Literal["sgemm", "dgemm"], signature: str) -> None:
    """Raises InputError unless the signature, as Cython writes it, is that of BLAS with 32-bit integers."""
    # Cython calls float `__pyx_t_5scipy_6linalg_11cython_blas_s`.
    real = REALS[name]
    plain = re.sub(rf"\b__pyx_t_\w*cython_blas_{name[0]}\b", real, signature)
    if plain != SIGNATURE.format(real):
        raise InputError(f"SciPy's {name} has the signature {plain!r}; it needs {SIGNATURE.format(real)!r}")
