"""The error function: an odd polynomial up to 1, and 1 − exp(a polynomial) beyond."""

from __future__ import annotations

from spusk.compile.vectormath.arithmetic import fma, minimum, polynomial
from spusk.compile.vectormath.builder import Value, absolute, where, with_sign
from spusk.compile.vectormath.coefficients import ERF, EXP, LOG_ERFC
from spusk.compile.vectormath.exponential import expm1_near_0, power_of_two, reduced

# From here on, erf rounds to 1; the polynomial LOG_ERFC was fitted up to here.
ONE_FROM = {"float32": 4.0, "float64": 6.0}


def erf(x: Value) -> Value:
    """erf(x) = 2/√π·∫exp(−t²)dt from 0 to x."""
    f = x.format
    near = fma(x, polynomial(x * x, ERF[f.dtype]), x)
    size = absolute(x)
    log_erfc = polynomial(minimum(size, ONE_FROM[f.dtype]), LOG_ERFC[f.dtype])
    shifted, r = reduced(log_erfc, f.bias)
    erfc = (1 + expm1_near_0(r, EXP[f.dtype])) * power_of_two(shifted)
    return where(size < 1.0, near, with_sign(1 - erfc, x))
