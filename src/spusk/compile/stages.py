"""The passes in order, each a pure function from one data structure to the next."""

from __future__ import annotations

import os
from dataclasses import dataclass

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
    simple = simplify(flow)
    wide = widen(simple)
    fused = fuse(wide)
    absorbed = absorb(fused)
    merged = merge(collapse(place_carried(absorbed)))
    layout = plan(merged)
    if checking:
        check_flow(flow)
        check_flow(simple)
        check_flow(wide)
        check_schedule(fused)
        check_schedule(absorbed)
        check_merged(merged)
        check_layout(layout)
        check_order(layout, merged.runs)
    modules = lower(layout)
    if checking:
        check_modules(layout, modules)
    return Stages(flow, simple, merged, layout, modules)
