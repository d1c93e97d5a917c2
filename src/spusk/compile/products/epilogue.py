"""What is done to each element of a product before it is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from spusk.compile.products.emitter import Emitter, Index
from spusk.compile.products.product import Strides


@dataclass(frozen=True)
class Spot:
    """Neighbouring elements of C in one register.

    Args:
        value: their sums, an SSA name.
        lanes: how many they are; one is a scalar.
        row: of the first of them.
        column: of the first of them.
        along: the axis of C on which they are neighbours.
    """

    value: str
    lanes: int
    row: Index
    column: Index
    along: Literal["m", "n"] = "n"

    def load(self, emitter: Emitter, pointer: str, strides: Strides) -> str:
        """The elements of another array at the same places.

        Args:
            pointer: to the array's element (0, 0).
            strides: of the array along (m, n), in elements; 0 where it is broadcast.
        """
        first = emitter.at(pointer, self.row, self.column, strides)
        stride = strides["mn".index(self.along)]
        if stride == 0:
            return emitter.splat(self.lanes, emitter.load(1, first))
        if stride == 1 or self.lanes == 1:
            return emitter.load(self.lanes, first)
        found = "poison"
        for lane in range(self.lanes):
            scalar = emitter.load(1, emitter.address(first, lane * stride))
            found = emitter.value(
                f"insertelement {emitter.type_of(self.lanes)} {found}, {emitter.element} {scalar}, i64 {lane}"
            )
        return found


@dataclass(frozen=True)
class Epilogue:
    """A function of each element and its place, written into the product's loops.

    It must depend on nothing else: at the edges of C an element may be computed and stored twice.

    Args:
        parameters: further parameters of the function, as LLVM text, such as `"ptr noalias readonly %bias"`.
        emit: writes the lines and returns the SSA name of what is stored, of the type of `Spot.value`; None
            if it has stored all there is to store.
    """

    parameters: tuple[str, ...]
    emit: Callable[[Emitter, Spot], str | None]
