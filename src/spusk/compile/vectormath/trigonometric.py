"""sin and cos, for every number: both series on |r| ≤ π/4, and the quadrant says which and with what sign.

The order of the additions for float64 is that of FDLIBM's k_sin.c and k_cos.c, so that the remainder's low
part counts.
"""

from __future__ import annotations

import math

from spusk.compile.vectormath.arithmetic import fma, polynomial
from spusk.compile.vectormath.builder import Value, absolute, where
from spusk.compile.vectormath.coefficients import COS, SIN
from spusk.compile.vectormath.reduction import Remainder, reduced


def sin(x: Value) -> Value:
    """sin(x), x in radians."""
    size = absolute(x)
    remainder = reduced(size)
    sign = x.as_bits() & (1 << (x.format.bits - 1))
    return _in_quadrant(size, remainder, remainder.quadrant, sign)


def cos(x: Value) -> Value:
    """cos(x) = sin(|x| + π/2)."""
    size = absolute(x)
    remainder = reduced(size)
    return _in_quadrant(size, remainder, remainder.quadrant + 1, None)


def _in_quadrant(size: Value, remainder: Remainder, quadrant: Value, sign: Value | None) -> Value:
    """sin of a quarter of the circle and the remainder; NaN for infinite sizes."""
    sine, cosine = _series(remainder)
    y = where(quadrant.has_bit(0), cosine, sine)
    flip = (quadrant & 2) << (size.format.bits - 2)
    y = (y.as_bits() ^ (flip if sign is None else flip ^ sign)).as_float()
    return where(size < math.inf, y, math.nan)


def _series(remainder: Remainder) -> tuple[Value, Value]:
    """sin and cos of the remainder."""
    r, low = remainder.r, remainder.r_low
    dtype = r.format.dtype
    z = r * r
    sine_rest = r * z * polynomial(z, SIN[dtype])
    cosine_rest = z * z * polynomial(z, COS[dtype])
    half = 0.5 * z
    first = 1 - half
    if low is None:
        return r + sine_rest, first + cosine_rest
    # sin(r + low) = sin(r) + low·cos(r), cos(r + low) = cos(r) − low·sin(r).
    sine = r + fma(low, first, sine_rest)
    return sine, first + ((1 - first - half) + (cosine_rest - r * low))
