"""Prints src/spusk/compile/vectormath/coefficients.py; takes about a minute.

    python tools/vectormath_coefficients.py > src/spusk/compile/vectormath/coefficients.py

Each weight makes the error that of the function's value, in relation to that value.
"""

from __future__ import annotations

import numpy as np
from minimax import Problem, minimax
from mpmath import mp, mpf

mp.dps = 60

# A little more than the ranges that the reductions leave, since those round, too.
EXP = float(mp.log(2) / 2 * mpf("1.0002"))
MANTISSA = float(mp.sqrt(2) * mpf("1.00001"))
ATANH = (MANTISSA - 1) / (MANTISSA + 1)
ANGLE = float(mp.pi / 4 * mpf("1.0001"))
# The interval of a function of x² starts beside 0, where the quotients are 0/0.
NEAR_0 = 1e-9


def square(x: mpf) -> mpf:
    return x * x


def exp(terms: int) -> Problem:
    return Problem(lambda r: (mp.expm1(r) - r) / r**2, lambda r: abs(r**2 / mp.expm1(r)), -EXP, EXP, terms)


def log(terms: int) -> Problem:
    low, high = 1 / MANTISSA - 1, MANTISSA - 1
    return Problem(
        lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, lambda f: abs(f**3 / mp.log1p(f)), low, high, terms
    )


def atanh(terms: int, dtype: str) -> Problem:
    leading = (float(np.dtype(dtype).type(2) / np.dtype(dtype).type(3)),)
    return Problem(
        lambda s: (2 * mp.atanh(s) / s - 2) / s**2, lambda s: s**2 / 2, NEAR_0, ATANH, terms, square, leading
    )


def sin(terms: int) -> Problem:
    return Problem(
        lambda x: (mp.sin(x) / x - 1) / x**2, lambda x: x**3 / mp.sin(x), NEAR_0, ANGLE, terms, square
    )


def cos(terms: int) -> Problem:
    return Problem(
        lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4, lambda x: x**4 / mp.cos(x), NEAR_0, ANGLE, terms, square
    )


def erf(terms: int) -> Problem:
    return Problem(lambda x: mp.erf(x) / x - 1, lambda x: x / mp.erf(x), NEAR_0, 1, terms, square)


def log_erfc(terms: int, high: float) -> Problem:
    return Problem(lambda x: mp.log(mp.erfc(x)), lambda x: mp.erfc(x) / mp.erf(x), 1, high, terms)


TABLE: list[tuple[str, str, dict[str, Problem]]] = [
    ("EXP", "(exp(r) − 1 − r)/r² in powers of r, for |r| ≤ ln2/2.", {"float32": exp(5), "float64": exp(11)}),
    ("LOG", "(log(1 + f) − f + f²/2)/f³ in powers of f, for √½ ≤ 1 + f ≤ √2.", {"float32": log(8)}),
    (
        "ATANH",
        "(2·atanh(s)/s − 2)/s² in powers of s², for |s| ≤ (√2 − 1)/(√2 + 1). The first one is 2/3, rounded.",
        {"float32": atanh(4, "float32"), "float64": atanh(8, "float64")},
    ),
    ("SIN", "(sin(r)/r − 1)/r² in powers of r², for |r| ≤ π/4.", {"float32": sin(3), "float64": sin(6)}),
    ("COS", "(cos(r) − 1 + r²/2)/r⁴ in powers of r², for |r| ≤ π/4.", {"float32": cos(3), "float64": cos(6)}),
    ("ERF", "erf(x)/x − 1 in powers of x², for |x| ≤ 1.", {"float32": erf(7), "float64": erf(12)}),
    (
        "LOG_ERFC",
        "log(1 − erf(x)) in powers of x, for 1 ≤ x ≤ 4 (float32) or 6 (float64), where erf is 1 at last.",
        {"float32": log_erfc(8, 4), "float64": log_erfc(20, 6)},
    ),
]

HEADER = '''"""Polynomials' coefficients, the lowest power first, by the dtype that they are rounded to.

Printed by tools/vectormath_coefficients.py, which says what is approximated; change it there. "Error" is the
greatest relative error that a polynomial, if evaluated without rounding, leaves in the function's value.
"""

from typing import Final

Coefficients = dict[str, tuple[float, ...]]
'''


def main() -> None:
    print(HEADER, end="")
    for name, meaning, problems in TABLE:
        print(f"\n# {meaning}")
        print(f"{name}: Final[Coefficients] = {{")
        for dtype, problem in problems.items():
            coefficients, error = minimax(problem, dtype)
            print(f'    # Error: 2^{np.log2(error):.1f}.\n    "{dtype}": (')
            for c in coefficients:
                print(f"        {np.dtype(dtype).type(c)!s},")
            print("    ),")
        print("}")


if __name__ == "__main__":
    main()
