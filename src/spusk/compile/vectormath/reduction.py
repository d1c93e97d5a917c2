"""x modulo π/2, for every x: Payne & Hanek, 1983, "Radian reduction for trigonometric functions".

x = m·2ᵉ with a whole m, so those bits of 2/π whose weight is 2^(2 − e) or more add multiples of 4 to x·2/π,
which are whole turns, and those far below add nothing that is seen. A window between is multiplied by m.
Three words are enough: with float64, 2 bits before the point, 53 as m has, 61 that may be zeros since no x is
nearer to a multiple of π/2 (Muller, "Elementary Functions", 3rd ed., §11.3), and 76 for the remainder.

Small x go the same way: without branches, a shorter way would be computed besides, not instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from spusk.compile.vectormath.arithmetic import fast_two_sum, two_product
from spusk.compile.vectormath.builder import BINARY32, BINARY64, Value, where

# The first 1280 bits of 2/π after the point: floor(2/π·2^1280), from mpmath.
TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921c"
    "fe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980f"
    "ef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d08"
    "56033046fc7b6babf0cfbc209af4361d",
    16,
)
PI_HALF = (1.5707963267948966, 6.123233995736766e-17)
LOW_HALF = (1 << 32) - 1

# As many words as the window can reach for the greatest exponent.
WORDS = {"float32": 8, "float64": 20}
# Below this size, x is its own remainder.
REDUCED_FROM = 0.75


@dataclass(frozen=True)
class Remainder:
    """x = quadrant·π/2 + r + r_low (mod 2π), with |r| ≤ π/4 and a little.

    Attributes:
        quadrant: 0 to 3, in the lowest bits of an integer.
        r: the remainder.
        r_low: what rounding r left over, where that is needed.
    """

    quadrant: Value
    r: Value
    r_low: Value | None


def reduced(size: Value) -> Remainder:
    """The remainder of a number that is not negative."""
    return _reduced32(size) if size.format == BINARY32 else _reduced64(size)


def _window(size: Value) -> tuple[Value, list[Value]]:
    """m, and the three words of 2/π whose first two bits weigh 2 and 1 when multiplied by m·2ᵉ."""
    f = size.format
    bits = size.as_bits()
    m = (bits & ((1 << f.fraction) - 1)) | (1 << f.fraction)
    # The words start with one of zeros: bits of the weights 2^(bits − 1) to 2⁰.
    position = (bits >> f.fraction) - (f.bias + f.fraction + 1 - (f.bits - 1))
    count = WORDS[f.dtype]
    words = [bits.constant(word) for word in [0, *_words(f.bits)[: count - 1]]]
    word_bits = f.bits.bit_length() - 1
    # Move the words to the front by the binary digits of the position, keeping those that may still count.
    for digit in reversed(range((count - 4).bit_length())):
        step = 1 << digit
        moved = position.has_bit(word_bits + digit)
        words = [
            where(moved, words[i + step], words[i]) if i + step < len(words) else words[i]
            for i in range(min(len(words), 3 + step))
        ]
    shift = position & (f.bits - 1)
    rest = (f.bits - 1) - shift
    # Two shifts for the second part, as a shift by all bits would be undefined.
    return m, [(a << shift) | ((b >> 1) >> rest) for a, b in pairwise(words)]


def _words(bits: int) -> list[int]:
    """2/π in words, the highest bits first."""
    return [(TWO_OVER_PI >> start) & ((1 << bits) - 1) for start in range(1280 - bits, -1, -bits)]


def _signed(bits: Value) -> tuple[Value, Value]:
    """A signed 64-bit integer as a sum of float64: the upper half times 2³² and the lower."""
    upper = (bits >> 32) ^ (BINARY64.pattern(2.0**84) ^ (1 << 31))
    lower = (bits & LOW_HALF) | BINARY64.pattern(2.0**52)
    return upper.as_float() - (2.0**84 + 2.0**63), lower.as_float() - 2.0**52


def _quadrant(turns: Value) -> Value:
    """The nearest whole number to a fraction of which two bits stand before the point."""
    return (turns + (1 << 61)) >> 62


def _reduced32(size: Value) -> Remainder:
    m, window = _window(size)
    m = m.extended()
    w0, w1, w2 = (w.extended() for w in window)
    turns = ((m * w0) << 32) + m * w1 + ((m * w2) >> 32)
    upper, lower = _signed(turns << 2)
    r = ((upper + lower) * (PI_HALF[0] * 2.0**-64)).truncated()
    own = size < REDUCED_FROM
    return Remainder(where(own, 0, _quadrant(turns).truncated()), where(own, size, r), None)


def _reduced64(size: Value) -> Remainder:
    m, window = _window(size)
    turns, below = _product(m, window)
    upper, lower = _signed(turns << 2 | below >> 62)
    high, low = fast_two_sum(upper, lower)
    below = below << 2
    # Where the upper 64 bits are 0, the result is these.
    tail = _unsigned(below >> 32) + _unsigned(below & LOW_HALF) * 2.0**-32
    high, low = fast_two_sum(high, low + tail * 2.0**-32)
    scale = 2.0**-64
    r, r_low = two_product(high, PI_HALF[0] * scale)
    r_low = r_low + (high * (PI_HALF[1] * scale) + low * (PI_HALF[0] * scale))
    own = size < REDUCED_FROM
    return Remainder(where(own, 0, _quadrant(turns)), where(own, size, r), where(own, 0.0, r_low))


def _unsigned(half: Value) -> Value:
    """A number below 2³² as float64."""
    return (half | BINARY64.pattern(2.0**52)).as_float() - 2.0**52


def _product(m: Value, window: list[Value]) -> tuple[Value, Value]:
    """The upper 128 bits of m times the window, modulo 2^192; the last two bits may be wrong.

    In columns of 32 bits, since no vector unit multiplies 64 bits to 128. m's upper part has 21 bits, so a
    column's sum stays below 2⁶⁴.
    """
    m_low, m_high = m & LOW_HALF, m >> 32
    w = [half for word in window for half in (word >> 32, word & LOW_HALF)]
    products = [m_low * v for v in w]
    columns = [(products[i] & LOW_HALF) + (products[i + 1] >> 32) + m_high * w[i + 1] for i in range(5)]
    for i in (4, 3, 2):
        columns[i - 1] = columns[i - 1] + (columns[i] >> 32)
    return (columns[0] << 32) + columns[1], (columns[2] << 32) | (columns[3] & LOW_HALF)
