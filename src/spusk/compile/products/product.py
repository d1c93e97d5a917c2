"""What is to be multiplied: a matrix product with its sizes and strides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from spusk.errors import InputError

Strides = tuple[int, int]


@dataclass(frozen=True)
class Product:
    """C[i, j] = Σₗ A[i, l]·B[l, j], all sizes and strides known when it is compiled.

    Args:
        dtype: of A, B and C.
        m: rows of A and C; 0 or more, as are n and k.
        n: columns of B and C.
        k: columns of A, rows of B. With k = 0 the sum is 0.
        a: strides of A along (m, k), in elements.
        b: strides of B along (k, n).
        c: strides of C along (m, n). C overlaps neither A nor B.
        accumulate: add to C what it held before: C += A·B.

    Raises:
        InputError: for a negative size, or strides at which elements of C coincide.

    >>> Product.of_rows("float32", 32, 10, 64)
    Product(dtype='float32', m=32, n=10, k=64, a=(64, 1), b=(10, 1), c=(10, 1), accumulate=False)
    """

    dtype: Literal["float32", "float64"]
    m: int
    n: int
    k: int
    a: Strides
    b: Strides
    c: Strides
    accumulate: bool = False

    def __post_init__(self) -> None:
        if min(self.m, self.n, self.k) < 0:
            raise InputError(
                f"a product got sizes m, n, k = {self.m}, {self.n}, {self.k}; none may be negative"
            )
        along = sorted(axis for axis in zip(self.c, (self.m, self.n), strict=True) if axis[1] > 1)
        past = 0  # one axis's last element lies before the other axis's second one
        for stride, length in along if self.m and self.n else ():
            if stride <= past:
                raise InputError(
                    f"a product got C of {self.m} × {self.n} with strides {self.c}: its elements coincide"
                )
            past = stride * (length - 1)

    @classmethod
    def of_rows(cls, dtype: Literal["float32", "float64"], m: int, n: int, k: int) -> Product:
        """The product of two whole matrices stored row by row."""
        return cls(dtype, m, n, k, (k, 1), (n, 1), (n, 1))

    @property
    def transposed(self) -> Product:
        """Cᵀ = Bᵀ·Aᵀ: the same elements, A and B exchanged."""
        return replace(self, m=self.n, n=self.m, a=self.b[::-1], b=self.a[::-1], c=self.c[::-1])

    @property
    def normal(self) -> Product:
        """With stride 1 along each axis of length 1, where any stride means the same."""
        m, n, k = self.m, self.n, self.k

        def unit(strides: Strides, lengths: tuple[int, int]) -> Strides:
            first, second = (s if size > 1 else 1 for s, size in zip(strides, lengths, strict=True))
            return first, second

        return replace(self, a=unit(self.a, (m, k)), b=unit(self.b, (k, n)), c=unit(self.c, (m, n)))

    @property
    def element(self) -> str:
        """LLVM's name of the dtype."""
        return {"float32": "float", "float64": "double"}[self.dtype]

    @property
    def element_bytes(self) -> int:
        return {"float32": 4, "float64": 8}[self.dtype]

    @property
    def flops(self) -> int:
        """Additions and multiplications."""
        return 2 * self.m * self.n * self.k
