"""What numbers the rules beyond the lecture allow, told in a sentence."""

import dataclasses

import pytest
from optim.test_rules import RULES

import spusk.numpy as snp
from spusk import optim
from spusk.errors import InputError
from spusk.optim.hyper import hyperparameters, ranges_of


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: optim.AdamW(weight_decay=-1e-4), r"weight_decay must be 0 or greater"),
        (lambda: optim.AdamW(eta=-1.0), "eta must be 0 or greater"),
        (lambda: optim.SignSGD(beta=1.0), "beta must be at least 0 and below 1"),
        (lambda: optim.LaProp(nu=1.0), "nu must be at least 0 and below 1"),
        (lambda: optim.Yogi(v0=-1.0), "v0 must be 0 or greater"),
        (lambda: optim.Adan(beta1=0.0), "beta1 must be greater than 0 and at most 1"),
        (lambda: optim.Adan(beta3=1.5), "beta3 must be greater than 0 and at most 1"),
        (lambda: optim.ADOPT(clip_power=-1.0), "clip_power must be 0 or greater"),
        (lambda: optim.AdEMAMix(beta3=1.0), "beta3 must be at least 0 and below 1"),
        (lambda: optim.AdEMAMix(mix=-1.0), "mix must be 0 or greater"),
        (lambda: optim.AdEMAMix(warmup=0.5), "warmup must be 1 or greater"),
        (lambda: optim.Rprop(eta_plus=0.9), "eta_plus must be 1 or greater"),
        (lambda: optim.Rprop(eta_minus=1.0), "eta_minus must be at least 0 and below 1"),
        (lambda: optim.Rprop(step_min=0.0), "step_min must be greater than 0"),
        (lambda: optim.Rprop(at_change="turn"), "at_change must be 'go back', 'stay' or 'stay, late'"),
        (lambda: optim.FTRL(l1=-1.0), "l1 must be 0 or greater"),
        (lambda: optim.FTRL(beta=-1.0), "beta must be 0 or greater"),
        (lambda: optim.MADGRAD(c=0.0), "c must be greater than 0 and at most 1"),
        (lambda: optim.MARS(gamma=-0.1), "gamma must be 0 or greater"),
        (lambda: optim.MARS(vector_beta1=1.0), "vector_beta1 must be at least 0 and below 1"),
        (lambda: optim.ASGD(t0=-1.0), "t0 must be 0 or greater"),
        (lambda: optim.ScheduleFreeSGD(weight_power=-1.0), "weight_power must be 0 or greater"),
        (lambda: optim.Prodigy(d0=0.0), "d0 must be greater than 0"),
        (lambda: optim.DAdaptAdam(eps=0.0), "eps must be greater than 0"),
        (lambda: optim.DAdaptSGD(d0=-1.0), "d0 must be greater than 0"),
        (lambda: optim.DoG(rho=0.0), "rho must be greater than 0"),
        (lambda: optim.DoWG(r0=0.0), "r0 must be greater than 0"),
    ],
)
def test_bad_input_is_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence + "$"):
        make()


def test_ranges_of_a_rule_hold_for_it_alone():
    assert optim.FTRL(beta=1.0).beta == 1.0
    assert optim.MARS(gamma=2.0).gamma == 2.0
    with pytest.raises(InputError, match="beta must be at least 0 and below 1"):
        optim.SignSGD(beta=1.0)


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "2", None])
def test_a_number_of_steps_is_whole(k):
    assert optim.Lookahead(k=1).k == 1
    with pytest.raises(InputError, match=r"^Lookahead\(k=.*\): k must be a whole number, 1 or greater$"):
        optim.Lookahead(k=k)


@pytest.mark.parametrize(
    ("make", "ends"),
    [
        (lambda x: optim.Momentum(dampening=x), (0.0, 1.0)),
        (lambda x: optim.Momentum(mu=x), (0.0,)),
        (lambda x: optim.Adan(beta1=x), (1.0,)),
        (lambda x: optim.Rprop(eta_plus=x), (1.0,)),
        (lambda x: optim.Adam(eps=x), (0.0,)),
    ],
)
def test_the_ends_that_a_range_names_belong_to_it(make, ends):
    for x in ends:
        make(x)


@dataclasses.dataclass(frozen=True)
class Delayed(optim.Schedule):
    """Nothing for a long time."""

    height: optim.Hyper = 0.1
    begin: optim.Hyper = 20_000

    def at(self, t):
        return snp.where(t <= self.begin, 0.0, self.height)


@pytest.mark.parametrize(
    "lr",
    [
        Delayed(),
        optim.Join((0.0, optim.Cosine(1e-3, steps=500)), boundaries=(5000,)),
        optim.Piecewise((0.0, 0.1, 0.0), (10, 11)),
        optim.Join((0.0, Delayed()), boundaries=(50,)),
    ],
    ids=repr,
)
def test_a_rate_may_be_zero_for_as_long_as_it_rises_at_last(lr):
    assert optim.Adam(lr=lr).lr is lr


@pytest.mark.parametrize(
    "lr",
    [optim.Constant(0.0), optim.WarmUp(0.0, steps=10), optim.Join((0.0, 0.0), boundaries=(50,))],
    ids=repr,
)
def test_a_rate_that_is_zero_throughout_is_refused(lr):
    with pytest.raises(InputError, match="lr must be greater than 0; the schedule gives 0 in step 1"):
        optim.Adam(lr=lr)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_every_number_of_a_rule_lies_within_what_its_name_allows_there(rule):
    numbers, ranges = hyperparameters(rule), ranges_of(rule)
    assert list(ranges) == list(numbers)
    assert all(allowed is None or allowed[0](numbers[name]) for name, allowed in ranges.items())


def test_what_a_class_says_of_a_name_goes_before_what_the_name_says():
    rule = optim.Clip(optim.Adam(lr=optim.Cosine(0.1, steps=9)), norm=1.0)
    words = {name: allowed and allowed[1] for name, allowed in ranges_of(rule).items()}
    assert words["norm"] == "greater than 0"
    assert words["eps"] == words["inner.eps"] == "0 or greater"
    assert words["inner.beta1"] == "at least 0 and below 1"
