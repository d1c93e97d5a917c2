"""The order of a weight's axes: who is told it, and who is not."""

from dataclasses import dataclass, field

from spusk import optim
from spusk.optim import Adam, Hyper, Lookahead, Muon, Optimizer, Partition
from spusk.optim.layout import in_layout, in_order


def test_the_kernel_comes_first_and_the_outputs_last():
    assert in_order(5, out_first=True) == (2, 3, 4, 1, 0)
    assert in_order(5, out_first=False) == in_order(5, out_first=None) == (0, 1, 2, 3, 4)
    for out_first in (True, False, None):
        assert (in_order(0, out_first), in_order(1, out_first)) == ((), (0,))


def test_rules_at_any_depth_are_told_the_order_where_they_leave_it_open():
    def nested(out_first):
        inside = Partition({"a": optim.AGC(Muon(), out_first=out_first), "*": Muon(out_first=out_first)})
        return Lookahead(inside, k=3)

    told = in_layout(nested(None), out_first=True)
    assert told == Lookahead(
        Partition({"a": optim.AGC(Muon(out_first=True), out_first=True), "*": Muon(out_first=True)}), k=3
    )
    assert in_layout(Muon(out_first=False), out_first=True).out_first is False
    assert in_layout(Muon(), out_first=False).out_first is False


def test_a_rule_that_leaves_nothing_open_is_itself():
    for rule in (Adam(), Muon(out_first=True), Lookahead(Partition({"*": Adam()}))):
        assert in_layout(rule, out_first=True) is rule


def test_what_a_rule_makes_itself_it_makes_anew():
    @dataclass(frozen=True)
    class Making(Optimizer):
        lr: Hyper = 0.1
        out_first: bool | None = None
        made: Muon = field(init=False, default=Muon())

    told = in_layout(Making(), out_first=True)
    assert (told.out_first, told.made) == (True, Muon())
