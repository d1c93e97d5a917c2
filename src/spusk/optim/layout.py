"""The order of a weight's axes: Spusk's (kernel…, in, out), or PyTorch's (out, in, kernel…)."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from spusk.optim.hyper import mapped

T = TypeVar("T")


def in_order(ndim: int, out_first: bool | None) -> tuple[int, ...]:
    """The axes of a weight in Spusk's order: those of the kernel, inputs, outputs.

    Args:
        ndim: how many axes there are; a vector's is its own.
        out_first: True for weights (out, in, kernel…); False or None for (kernel…, in, out).

    >>> in_order(4, out_first=False), in_order(4, out_first=True), in_order(2, out_first=True)
    ((0, 1, 2, 3), (2, 3, 1, 0), (1, 0))
    """
    if not out_first or ndim < 2:
        return tuple(range(ndim))
    return (*range(2, ndim), 1, 0)


def in_layout(rule: T, *, out_first: bool) -> T:
    """The rule, and those inside it, for weights of that order where they leave it open (`out_first=None`).

    A rule whose formula reads axes has a field `out_first: bool | None = None`.

    >>> from spusk.optim import AGC, Muon
    >>> rule = in_layout(AGC(Muon(out_first=False)), out_first=True)
    >>> rule.out_first, rule.inner.out_first
    (True, False)
    """

    def placed(path: str, part: Any) -> Any:
        if dataclasses.is_dataclass(part) and not isinstance(part, type):
            return in_layout(part, out_first=out_first)
        return mapped(part, placed, path)

    changes: dict[str, Any] = {}
    for field in dataclasses.fields(rule):  # pyright: ignore[reportArgumentType]
        content = getattr(rule, field.name)
        new = out_first if field.name == "out_first" and content is None else placed("", content)
        if field.init and new is not content:
            changes[field.name] = new
    return dataclasses.replace(rule, **changes) if changes else rule  # pyright: ignore[reportArgumentType, reportUnknownVariableType]
