"""Elementary functions as text in LLVM's language, which the loop vectoriser turns into vector instructions.

LLVM has no vector form of exp and its like without a vendor's library, so the formulas are written out here:
without branches, tables and calls except of intrinsics that are instructions. Subnormal numbers, signed
zeros, infinities and NaN come out as in C99, Annex F. The greatest error of each function stands in
tests/compile/vectormath/test_accuracy.py; none reaches 3 units in the last place.
"""

from spusk.compile.vectormath.functions import ARGUMENTS, declarations, definition

__all__ = ["ARGUMENTS", "declarations", "definition"]
