"""Graphs as readable text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spusk.graph.leaves import Constant, Input
from spusk.graph.tensor import Tensor
from spusk.graph.walk import topological


def graph_text(outputs: Tensor | Sequence[Tensor]) -> str:
    """The graph behind one or several Tensors: a line a node, inputs before their users.

    Scalar constants stand inside the lines that use them, and the results are marked.

    >>> from spusk.graph import input
    >>> x, w = input("x", (32, 64)), input("w", (64, 10))
    >>> print(graph_text((x @ w).sum() / 32))
    x  = input               float32 [32, 64]
    w  = input               float32 [64, 10]
    %1 = dot(x, w)           float32 [32, 10]
    %2 = sum(%1, axes=0 1)   float32 []
    %3 = div(%2, 32.0)       float32 []        <- result
    """
    results = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    marked = {id(t) for t in results}
    names: dict[int, str] = {}
    labels: dict[str, int] = {}
    rows: list[tuple[str, str, str, str]] = []
    for t in topological(results):
        if isinstance(t.primitive, Constant) and t.size == 1 and id(t) not in marked:
            names[id(t)] = f"{t.primitive.value.item()}"
            continue
        label = t.primitive.label if isinstance(t.primitive, Input) else "%"
        labels[label] = labels.get(label, 0) + 1
        names[id(t)] = _name(label, labels[label])
        shape = ", ".join(map(str, t.shape))
        mark = "<- result" if id(t) in marked else ""
        rows.append((names[id(t)], _call(t, names), f"{t.dtype.name} [{shape}]", mark))
    name_width, call_width, kind_width = (max((len(row[i]) for row in rows), default=0) for i in range(3))
    return "\n".join(
        f"{name:<{name_width}} = {call:<{call_width}}   {kind:<{kind_width}}  {mark}".rstrip()
        for name, call, kind, mark in rows
    )


def _name(label: str, count: int) -> str:
    """`%3` for the third computed node; `x` for an input, and `x'2` for a second one of that label."""
    if label == "%":
        return f"%{count}"
    return label if count == 1 else f"{label}'{count}"


def _call(t: Tensor, names: Mapping[int, str]) -> str:
    arguments = [names[id(x)] for x in t.inputs]
    if isinstance(t.primitive, Constant):
        arguments += [f"{t.primitive.value.item()}"] if t.size == 1 else []
    elif not isinstance(t.primitive, Input):
        shown = {k: v for k, v in t.primitive.settings().items() if k not in ("weak", "shape")}
        arguments += [f"{key}={_plain(value)}" for key, value in shown.items()]
    return f"{t.primitive.name}({', '.join(arguments)})" if arguments else t.primitive.name


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
