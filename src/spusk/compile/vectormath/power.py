"""pow: exp(y·log|x|), its logarithm exact enough for a large y, with the signs and limits of C99, F.9.4.4."""

from __future__ import annotations

import math

from spusk.compile.vectormath.arithmetic import (
    Pair,
    fast_two_sum,
    fma,
    maximum,
    minimum,
    polynomial,
    two_product,
)
from spusk.compile.vectormath.builder import Value, absolute, where
from spusk.compile.vectormath.coefficients import ATANH
from spusk.compile.vectormath.exponential import (
    LN2,
    OVERFLOW,
    UNDERFLOW,
    exp_within_range,
)
from spusk.compile.vectormath.logarithm import scientific_subnormal_too


def power(x: Value, y: Value) -> Value:
    """x to the power y; of a negative x only for a whole y, else NaN."""
    return _signed(x, y, _magnitude(absolute(x), y))


def _signed(x: Value, y: Value, magnitude: Value) -> Value:
    """|x|^y with its sign, and the cases where a limit is not what C99 asks."""
    y_size = absolute(y)
    whole, odd = _whole(y_size), _odd(y_size)
    negative = x.as_bits() & (1 << (x.format.bits - 1))
    result = (magnitude.as_bits() ^ where(odd, negative, 0)).as_float()
    rooted = (x < 0.0) & (x > -math.inf) & (whole ^ 1)
    result = where(rooted, math.nan, result)
    # Even of and to NaN. Of (−1)^y, y·log|x| would be ∞·0, or its rounding error would, from where Dekker's
    # product overflows; by far below, all y are even.
    all_even = y_size >= 2.0 ** (x.format.precision + 1)
    one = y.equals(0.0) | x.equals(1.0) | (x.equals(-1.0) & all_even)
    return where(one, 1.0, result)


def _whole(size: Value) -> Value:
    """Whether a number that is not negative is whole; ∞ is."""
    point = 2.0**size.format.fraction
    return size.equals((size + point) - point) | (size >= point)


def _odd(size: Value) -> Value:
    """Whether a number that is not negative is odd; large ones are even."""
    return _whole(size) & (_whole(0.5 * size) ^ 1)


def _log_limits(size: Value, log: Value) -> Value:
    """log(size) where size is positive and finite, else ±∞ or NaN."""
    return where(size.equals(0.0), -math.inf, where(size < math.inf, log, size))


def _magnitude(size: Value, y: Value) -> Value:
    """size^y = exp(y·log(size)).

    The product has up to 10 bits before the point (float32: 7), so log is needed to as many bits more than
    its format has.
    """
    dtype = size.format.dtype
    log, log_low = _log(*scientific_subnormal_too(size))
    product, error = two_product(y, _log_limits(size, log))
    # Elsewhere, the product may have no error: it is infinite, or its halves are.
    correction = where(absolute(product) < 2 * OVERFLOW[dtype], error + y * log_low, 0.0)
    return exp_within_range(maximum(minimum(product, OVERFLOW[dtype]), UNDERFLOW[dtype]), correction)


def _log(significand: Value, exponent: Value) -> Pair:
    """exponent·ln2 + 2s + s³·q(s²) as a pair, where s = f/(2 + f) and f = significand − 1.

    What is less than 2^-12 of the whole, all of q but its first coefficient, needs no pairs.
    """
    f = significand - 1
    inverse = 1 / (2 + f)
    d, d_low = fast_two_sum(f.constant(2.0), f)
    # s·d + rest = f
    s = f * inverse
    p, p_low = two_product(s, d)
    s_low = (((f - p) - p_low) - s * d_low) * inverse

    z, z_low = two_product(s, s)
    z_low = z_low + 2 * s * s_low
    cube, cube_low = two_product(s, z)
    cube_low = cube_low + (s * z_low + s_low * z)
    two_thirds, *others = ATANH[f.format.dtype]
    q, q_low = fast_two_sum(z.constant(two_thirds), z * polynomial(z, others))
    t, t_low = two_product(cube, q)
    t_low = t_low + (cube * q_low + cube_low * q)

    high, low = LN2[f.format.dtype]
    first, error1 = fast_two_sum(exponent * high, 2 * s)
    second, error2 = fast_two_sum(first, t)
    return fast_two_sum(second, error1 + (error2 + (fma(exponent, low, 2 * s_low) + t_low)))
