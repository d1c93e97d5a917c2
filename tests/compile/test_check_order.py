"""The check of the order of writes complains of plans that are broken on purpose, one way each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import carry, merge
from spusk.compile.absorb import absorb
from spusk.compile.check_order import check_order
from spusk.compile.collapse import collapse
from spusk.compile.flow import flow_of
from spusk.compile.fuse import fuse
from spusk.compile.kernels import Literal, LoopKernel, Schedule
from spusk.compile.memory import Layout, Place, plan
from spusk.compile.merge import Merged
from spusk.compile.simplify import simplify


def scheduled(outputs: dict, inputs: dict, carried: dict) -> Schedule:
    return absorb(fuse(simplify(flow_of(outputs, inputs, carried))))


def planned(schedule: Schedule) -> tuple[Layout, tuple[tuple[int, ...], ...]]:
    merged = merge.merge(collapse(carry.place_carried(schedule)))
    return plan(merged), merged.runs


def state(*names: str, shape: tuple[int, ...] = (40,)) -> dict[str, sp.Tensor]:
    return {name: sp.input(name, shape, "float64") for name in names}


def stepping(t: dict[str, sp.Tensor]) -> Schedule:
    """`a` steps in its place, after its old value has been summed."""
    total = snp.sum(t["a"])
    return scheduled({"a": t["a"] - 0.5 * total, "total": total}, t, {"a": "a"})


def swapping(t: dict[str, sp.Tensor]) -> Schedule:
    return scheduled({"a": 2.0 * t["b"], "b": 3.0 * t["a"]}, t, {"a": "a", "b": "b"})


def shifting(t: dict[str, sp.Tensor]) -> Schedule:
    """The elements of `a` change places, so that none can be written before all are read."""
    return scheduled({"a": snp.flip(t["a"]) + 1.0}, t, {"a": "a"})


def test_sound_plans_pass():
    for schedule in (stepping(state("a")), swapping(state("a", "b")), shifting(state("a"))):
        check_order(*planned(schedule))


def test_kernels_in_the_wrong_order():
    layout, runs = planned(stepping(state("a")))
    kernels = layout.schedule.kernels
    for changed in (kernels[::-1], (*kernels[1:], kernels[0]), kernels[1:]):
        with pytest.raises(AssertionError, match=r"reads buffer \d+ where nothing lies"):
            check_order(replace(layout, schedule=replace(layout.schedule, kernels=changed)), runs)


def test_old_state_read_after_the_new_is_in_its_place():
    t = state("a")
    step = t["a"] - 0.5
    schedule = scheduled({"a": step, "peak": snp.max(t["a"] * snp.tanh(snp.flip(step)))}, t, {"a": "a"})
    good = carry.place_carried(schedule)
    assert good.commits
    (pair,) = good.commits
    forced = replace(good, homes=dict([pair]), commits=())
    check_order(plan(Merged(good)))
    with pytest.raises(AssertionError, match=r"reads buffer 0 where the value of \d+ lies|yet to read"):
        check_order(plan(Merged(forced)))


def test_elements_overwritten_before_their_turn(monkeypatch):
    schedule = shifting(state("a"))
    monkeypatch.setattr(carry, "_in_step", lambda *_: True)
    with pytest.raises(AssertionError, match="overwrites elements of 0 that it has yet to read"):
        check_order(*planned(schedule))


def test_a_swap_in_place():
    schedule = swapping(state("a", "b"))
    flow = schedule.flow
    forced = replace(schedule, homes={flow.outputs[name]: flow.inputs[name] for name in "ab"}, commits=())
    assert len(schedule.kernels) == 2
    with pytest.raises(AssertionError, match="reads buffer"):
        check_order(plan(Merged(forced)))


def test_loops_joined_over_a_write_between_them(monkeypatch):
    t = {**state("u", "w", "z"), **state("v", shape=(8, 5))}
    # u and w step by one formula; between the two, v is written, of which u needs the old value.
    outputs = {
        "u": t["u"] - 0.5 * snp.reshape(t["v"], -1),
        "v": snp.tanh(t["v"]),
        "w": t["w"] - 0.5 * t["z"],
        "z": t["z"],
    }
    schedule = scheduled(outputs, t, {name: name for name in "uvwz"})
    check_order(*planned(schedule))
    placed = collapse(carry.place_carried(schedule))
    monkeypatch.setattr(merge, "_movable", lambda *_: True)
    monkeypatch.setattr(merge, "_is_last", lambda *_: True)
    broken = merge.merge(placed)
    assert broken.runs
    with pytest.raises(AssertionError, match="reads buffer"):
        check_order(plan(broken), broken.runs)


def corrupted(schedule: Schedule, change: Callable[[Layout], Layout]) -> Layout:
    layout, _ = planned(schedule)
    check_order(layout)
    return change(layout)


def test_two_values_in_one_place_of_the_arena():
    t = state("a", "b", shape=(6, 6))
    p, q = t["a"] @ t["b"], t["b"] @ t["a"]

    def onto_each_other(layout: Layout) -> Layout:
        arena = [b for b, place in layout.places.items() if place.room == "arena"]
        assert len(arena) >= 2
        return replace(layout, places={**layout.places, **dict.fromkeys(arena, Place("arena", 0))})

    with pytest.raises(AssertionError, match=r"reads buffer \d+ where the value of \d+ lies"):
        check_order(corrupted(scheduled({"y": p @ q}, t, {}), onto_each_other))


def test_a_copy_at_the_end_left_out():
    broken = corrupted(
        shifting(state("a")), lambda layout: replace(layout, schedule=replace(layout.schedule, commits=()))
    )
    with pytest.raises(AssertionError, match="output 'a' is not what the step leaves in its place"):
        check_order(broken)


def test_an_output_written_in_part():
    t = state("a", "b")

    def without_the_last(layout: Layout) -> Layout:
        return replace(layout, schedule=replace(layout.schedule, kernels=layout.schedule.kernels[:-1]))

    schedule = scheduled({"y": snp.concat([2.0 * t["a"][:7], snp.flip(t["b"])])}, t, {})
    assert len(schedule.kernels) == 2
    with pytest.raises(AssertionError, match="output 'y' is not what the step leaves"):
        check_order(corrupted(schedule, without_the_last))


def test_a_fill_after_the_contents():
    t = state("a")

    def turned(layout: Layout) -> Layout:
        kernels = list(layout.schedule.kernels)
        fill = next(
            i
            for i, k in enumerate(kernels)
            if isinstance(k, LoopKernel) and isinstance(k.stores[0].value, Literal)
        )
        kernels.append(kernels.pop(fill))
        return replace(layout, schedule=replace(layout.schedule, kernels=tuple(kernels)))

    with pytest.raises(AssertionError, match=r"fills pad \d+, which another kernel wrote to"):
        check_order(corrupted(scheduled({"y": snp.pad(2.0 * t["a"], 3)}, t, {}), turned))


def test_a_write_into_what_is_only_given():
    t = state("a", "b")
    schedule = scheduled({"a": t["a"] + t["b"]}, t, {"a": "a"})
    flow = schedule.flow
    forced = replace(schedule, homes={flow.outputs["a"]: flow.inputs["b"]})
    layout = plan(Merged(forced))
    with pytest.raises(AssertionError, match="which it may only read"):
        check_order(layout)


def test_an_index_update_before_its_base():
    t = state("a")
    schedule = scheduled({"y": sp.scatter_add(3.0 * t["a"], [1, 1, 0], t["a"][:3])}, t, {})

    def turned(layout: Layout) -> Layout:
        return replace(layout, schedule=replace(layout.schedule, kernels=layout.schedule.kernels[::-1]))

    with pytest.raises(AssertionError):
        check_order(corrupted(schedule, turned))
