"""Where carried outputs are computed.

A new weight may be written over the old one if nothing reads the old one afterwards. Then the step needs no
copy.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from spusk.compile.kernels import Gather, LoopKernel, Schedule, operand_views, operands, reads, writes
from spusk.compile.views import View


def place_carried(schedule: Schedule) -> Schedule:
    """The schedule with every carried output either computed in the place of its input or copied there."""
    flow = schedule.flow
    read_at: dict[int, list[int]] = defaultdict(list)
    written_at: dict[int, list[int]] = defaultdict(list)
    for position, kernel in enumerate(schedule.kernels):
        for view in reads(kernel):
            read_at[view.buffer].append(position)
        for view in writes(kernel):
            written_at[view.buffer].append(position)
    homes: dict[int, int] = {}
    taken: set[int] = set()
    commits: list[tuple[int, int]] = []
    for name, target in flow.carry.items():
        source, into = flow.outputs[name], flow.inputs[target]
        if source == into:
            continue
        last = max(read_at[into], default=-1)
        first = min(written_at[source])
        is_free = last < first or (last == first and _in_step(schedule, first, source, into))
        if is_free and into not in taken:
            homes[source] = into
            taken.add(into)
        else:
            commits.append((source, into))
    return replace(schedule, homes=homes, commits=tuple(commits))


def _in_step(schedule: Schedule, position: int, source: int, into: int) -> bool:
    """Whether a kernel reads each element of `into` just when it writes that element of `source`."""
    kernel = schedule.kernels[position]
    if not isinstance(kernel, LoopKernel):
        return False
    stored = [s.view for s in kernel.stores if s.view.buffer == source]
    if len(stored) != 1 or any(r.view.buffer == source for r in kernel.reductions):
        return False
    expected = View(into, stored[0].shape, stored[0].strides, stored[0].offset)
    taken = operands(kernel)
    views = [view for o in taken for view in operand_views(o) if view.buffer == into]
    gathered = any(o.view.buffer == into or o.index.buffer == into for o in taken if isinstance(o, Gather))
    return not gathered and all(view == expected for view in views)
