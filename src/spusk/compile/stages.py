"""The passes in order, each a pure function from one data structure to the next."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from spusk.compile.absorb import absorb
from spusk.compile.carry import place_carried
from spusk.compile.check import check_flow, check_layout, check_merged, check_modules, check_schedule
from spusk.compile.check_order import check_order
from spusk.compile.collapse import collapse
from spusk.compile.flow import Flow
from spusk.compile.fuse import fuse
from spusk.compile.lower.module import Modules, lower
from spusk.compile.memory import Layout, plan
from spusk.compile.merge import Merged, merge
from spusk.compile.simplify import simplify
from spusk.compile.widen import widen

T = TypeVar("T")


@dataclass(frozen=True)
class Stages:
    """What the passes made of a program, one after another."""

    flow: Flow
    simple: Flow
    merged: Merged
    layout: Layout
    modules: Modules


def lowered(flow: Flow) -> Stages:
    """All passes up to LLVM IR; with SPUSK_CHECK=1, each result is checked."""
    checking = os.environ.get("SPUSK_CHECK") == "1"

    def checked(result: T, *checks: Callable[[T], None]) -> T:
        for check in checks if checking else ():
            check(result)
        return result

    simple = checked(simplify(checked(flow, check_flow)), check_flow)
    fused = checked(fuse(checked(widen(simple), check_flow)), check_schedule)
    placed = checked(place_carried(checked(absorb(fused), check_schedule)), check_schedule)
    merged = checked(merge(checked(collapse(placed), check_schedule)), check_merged)
    layout = checked(plan(merged), check_layout, lambda found: check_order(found, merged.runs))
    modules = checked(lower(layout), lambda found: check_modules(layout, found))
    return Stages(flow, simple, merged, layout, modules)
