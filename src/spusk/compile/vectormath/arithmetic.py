"""What every function is made of: polynomials, rounding to whole numbers, sums and products without error."""

from __future__ import annotations

from collections.abc import Sequence

from spusk.compile.vectormath.builder import Number, Value, where

Pair = tuple[Value, Value]
"""An unevaluated sum high + low, where low is at most about half a unit in the last place of high."""


# More coefficients than these are halved; measured, up to a third faster for erf.
LONG = 5


def fma(a: Value, b: Number, c: Number) -> Value:
    """a·b + c, with one rounding where the processor has it; nothing may depend on that."""
    if not a.body.fma:
        return a * b + c
    return a.body.call("fma", a, *(v if isinstance(v, Value) else a.constant(v) for v in (b, c)))


def polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    """Σ cₖxᵏ by Horner's rule; a long one in two halves, its even powers and its odd ones.

    The steps of Horner's rule wait for one another, and the processor looks only a few vectors ahead for
    other work. The halves do not wait (Knuth, "The Art of Computer Programming", vol. 2, §4.6.4, eq. 4).
    """
    if len(coefficients) > LONG:
        square = x * x
        return fma(polynomial(square, coefficients[1::2]), x, polynomial(square, coefficients[::2]))
    *rest, last = coefficients
    total = x.constant(last)
    for c in reversed(rest):
        total = fma(total, x, c)
    return total


def minimum(x: Value, high: float) -> Value:
    """The smaller one; NaN stays NaN."""
    return where(x > high, high, x)


def maximum(x: Value, low: float) -> Value:
    """The greater one; NaN stays NaN."""
    return where(x < low, low, x)


def rounding_shift(x: Value, offset: int = 0) -> float:
    """What to add to x, |x| < 2^(precision − 3), so that the sum's last place is a 1.

    The sum is then rounded to a whole number, and x + offset stands in its lowest bits. Unlike llvm.rint
    that needs no SSE4.1, unlike fptosi it is defined for NaN, and AVX2 has no conversion to 64 bits.
    """
    return 1.5 * 2.0**x.format.fraction + offset


def fast_two_sum(a: Value, b: Value) -> Pair:
    """a + b without error, if |a| ≥ |b| or a = 0.

    Source: Dekker, 1971, "A floating-point technique for extending the available precision", §4.
    """
    total = a + b
    return total, b - (total - a)


def two_sum(a: Number, b: Value) -> Pair:
    """a + b without error (Knuth, "The Art of Computer Programming", vol. 2, §4.2.2, theorem B)."""
    total = b + a
    b_part = total - a
    return total, (b - b_part) + (a - (total - b_part))


def two_product(a: Value, b: Number) -> Pair:
    """a·b without error, if nothing over- or underflows (Dekker, as above, unless there is fma)."""
    product = a * b
    if a.body.fma:
        return product, fma(a, b, -product)
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b if isinstance(b, Value) else a.constant(b))
    rest = ((a_high * b_high - product) + a_high * b_low) + a_low * b_high
    return product, rest + a_low * b_low


def _halves(x: Value) -> Pair:
    """x as a sum of two numbers of at most half the precision each (Veltkamp's splitting)."""
    shifted = x * (2.0 ** ((x.format.precision + 1) // 2) + 1)
    high = shifted - (shifted - x)
    return high, x - high
