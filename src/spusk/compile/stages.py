"""The passes in order, each a pure function from one data structure to the next."""

from __future__ import annotations

from dataclasses import dataclass

from spusk.compile.carry import place_carried
from spusk.compile.collapse import collapse
from spusk.compile.flow import Flow
from spusk.compile.fuse import fuse
from spusk.compile.lower.module import Modules, lower
from spusk.compile.memory import Layout, plan
from spusk.compile.merge import Merged, merge
from spusk.compile.simplify import simplify


@dataclass(frozen=True)
class Stages:
    """What the passes made of a program, one after another."""

    flow: Flow
    simple: Flow
    merged: Merged
    layout: Layout
    modules: Modules


def lowered(flow: Flow) -> Stages:
    """All passes up to LLVM IR."""
    simple = simplify(flow)
    merged = merge(collapse(place_carried(fuse(simple))))
    layout = plan(merged)
    return Stages(flow, simple, merged, layout, lower(layout))
