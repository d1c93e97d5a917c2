"""log and log1p, from the logarithm of a significand between √½ and √2 and an exponent times ln2."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spusk.compile.vectormath.arithmetic import fma, polynomial, two_sum
from spusk.compile.vectormath.builder import BINARY32, Value, where
from spusk.compile.vectormath.coefficients import ATANH, LOG
from spusk.compile.vectormath.exponential import LN2


@dataclass(frozen=True)
class Scientific:
    """x = significand·2^exponent with √½ ≤ significand < √2, for positive and finite x.

    Attributes:
        significand: near 1.
        exponent: a whole number, as a float.
        stored: exponent + bias, as an integer.
    """

    significand: Value
    exponent: Value
    stored: Value


def scientific(x: Value) -> Scientific:
    """Splits a positive, finite, normal number; whatever comes of others is no trap."""
    f = x.format
    lowest = f.pattern(math.sqrt(0.5))
    # The addition carries into the exponent from √2 upwards.
    bits = x.as_bits() + (f.pattern(1.0) - lowest)
    stored = bits >> f.fraction
    significand = ((bits & ((1 << f.fraction) - 1)) + lowest).as_float()
    # AVX2 has no conversion of 64-bit integers; below the point of 2^fraction they are in place.
    point = 2.0**f.fraction
    exponent = (stored | f.pattern(point)).as_float() - (point + f.bias)
    return Scientific(significand, exponent, stored)


def scientific_subnormal_too(x: Value) -> tuple[Value, Value]:
    """The significand and the exponent of a positive, finite number, which may be subnormal."""
    f = x.format
    subnormal = x < 2.0 ** (1 - f.bias)
    parts = scientific(where(subnormal, x * 2.0**f.precision, x))
    return parts.significand, parts.exponent - where(subnormal, x.constant(f.precision), 0.0)


def log_of_scientific(significand: Value, exponent: Value, correction: Value | None = None) -> Value:
    """log(significand + correction) + exponent·ln2, where the correction is below a unit in the last place.

    With s = f/(2 + f), log(1 + f) = 2·atanh(s), and it differs from f by f²/2 − s·(f²/2 + R(s²)): Tang,
    1990, "Table-driven implementation of the logarithm function"; the rearrangement is FDLIBM's (e_log.c).
    For float32, the division costs more than a longer polynomial in f.
    """
    f = significand - 1
    high, low = LN2[f.format.dtype]
    half_square = 0.5 * f * f
    rest = exponent * low
    if correction is not None:
        rest = rest + correction
    if f.format == BINARY32:
        rest = fma(f * f * f, polynomial(f, LOG["float32"]), rest)
    else:
        s = f / (2 + f)
        z = s * s
        rest = fma(s, fma(z, polynomial(z, ATANH["float64"]), half_square), rest)
    return fma(exponent, high, f - (half_square - rest))


def with_limits(x: Value, y: Value) -> Value:
    """y = log(x) where x is positive and finite, else the limit or NaN."""
    positive = where(x < math.inf, y, x)
    return where(x > 0.0, positive, where(x.equals(0.0), x.constant(-math.inf), math.nan))


def log(x: Value) -> Value:
    """The natural logarithm; −∞ at ±0, NaN below."""
    return with_limits(x, log_of_scientific(*scientific_subnormal_too(x)))


def log1p(x: Value) -> Value:
    """log(1 + x), of the rounded sum and the rounding error."""
    f = x.format
    total, error = two_sum(1.0, x)
    parts = scientific(total)
    # 2^−exponent. It is no number for the greatest exponent, and from 2⁶⁴ on the error is nothing.
    scale = ((2 * f.bias - parts.stored) << f.fraction).as_float()
    correction = where(total < 2.0**64, error * scale, 0.0)
    y = with_limits(total, log_of_scientific(parts.significand, parts.exponent, correction))
    return where(x.equals(0.0), x, y)
