"""Schedules against independent formulas, golden values and each other."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optim.harness import path

import spusk.numpy as snp
from spusk import optim
from spusk.errors import InputError
from spusk.graph import as_tensor, scalar
from spusk.graph import input as new_input
from spusk.optim import (
    REX,
    SCHEDULES,
    SGD,
    WSD,
    Adam,
    Constant,
    Cosine,
    ExponentialDecay,
    ExpRange,
    InverseSqrt,
    InverseTime,
    Join,
    MultiStep,
    OneCycle,
    Piecewise,
    Polynomial,
    StepDecay,
    Triangular,
    Triangular2,
    WarmRestarts,
    WarmUp,
)
from spusk.optim.hyper import hyperparameters, with_hyperparameters

STEPS = np.arange(1, 301)


# --- the formulas, written out for one step at a time -------------------------------------------------


def constant(t):
    return 0.3


def step_decay(t, initial=0.5, every=30, factor=0.1):
    found = initial
    for _ in range((t - 1) // every):
        found *= factor
    return found


def exponential(t, initial=0.5, factor=0.9, every=7):
    return initial * math.exp(math.log(factor) * (t - 1) / every)


def cosine(t, initial=0.5, steps=200, final=0.01):
    if t - 1 >= steps:
        return final
    return final + (initial - final) * math.cos(math.pi * (t - 1) / (2 * steps)) ** 2


def warm_up_then_number(t, start=0.1, top=0.5, steps=40):
    return top if t > steps else (start * (steps - t + 1) + top * (t - 1)) / steps


def warm_up_then_cosine(t):
    return cosine(t - 40) if t > 40 else 0.5 * (t - 1) / 40


def one_cycle_linear(t, peak=2.0, steps=200):
    start, final, n = peak / 10, peak / 10 / 1e4, t - 1
    corners = [(0, start), (0.45 * steps, peak), (0.9 * steps, start), (steps, final)]
    return float(np.interp(n, *zip(*corners, strict=True)))


def one_cycle_cosine(t, peak=2.0, steps=200):
    start, final, n = peak / 25, peak / 25 / 1e4, min(t - 1, steps)
    if n < 0.3 * steps:
        return start + (peak - start) * (1 - math.cos(math.pi * n / (0.3 * steps))) / 2
    return final + (peak - final) * (1 + math.cos(math.pi * (n - 0.3 * steps) / (0.7 * steps))) / 2


def triangular(t, low=0.1, high=0.7, half_cycle=20):
    phase = (t - 1) % (2 * half_cycle)
    return low + (high - low) * min(phase, 2 * half_cycle - phase) / half_cycle


def triangular2(t):
    return 0.1 + (triangular(t) - 0.1) / 2 ** ((t - 1) // 40)


def exp_range(t):
    return 0.1 + (triangular(t) - 0.1) * 0.99 ** (t - 1)


def multi_step(t):
    return 0.5 if t <= 50 else 0.1 if t <= 120 else 0.02


def poly(t, initial=0.5, steps=200, final=0.01, power=2.0):
    return final if t > steps else final + (initial - final) * ((steps - t + 1) / steps) ** power


def restarts(t, lengths, high=0.5, final=0.01, height=1.0):
    """Wave after wave, by walking through them."""
    n = t - 1
    for i, length in enumerate(lengths):
        if n < length:
            top = final + (high - final) * height**i
            return top - (top - final) * math.sin(math.pi * n / (2 * length)) ** 2
        n -= length
    raise AssertionError("too few waves")


def inverse_sqrt(t):
    return 0.3 * t / 40 if t < 40 else 0.3 * math.sqrt(40 / t)


def wsd(t, form, final=0.0):
    n = t - 1
    if n < 20:
        return 0.4 * n / 20
    if n <= 150:
        return 0.4
    p = min(n - 150, 50) / 50
    return form(0.4, final, p)


def rex(t):
    p = min(t - 1, 200) / 200
    return 0.5 * (1 - p) / (1 - p / 2)


def piecewise(t):
    return 0.3 if t - 1 < 10 else 0.2 if t - 1 < 70 else 0.7


def corners(t):
    return float(np.interp(t - 1, [0, 10, 70], [0.3, 0.2, 0.7]))


def joined(t):
    return 0.1 if t <= 10 else cosine(t - 10) if t <= 90 else multi_step(t - 90)


TABLE = [
    (MultiStep(0.5, milestones=(50, 120), factor=0.2), multi_step),
    (Polynomial(0.5, steps=200, final=0.01, power=2.0), poly),
    (WarmRestarts(0.5, steps=30, final=0.01), lambda t: restarts(t, [30] * 10)),
    (WarmRestarts(0.5, steps=10, factor=2, final=0.01), lambda t: restarts(t, [10, 20, 40, 80, 160])),
    (
        WarmRestarts(0.5, steps=7, factor=3, final=0.01, height=0.5),
        lambda t: restarts(t, [7, 21, 63, 189, 567], height=0.5),
    ),
    (InverseSqrt(0.3, warm_up=40), inverse_sqrt),
    (InverseTime(0.5, decay=0.05), lambda t: 0.5 / (0.95 + 0.05 * t)),
    (WSD(0.4, steps=200, warm_up=20, decay=50), lambda t: wsd(t, lambda a, b, p: a - a * p**0.5)),
    (
        WSD(0.4, steps=200, warm_up=20, decay=50, final=0.1, shape="linear"),
        lambda t: wsd(t, lambda a, b, p: a * (1 - p) + b * p, 0.1),
    ),
    (
        WSD(0.4, steps=200, warm_up=20, decay=50, final=0.1, shape="cosine"),
        lambda t: wsd(t, lambda a, b, p: b + (a - b) * math.cos(math.pi * p / 2) ** 2, 0.1),
    ),
    (
        WSD(0.4, steps=200, warm_up=20, decay=50, final=0.1, shape="exponential"),
        lambda t: wsd(t, lambda a, b, p: math.exp((1 - p) * math.log(a) + p * math.log(b)), 0.1),
    ),
    (REX(0.5, steps=200), rex),
    (Piecewise((0.3, 0.2, 0.7), boundaries=(10, 70)), piecewise),
    (Piecewise((0.3, 0.2, 0.7), boundaries=(10, 70), between="linear"), corners),
    (
        Join(
            (0.1, Cosine(0.5, steps=200, final=0.01), MultiStep(0.5, milestones=(50, 120), factor=0.2)),
            boundaries=(10, 90),
        ),
        joined,
    ),
    (Constant(0.3), constant),
    (StepDecay(0.5, every=30), step_decay),
    (ExponentialDecay(0.5, factor=0.9, every=7), exponential),
    (Cosine(0.5, steps=200, final=0.01), cosine),
    (WarmUp(0.5, steps=40, start=0.1), warm_up_then_number),
    (WarmUp(Cosine(0.5, steps=200, final=0.01), steps=40), warm_up_then_cosine),
    (OneCycle(2.0, steps=200), one_cycle_linear),
    (OneCycle(2.0, steps=200, rise=0.3, div=25, shape="cosine", three_phase=False), one_cycle_cosine),
    (Triangular(0.1, 0.7, half_cycle=20), triangular),
    (Triangular2(0.1, 0.7, half_cycle=20), triangular2),
    (ExpRange(0.1, 0.7, half_cycle=20, gamma=0.99), exp_range),
]
SCHEDULED = [schedule for schedule, _ in TABLE]


@pytest.mark.parametrize(("schedule", "formula"), TABLE, ids=lambda x: repr(x) if not callable(x) else "")
def test_it_is_its_formula(schedule, formula):
    np.testing.assert_allclose(schedule(STEPS), [formula(t) for t in STEPS.tolist()], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("schedule", SCHEDULED, ids=repr)
def test_scalar_array_and_tensor_calls_agree(schedule):
    array = schedule(STEPS)
    assert array.dtype == np.float64
    assert array.shape == STEPS.shape
    numbers = [schedule(t) for t in STEPS.tolist()]
    assert all(type(x) is float for x in numbers)
    # NumPy's loops over arrays may round cos and powers differently from its scalars.
    np.testing.assert_allclose(array, numbers, rtol=1e-14)
    t = new_input("t", STEPS.shape, "float64", weak=True)
    tensor = schedule(t)
    assert tensor.shape == STEPS.shape
    np.testing.assert_array_equal(tensor.numpy({t: STEPS.astype(float)}), array)
    assert float(schedule(scalar(17.0))) == schedule(17)


@pytest.mark.parametrize("schedule", SCHEDULED, ids=repr)
def test_its_numbers_are_hyperparameters_by_dotted_name(schedule):
    rule = Adam(lr=schedule)
    names = {name for name in hyperparameters(rule) if name.startswith("lr.")}
    assert names
    doubled = with_hyperparameters(
        rule, {name: 2 * hyperparameters(rule)[name] for name in names & {"lr.value"}}
    )
    assert doubled.lr(3) == (0.6 if isinstance(schedule, Constant) else schedule(3))


CONTAINERS = ("values.", "boundaries.", "milestones.")


@pytest.mark.parametrize("schedule", SCHEDULED, ids=repr)
def test_a_number_that_is_scheduled_itself_has_its_value_of_the_same_step(schedule):
    numbers = {n: x for n, x in hyperparameters(schedule).items() if "." not in n or n.startswith(CONTAINERS)}
    numbers.pop("then", None)  # a schedule in that place counts its own steps
    for name, number in numbers.items():
        change = 1.02 if isinstance(schedule, WarmRestarts) and name == "factor" else 0.98  # it is at least 1
        compared = 0
        for every in (1, 10):
            inner = ExponentialDecay(number, change, every) if number else Polynomial(0.05, steps=500 * every)
            moving = with_hyperparameters(schedule, {name: inner})
            for t in (1, 8, 10, 30, 46, 61, 140, 175):
                try:
                    still = with_hyperparameters(schedule, {name: inner(t)})
                except InputError:  # beyond another number, between which and it there is an order
                    continue
                compared += 1
                assert moving(t) == pytest.approx(still(t), rel=1e-12, abs=1e-15), f"{name} in step {t}"
        assert compared >= 5


def test_the_first_member_of_a_join_counts_the_steps_of_the_whole():
    joined = Join((Cosine(1.0, steps=100), 0.5), boundaries=(60,))
    np.testing.assert_allclose(joined(STEPS[:60]), Cosine(1.0, steps=100)(STEPS[:60]), rtol=1e-15)
    moving = Join((1.0, 0.5), boundaries=(ExponentialDecay(40.0, 0.5, every=20),))
    expected = [1.0 if t - 1 < 40 * 0.5 ** ((t - 1) / 20) else 0.5 for t in range(1, 61)]
    assert moving(STEPS[:60]).tolist() == expected


def test_moving_milestones_and_lengths_are_those_of_the_step():
    moving = ExponentialDecay(100.0, 0.5, every=5)
    n = np.arange(60)
    milestones, lengths = MultiStep(1.0, milestones=(moving,)), StepDecay(1.0, every=moving, factor=0.5)
    assert milestones(n + 1).tolist() == [0.1 if x >= 100 * 0.5 ** (x / 5) else 1.0 for x in n]
    np.testing.assert_allclose(
        lengths(n[:30] + 1), [0.5 ** (x // (100 * 0.5 ** (x / 5))) for x in n[:30]], rtol=1e-12
    )


def test_a_warm_up_of_a_broken_number_of_steps_does_not_overshoot():
    assert WarmUp(1.0, steps=2.5)(np.arange(1, 6)).tolist() == [0.0, 0.4, 0.8, 1.0, 1.0]


def test_a_wsd_s_decay_takes_a_fifth_of_the_steps_unless_it_is_told():
    np.testing.assert_array_equal(
        WSD(0.4, steps=200, warm_up=20)(STEPS), WSD(0.4, steps=200, warm_up=20, decay=40)(STEPS)
    )
    assert WSD(1.0, steps=10, warm_up=8)(9) == 1.0
    with pytest.raises(InputError, match="are longer together"):
        WSD(1.0, steps=10, warm_up=8.2)


def test_milestones_begin_with_the_first_step_at_the_earliest():
    assert MultiStep(1.0, milestones=(1, 5))(np.array([1, 2])).tolist() == [1.0, 0.1]


@pytest.mark.parametrize(
    ("schedule", "golden"),
    [
        # Loshchilov & Hutter 2017, fig. 1: T₀ = 1, T_mult = 2 restarts at 1, 3, 7, 15, …
        (
            WarmRestarts(0.05, steps=100, factor=2),
            {1: 0.05, 51: 0.025, 101: 0.05, 301: 0.05, 701: 0.05, 1501: 0.05, 3101: 0.05},
        ),
        # Vaswani et al. 2017, §5.3: d_model = 512, 4,000 steps of warm-up.
        (
            InverseSqrt((512 * 4000) ** -0.5, warm_up=4000),
            {1: 512**-0.5 * 4000**-1.5, 4000: 512**-0.5 * 4000**-0.5, 16000: 512**-0.5 * 16000**-0.5},
        ),
        # Smith 2017, fig. 2: bounds at the ends of each half cycle.
        (Triangular(1.0, 6.0, half_cycle=2000), {1: 1.0, 2001: 6.0, 4001: 1.0, 6001: 6.0}),
        (Triangular2(1.0, 6.0, half_cycle=2000), {1: 1.0, 2001: 6.0, 6001: 3.5, 10001: 2.25}),
        (ExpRange(0.0, 1.0, half_cycle=100, gamma=0.99), {101: 0.99**100, 201: 0.0, 301: 0.99**300}),
        # Goyal et al. 2017, §2.2 and §5.1: 0.1 to 3.2 in five epochs, then a tenth every 30 epochs.
        (
            WarmUp(StepDecay(3.2, every=30), steps=5, start=0.1),
            {1: 0.1, 6: 3.2, 35: 3.2, 36: 0.32, 66: 0.032},
        ),
        (Cosine(1.0, steps=100), {1: 1.0, 51: 0.5, 101: 0.0, 1000: 0.0}),
        (OneCycle(1.0, steps=100, div=10, final_div=100), {1: 0.1, 46: 1.0, 91: 0.1, 101: 0.001, 500: 0.001}),
    ],
    ids=repr,
)
def test_it_passes_through_its_known_values(schedule, golden):
    for t, expected in golden.items():
        assert schedule(t) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(
    low=st.floats(0.0, 0.9), high=st.floats(0.0, 0.9), t=st.integers(1, 5000), kind=st.sampled_from([0, 1, 2])
)
def test_the_inverse_of_a_cyclical_schedule_mirrors_it(low, high, t, kind):
    wave = [
        Triangular(0.0, 1.0, 50),
        Triangular2(0.0, 1.0, 50),
        ExpRange(0.0, 1.0, 50, gamma=0.999),
    ][kind]
    assert wave.inverse(low, high)(t) == pytest.approx(high - (high - low) * wave(t), abs=1e-12)


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_the_inverse_of_one_cycle_falls_and_stays_high(shape):
    for three_phase in (True, False):
        cycle = OneCycle(1.0, steps=100, shape=shape, three_phase=three_phase).inverse(0.85, 0.95)
        assert cycle(1) == pytest.approx(0.95, rel=1e-15)
        assert cycle(46) == pytest.approx(0.85, rel=1e-15)
        assert cycle(101) == pytest.approx(0.95, rel=1e-15)
        assert cycle(95) == pytest.approx(0.95, rel=1e-15) or not three_phase
        assert (np.diff(cycle(np.arange(1, 47))) < 0).all()


def test_schedules_are_fields_of_schedules():
    rates = Triangular(low=0.0, high=ExponentialDecay(1.0, factor=0.5, every=2), half_cycle=1)(
        np.arange(1, 7)
    )
    np.testing.assert_allclose(rates, [0, 0.5**0.5, 0, 0.5**1.5, 0, 0.5**2.5], rtol=1e-12)
    twice = WarmUp(WarmUp(1.0, steps=2, start=0.5), steps=2)
    np.testing.assert_allclose(twice(np.arange(1, 7)), [0, 0.25, 0.5, 0.75, 1, 1], rtol=1e-15)


def test_any_hyperparameter_takes_a_schedule():
    rule = optim.Momentum(lr=1.0, mu=StepDecay(0.5, every=1, factor=0.1))
    points = path(rule, [1.0, 0.0, 0.0], 0.0)
    np.testing.assert_allclose(np.diff(points), [-1.0, -0.05, -0.05 * 0.005], rtol=1e-9)


def test_a_schedule_gives_the_rate_of_each_step():
    schedule = Cosine(0.5, steps=10)
    points = path(SGD(lr=schedule), np.ones(12), 0.0)
    np.testing.assert_allclose(-np.diff(points), schedule(np.arange(1, 13)), atol=1e-15)


def test_both_names_lead_to_the_same_class():
    assert optim.schedules.Cosine is optim.Cosine
    assert list(SCHEDULES) == [
        "constant", "stepdecay", "exponentialdecay", "cosine", "warmup", "onecycle", "triangular", "triangular2",
        "exprange", "multistep", "polynomial", "warmrestarts", "inversesqrt", "inversetime", "wsd", "rex",
        "piecewise", "join",
    ]  # fmt: skip
    assert all(cls.__name__.lower() == name for name, cls in SCHEDULES.items())


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: StepDecay(1.0, every=0), r"StepDecay\(every=0\): every must be greater than 0"),
        (lambda: StepDecay(1.0, every=2, factor=-1), "factor must be greater than 0"),
        (lambda: ExponentialDecay(1.0, factor=0.0), "factor must be greater than 0"),
        (lambda: Cosine(1.0, steps=-5), r"Cosine\(steps=-5\): steps must be greater than 0"),
        (lambda: Cosine(math.nan, steps=5), r"Cosine\(initial=nan\): initial must be finite"),
        (lambda: Cosine("1", steps=5), r"Cosine\(initial='1'\): initial must be a number or a schedule"),
        (lambda: WarmUp(0.1, steps=0), "steps must be greater than 0"),
        (lambda: WarmUp(None, steps=2), r"WarmUp\(then=None\): then must be a number or a schedule"),
        (lambda: OneCycle(1.0, steps=10, rise=0.0), "rise must be greater than 0 and below 1"),
        (lambda: OneCycle(1.0, steps=10, rise=1.0), "rise must be greater than 0 and below 1"),
        (lambda: OneCycle(1.0, steps=10, back=1.0), "back must be greater than rise=0.45 and below 1"),
        (
            lambda: OneCycle(1.0, steps=10, rise=0.5, back=0.5),
            "back must be greater than rise=0.5 and below 1",
        ),
        (lambda: OneCycle(1.0, steps=10, div=0), "div must be greater than 0"),
        (lambda: OneCycle(1.0, steps=10, shape="round"), "shape must be 'linear' or 'cosine'"),
        (lambda: Triangular(0.0, 1.0, half_cycle=0), "half_cycle must be greater than 0"),
        (lambda: ExpRange(0.0, 1.0, 5, gamma=0.0), "gamma must be greater than 0 and at most 1"),
        (lambda: Constant(math.inf), "value must be finite"),
        (lambda: MultiStep(1.0, milestones=()), "milestones must be a tuple of one number of steps or more"),
        (lambda: MultiStep(1.0, milestones=5), "milestones must be a tuple of one number of steps or more"),
        (lambda: MultiStep(1.0, milestones=(3, 3)), "milestones must be greater than 0 and ascending"),
        (lambda: MultiStep(1.0, milestones=(0, 5)), "milestones must be greater than 0 and ascending"),
        (lambda: Piecewise((1.0, 2.0), (0,)), "boundaries must be greater than 0 and ascending"),
        (
            lambda: Piecewise((1.0,), (5,)),
            "Piecewise got 1 values and 1 boundaries; 1 boundaries lie between 2",
        ),
        (lambda: Piecewise((1.0, "a"), (5,)), "must be a number or a schedule"),
        (lambda: Join((1.0, 2.0, 3.0), (5,)), "Join got 3 schedules and 1 boundaries"),
        (lambda: WarmRestarts(1.0, steps=5, factor=0.5), "factor must be 1 or greater"),
        (lambda: WSD(1.0, steps=10, warm_up=6, decay=5), "are longer together"),
        (lambda: WSD(1.0, steps=10, shape="exponential"), "needs final greater than 0"),
        (lambda: InverseTime(1.0, decay=-1), "decay must be 0 or greater"),
        (lambda: Constant(True), "value must be a number or a schedule"),
    ],
)
def test_bad_arguments_are_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_restart_is_exact_however_late_it_comes():
    """The wave begins anew in the very step, though the logarithm that finds it is rounded."""
    for first, factor in ((1, 2), (3, 2), (7, 3), (10, 1), (5, 1.5)):
        wave = WarmRestarts(1.0, steps=first, factor=factor, height=0.5)
        restart = 0.0
        for i in range(12):
            if restart == int(restart):
                assert wave(int(restart) + 1) == 0.5**i
            restart += first * factor**i


def test_the_step_before_a_restart_is_in_the_old_wave_however_late_it_comes():
    wave = WarmRestarts(1.0, steps=1, factor=2, height=0.5)
    for i in range(20, 53):  # wave i begins after 2^i − 1 steps
        assert 0 <= wave(2.0**i - 1) < 1e-6 * 0.5 ** (i - 1)
        assert wave(2.0**i) == 0.5**i


def test_waves_that_grow_slowly_begin_with_the_first():
    assert WarmRestarts(1.0, steps=10, factor=1.1, height=0.5)(1) == 1.0


def test_a_pictures_line_is_the_schedule():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    ax = Cosine(0.1, steps=100).plot()
    x, y = ax.lines[0].get_data()
    assert x[-1] == 110
    np.testing.assert_array_equal(y, Cosine(0.1, steps=100)(x))
    assert ax.get_title() == "cosine(initial=0.1, steps=100)"
    assert WarmUp(0.1, steps=10).plot(steps=20, ax=ax, label="warm-up") is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["warm-up"]
    long = StepDecay(0.1, every=100_000).plot()
    assert len(long.lines[0].get_xdata()) <= 4000
    plt.close("all")
    with pytest.raises(InputError, match="plot got steps=0"):
        Cosine(0.1, steps=100).plot(steps=0)


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (Constant(1.0), 1000),
        (WarmUp(Cosine(1.0, steps=90), steps=10), 100),
        (MultiStep(1.0, milestones=(10, 100)), 130),
        (Join((0.1, Cosine(1.0, steps=400)), (10,)), 410),
        (WarmRestarts(1.0, steps=10, factor=2), 150),
        (Triangular(0.0, 1.0, half_cycle=20), 160),
    ],
    ids=repr,
)
def test_a_picture_is_as_long_as_the_schedule(schedule, steps):
    from spusk.optim.schedules.span import span

    assert span(schedule) == steps


def test_a_schedule_that_is_no_number_of_steps_is_in_the_wrong_place():
    with pytest.raises(
        InputError,
        match=r"steps must be a number of steps, 1 or more; the schedule gives 0\.1 in step 1; "
        "WarmUp takes then, steps, start in this order",
    ):
        WarmUp(100, Cosine(0.1, steps=10))
    with pytest.raises(InputError, match=r"boundaries\.0 must be a number of steps, 1 or more"):
        Join((0.1, 0.2), (Cosine(0.1, steps=10),))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: optim.Adam(lr=Cosine(-0.1, steps=200)),
            "lr must be greater than 0; .* gives -0.1 in step 1$",
        ),
        (lambda: optim.Adam(lr=Cosine(0.1, 200, final=-0.1)), "lr must be greater than 0"),
        (lambda: optim.Adam(beta1=Cosine(1.5, steps=200)), "beta1 must be .* below 1; .* 1.5 in step 1$"),
        (lambda: optim.Momentum(mu=optim.Triangular(0.8, 1.2, 50)), "mu must be .* gives 1.2"),
        (lambda: optim.Adam(lr=WarmUp(Cosine(-0.1, 90), 10)), "lr must be greater than 0"),
        (
            lambda: optim.SGD(lr=optim.Piecewise((10, 20), (0.1, 0.2, 0.3))),
            "values come first, the boundaries second",
        ),
        (lambda: optim.Adam(lr=Constant(0.0)), "lr must be greater than 0; .* gives 0 in step 1$"),
        (lambda: optim.Adam(lr=WarmUp(0.0, steps=10)), "lr must be greater than 0; .* gives 0 in step 1$"),
        (lambda: optim.LayerwiseDecay(gamma=Constant(0.0)), "gamma must be greater than 0 and at most 1"),
        (lambda: optim.Rprop(eta_plus=Cosine(1.2, 10)), "eta_plus must be 1 or greater; .* gives 0"),
        (lambda: optim.Momentum(mu=Cosine(0.9, 3, final=1.0)), "mu must be .* gives 1 in step 4$"),
    ],
)
def test_values_of_a_schedule_are_in_the_range_of_what_they_are_given_to(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.Adam(lr=WarmUp(Cosine(0.1, steps=90), steps=10)),
        lambda: optim.Adam(beta1=Triangular(0.95, 0.85, 10)),
        lambda: optim.LayerwiseDecay(gamma=WarmUp(Constant(1.0), steps=10)),
        lambda: optim.Lookahead(alpha=Cosine(0.5, steps=10)),
        lambda: optim.Lookahead(alpha=Polynomial(0.5, steps=10)),
        lambda: optim.Adam(eps=Cosine(0.1, steps=7)),
    ],
)
def test_a_schedule_may_begin_and_end_at_a_zero_that_a_number_may_not_be(make):
    make()


@dataclass(frozen=True)
class Once(optim.Schedule):
    """1 but for one step."""

    step: int
    x: float
    steps: int = 8

    def at(self, t):
        return snp.where(t == self.step, self.x, 1.0)


@pytest.mark.parametrize("step", [1, 5, 9])
def test_a_schedule_is_looked_at_from_its_first_step_to_the_one_after_its_end(step):
    with pytest.raises(InputError, match=rf"lr must be greater than 0; .* -1 in step {step}$"):
        optim.SGD(lr=Once(step, -1.0))


def test_a_schedule_is_not_looked_at_after_its_end():
    assert optim.SGD(lr=Once(10, -1.0)).lr(10.0) == -1.0
    assert optim.SGD(lr=Once(3, -1.0, steps=1)).lr(3.0) == -1.0


def test_a_value_that_rounding_leaves_beside_zero_is_zero():
    assert optim.SGD(lr=Once(5, -1e-12)).lr(5.0) == -1e-12
    with pytest.raises(InputError, match=r"gives -1.01e-12 in step 5"):
        optim.SGD(lr=Once(5, -1.01e-12))


def test_a_schedule_that_goes_from_zero_below_it_is_refused():
    with pytest.raises(InputError, match=r"lr must be greater than 0; .* gives -1 in step"):
        optim.SGD(lr=optim.Join((Constant(0.0), -1.0), boundaries=(4,)))


@dataclass(frozen=True)
class Short(optim.Schedule):
    """In float32, as beside a number of that precision."""

    def at(self, t):
        return as_tensor(np.array(0.1, "float32")) * t


def test_a_schedule_is_called_with_a_number_that_takes_on_the_precision_beside_it():
    assert Short()(3) == float(np.float32(0.1) * np.float32(3)) != float(np.float32(0.1)) * 3


@dataclass(frozen=True)
class Broken(optim.Schedule):
    error: Exception

    def at(self, t):
        raise self.error


def test_what_a_schedule_says_itself_is_told_where_it_is_given_to_a_rule():
    with pytest.raises(InputError, match=r"^no such step$"):
        optim.Adam(lr=Broken(InputError("no such step")))


def test_a_mistake_in_a_schedule_is_left_to_where_it_is_traced():
    assert optim.Adam(lr=Broken(ZeroDivisionError())).beta1 == 0.9


@pytest.mark.parametrize(
    "schedule",
    [
        optim.Constant(0.1),
        optim.Join((optim.Constant(0.1), 0.2), (2,)),
        optim.InverseTime(0.1, 1),
        Cosine(0.1, 5),
    ],
    ids=repr,
)
def test_a_step_may_be_a_number(schedule):
    found = schedule.at(1)
    assert (type(found).__name__, found.shape) == ("Tensor", ())


def test_in_given_axes_a_schedule_has_a_label_and_no_title():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    _, (above, below) = plt.subplots(2)
    Cosine(0.1, steps=100).plot(ax=above)
    WarmUp(0.1, steps=10).plot(ax=below)
    assert below.get_title() == ""
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["warmup(then=0.1, steps=10)"]
    with pytest.raises(InputError, match=r"plot got ax='lr\.png'; ax is the matplotlib axes"):
        Cosine(0.1, steps=100).plot(1000, "lr.png")
    plt.close("all")


@pytest.mark.parametrize(
    ("of_lists", "of_tuples"),
    [
        (MultiStep(0.1, [3, 6]), MultiStep(0.1, (3, 6))),
        (Piecewise([0.1, 0.2], [3], "linear"), Piecewise((0.1, 0.2), (3,), "linear")),
        (
            Join([0.1, MultiStep(1.0, [2])], boundaries=[2]),
            Join((0.1, MultiStep(1.0, (2,))), boundaries=(2,)),
        ),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_a_schedule_of_lists_is_the_one_of_tuples(of_lists, of_tuples):
    assert of_lists == of_tuples
    assert hash(of_lists) == hash(of_tuples)
    assert repr(of_lists) == repr(of_tuples)
