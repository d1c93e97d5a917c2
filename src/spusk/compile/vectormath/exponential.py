"""exp, expm1, tanh and sigmoid: all from exp(r) on |r| ≤ ln2/2 and a power of two.

With n = x/ln2 rounded to a whole number and r = x − n·ln2, exp(x) = 2ⁿ·exp(r); n·ln2 is subtracted in two
parts, of which the first times n has no rounding error (Cody & Waite, 1980, "Software manual for the
elementary functions", ch. 6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from spusk.compile.vectormath.arithmetic import (
    fma,
    maximum,
    minimum,
    polynomial,
    rounding_shift,
)
from spusk.compile.vectormath.builder import Value, absolute, where, with_sign
from spusk.compile.vectormath.coefficients import EXP

# ln2 = high + low; high has so few bits that its product with an exponent is exact. The digits of low are
# those of mpmath's log(2) − high.
LN2 = {
    "float32": (0.693145751953125, 1.4286068203094172e-06),
    "float64": (0.6931471805598903, 5.497923018708371e-14),
}

# Outside of these, the result is a constant: exp's above and below, and where expm1 rounds to −1, and e + 2
# to e = exp(x) − 1, so that tanh(x/2) is 1.
OVERFLOW = {"float32": 89.0, "float64": 710.0}
UNDERFLOW = {"float32": -104.0, "float64": -746.0}
NEGLIGIBLE = {"float32": 20.0, "float64": 40.0}


def reduced(x: Value, offset: int) -> tuple[Value, Value]:
    """n + offset, in the lowest bits of a float, and r."""
    high, low = LN2[x.format.dtype]
    shift = rounding_shift(x, offset)
    shifted = fma(x, 1 / math.log(2), shift)
    n = shifted - shift
    return shifted, fma(n, -low, fma(n, -high, x))


def expm1_near_0(r: Value, coefficients: Sequence[float]) -> Value:
    """exp(r) − 1 for |r| ≤ ln2/2."""
    return fma(r * r, polynomial(r, coefficients), r)


def power_of_two(shifted: Value) -> Value:
    """2ⁿ, where n + bias stands in the lowest bits of a float."""
    return (shifted.as_bits() << shifted.format.fraction).as_float()


def exp_within_range(x: Value, correction: Value | None = None) -> Value:
    """exp(x + correction) for UNDERFLOW ≤ x ≤ OVERFLOW and a small correction.

    2ⁿ may be infinite or subnormal when the result is not, so it is the product of two factors.
    """
    f = x.format
    shifted, r = reduced(x, 2 * f.bias)
    if correction is not None:
        r = r + correction
    both = shifted.as_bits()
    half = both >> 1
    y = 1 + expm1_near_0(r, EXP[f.dtype])
    return y * (half << f.fraction).as_float() * ((both - half) << f.fraction).as_float()


def exp(x: Value) -> Value:
    """eˣ."""
    dtype = x.format.dtype
    return exp_within_range(maximum(minimum(x, OVERFLOW[dtype]), UNDERFLOW[dtype]))


def expm1_above(x: Value) -> Value:
    """eˣ − 1 for −NEGLIGIBLE ≤ x ≤ OVERFLOW.

    2ⁿ·(exp(r) − 1) + (2ⁿ − 1), halved since 2ⁿ may overflow.
    """
    shifted, r = reduced(x, x.format.bias - 1)
    half = power_of_two(shifted)
    return 2 * fma(expm1_near_0(r, EXP[x.format.dtype]), half, half - 0.5)


def expm1(x: Value) -> Value:
    """eˣ − 1."""
    dtype = x.format.dtype
    y = expm1_above(maximum(minimum(x, OVERFLOW[dtype]), -NEGLIGIBLE[dtype]))
    # Halving loses the last bit of a subnormal number, and the sum the sign of −0.
    return where(absolute(x) < 2.0**-x.format.precision, x, y)


def tanh(x: Value) -> Value:
    """tanh(x) = e/(e + 2) with e = exp(2|x|) − 1, and x's sign."""
    e = expm1_above(minimum(2 * absolute(x), NEGLIGIBLE[x.format.dtype]))
    return with_sign(e / (e + 2), x)


def sigmoid(x: Value) -> Value:
    """1/(1 + e⁻ˣ) for x ≥ 0 and eˣ/(1 + eˣ) below, so that nothing overflows and small results are exact."""
    e = exp_within_range(maximum(-absolute(x), UNDERFLOW[x.format.dtype]))
    return where(x >= 0, 1.0, e) / (1 + e)
