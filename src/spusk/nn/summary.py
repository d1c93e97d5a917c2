"""The table of a network's layers, output shapes and parameter counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from spusk.errors import ShapeError
from spusk.graph import Tensor
from spusk.graph import input as new_input
from spusk.nn.layer import Layer
from spusk.nn.scope import Scope

BATCH = 7919  # stands for n while shapes are found: a prime that no layer has as its width by accident
WIDEST = 48


class Row(NamedTuple):
    name: str
    layer: str
    output: str = ""
    parameters: str = ""


def summary(net: Layer, input_shape: tuple[int, ...] | None = None) -> str:
    """See `Layer.summary`."""
    given, outputs = _shapes(net, input_shape)
    rows = [Row("", "input", _shape(given))]
    rows += _rows(net, "", outputs) if net.children() else [_row(net, "", outputs)]
    total = Row("", "total", "", f"{_count(net):,}")
    return _table(Row("name", "layer", "output", "parameters"), rows, total)


def _shapes(net: Layer, input_shape: tuple[int, ...] | None) -> tuple[Tensor | None, dict[str, Tensor]]:
    """The input, and every layer's output by path, as far as they are known: graph, not values."""
    outputs: dict[str, Tensor] = {}
    width = _width(net)
    if input_shape is None and width is None:
        return None, outputs
    x = new_input("x", (BATCH, *(input_shape if input_shape is not None else (width,))))  # pyright: ignore[reportArgumentType]
    given = {p.name: new_input(p.name, p.shape) for p in net.parameters()}
    try:
        net(Scope(given, outputs=outputs), x)
    except Exception as error:
        # The shape was a guess: a function in the network may want another, so show what is known.
        if input_shape is not None:
            if isinstance(error, ShapeError):
                raise ShapeError(str(error).replace(str(BATCH), "n")) from None
            raise
    return x, outputs


def _width(layer: Layer) -> int | None:
    """`n_in` of the first layer that has it."""
    own: Any = getattr(layer, "n_in", None)
    if isinstance(own, int):
        return own
    return next((w for child in layer.children().values() if (w := _width(child)) is not None), None)


def _rows(layer: Layer, path: str, outputs: Mapping[str, Tensor]) -> Iterator[Row]:
    for name, child in layer.children().items():
        inner = f"{path}.{name}" if path else name
        yield _row(child, inner, outputs)
        yield from _rows(child, inner, outputs)


def _row(layer: Layer, path: str, outputs: Mapping[str, Tensor]) -> Row:
    """One layer; what its children hold is counted in their own rows."""
    children = layer.children().values()
    own = _count(layer) - sum(_count(child) for child in children)
    shown = type(layer).__name__ if children else repr(layer)
    shown = shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"
    return Row(path, shown, _shape(outputs.get(path)), "" if children and not own else f"{own:,}")


def _count(layer: Layer) -> int:
    return sum(math.prod(p.shape) for p in layer.parameters())


def _shape(t: Tensor | None) -> str:
    if t is None:
        return "?"
    sizes = ["n" if axis == 0 and n == BATCH else str(n) for axis, n in enumerate(t.shape)]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _table(header: Row, rows: list[Row], total: Row) -> str:
    widths = [max(len(row[i]) for row in (header, *rows, total)) for i in range(4)]
    rule = Row(*("─" * w for w in widths))
    lines = [header, rule, *rows, rule, total]
    return "\n".join(_line(row, widths) for row in lines)


def _line(row: Row, widths: list[int]) -> str:
    text = [cell.ljust(w) for cell, w in zip(row[:3], widths, strict=False)]
    return "  ".join([*text, row.parameters.rjust(widths[3])]).rstrip()
