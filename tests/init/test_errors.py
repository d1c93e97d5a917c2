"""What is said when an initialiser, a pattern or a parameter cannot be used."""

from dataclasses import dataclass

import numpy as np
import pytest

from spusk.errors import InputError
from spusk.init import (
    Constant,
    HeNormal,
    HeUniform,
    Identity,
    Initialiser,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Ones,
    Orthogonal,
    TorchDefault,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
    get,
    initialise,
)
from spusk.nn.parameter import Parameter

INF, NAN = float("inf"), float("nan")
FINITE, NOT_NEGATIVE, POSITIVE = "a finite number", "a finite number, 0 or more", "a finite number above 0"
NET = [
    Parameter("0.weight", (4, 3), fan_in=4, fan_out=3),
    Parameter("0.bias", (3,), fan_in=4, fan_out=3, kind="bias"),
    Parameter("out.bias", (3,), fan_in=4, fan_out=3, kind="bias"),
]


@pytest.mark.parametrize(
    ("cls", "argument", "value", "needed"),
    [
        (Constant, "value", NAN, FINITE),
        (Constant, "value", "1", FINITE),
        (Constant, "value", True, FINITE),
        (Constant, "value", 1j, FINITE),
        (Constant, "value", 10**400, FINITE),
        (Normal, "mean", INF, FINITE),
        (Normal, "std", -1, NOT_NEGATIVE),
        (Normal, "std", NAN, NOT_NEGATIVE),
        (Normal, "std", INF, NOT_NEGATIVE),
        (Normal, "std", None, NOT_NEGATIVE),
        (TruncatedNormal, "mean", NAN, FINITE),
        (TruncatedNormal, "std", -0.1, NOT_NEGATIVE),
        (TruncatedNormal, "cut", 0, POSITIVE),
        (TruncatedNormal, "cut", -2, POSITIVE),
        (TruncatedNormal, "cut", INF, POSITIVE),
        (Orthogonal, "gain", INF, FINITE),
        (Identity, "gain", NAN, FINITE),
        (XavierUniform, "gain", -1, NOT_NEGATIVE),
        (XavierNormal, "gain", NAN, NOT_NEGATIVE),
        (HeNormal, "slope", INF, FINITE),
        (HeUniform, "slope", "relu", FINITE),
        (HeNormal, "mode", "fan_avg", "one of 'fan_in', 'fan_out'"),
        (HeUniform, "mode", "fanin", "one of 'fan_in', 'fan_out'"),
        (VarianceScaling, "scale", 0, POSITIVE),
        (VarianceScaling, "mode", "fan", "one of 'fan_in', 'fan_out', 'fan_avg'"),
        (VarianceScaling, "distribution", "gauss", "one of 'truncated_normal', 'normal', 'uniform'"),
    ],
)
def test_an_argument_outside_its_range(cls, argument, value, needed):
    with pytest.raises(InputError) as error:
        cls(**{argument: value})
    assert str(error.value) == f"{cls.__name__} got {argument}={value!r}; it needs {needed}"


def test_numpy_numbers_are_numbers():
    assert Normal(np.float32(0), np.int64(1)).std == 1


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (2, 1, "Uniform got low=2 above high=1; it needs low ≤ high"),
        (NAN, 1, "Uniform got low=nan; it needs a finite number"),
        (0, INF, "Uniform got high=inf; it needs a finite number"),
        (-1e308, 1e308, "Uniform got low=-1e+308 and high=1e+308; their distance must fit a float64"),
    ],
)
def test_bounds_in_the_wrong_order_or_without_end(low, high, sentence):
    with pytest.raises(InputError) as error:
        Uniform(low, high)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("initialiser", "fan"),
    [
        (LeCunUniform(), "fan_in"),
        (LeCunNormal(), "fan_in"),
        (XavierUniform(), "fan_in"),
        (XavierNormal(), "fan_in"),
        (HeNormal(), "fan_in"),
        (HeUniform(mode="fan_out"), "fan_out"),
        (VarianceScaling(mode="fan_avg"), "fan_in"),
        (VarianceScaling(mode="fan_out"), "fan_out"),
        (TorchDefault(), "fan_in"),
    ],
    ids=repr,
)
def test_a_fan_that_the_parameter_does_not_have(initialiser, fan):
    with pytest.raises(InputError) as error:
        initialiser.sample(Parameter("1.scale", (5,)), np.random.default_rng(0))
    assert str(error.value) == (
        f"{type(initialiser).__name__} needs the {fan} of parameter '1.scale' of shape (5,), which is 0; "
        "choose another initialiser for it, as in {'1.scale': init.Ones()}"
    )


def test_xavier_needs_the_other_fan_as_well():
    with pytest.raises(InputError, match=r"XavierUniform needs the fan_out of parameter '1\.weight'"):
        XavierUniform().sample(Parameter("1.weight", (5, 2), fan_in=5), np.random.default_rng(0))


CANNOT_BE_READ = "cannot be read"


@pytest.mark.parametrize(
    ("init", "sentence"),
    [
        ("henorml", "there is no initialiser 'henorml'; did you mean 'henormal'?"),
        ("uniform", "initialiser 'uniform' has no default low and high; write Uniform(low=…, high=…)"),
        ("constant", "initialiser 'constant' has no default value; write Constant(value=…)"),
        ("uniform(0)", "initialiser 'uniform' has no default high; write Uniform(low=…, high=…)"),
        ("henormal(mod='fan_out')", "initialiser 'henormal' has no argument 'mod'; did you mean 'mode'?"),
        ("zeros(1)", "initialiser 'zeros' takes no arguments and got 1 values"),
        ("normal(0, 1, 2)", "initialiser 'normal' takes mean, std and got 3 values"),
        ("normal(0, mean=1)", "initialiser 'normal' got mean twice"),
        ("normal(mean=1, mean=2)", CANNOT_BE_READ),
        ("normal(std=1 + 1)", CANNOT_BE_READ),
        ("normal(**{'std': 1})", CANNOT_BE_READ),
        ("normal(std=)", CANNOT_BE_READ),
        ("normal(std=1).sample()", CANNOT_BE_READ),
        ("normal(std={[]})", CANNOT_BE_READ),
        (3, "3 is not an initialiser; give one, such as HeNormal(), or its name"),
        ({"*": "henorml"}, "there is no initialiser 'henorml'; did you mean 'henormal'?"),
        ({"0.wieght": Ones()}, "init's pattern '0.wieght' fits no parameter; did you mean '0.weight'?"),
        ({"7.*": Ones()}, None),
        ({3: Ones()}, "init's pattern 3 is not a string; give a parameter's name or a glob"),
        (
            {"out.*": Ones()},
            "init's pattern 'out.*' fits only biases, such as 'out.bias', "
            "and does not name them; write 'out.bias' or '*bias'",
        ),
    ],
)
def test_a_choice_that_cannot_be_followed(init, sentence):
    with pytest.raises(InputError) as error:
        initialise(NET, init)
    if sentence is CANNOT_BE_READ:
        start, end = (
            f"the initialiser {init!r} cannot be read",
            "; write a name, or e.g. henormal(mode='fan_out')",
        )
        assert str(error.value).startswith(start)
        assert str(error.value).endswith(end)
    elif sentence is None:
        assert str(error.value).startswith("init's pattern '7.*' fits no parameter; ")
    else:
        assert str(error.value) == sentence


def test_the_class_in_place_of_an_initialiser():
    with pytest.raises(InputError, match=r"HeNormal'> is not an initialiser; give one, such as HeNormal\(\)"):
        get(HeNormal)


def test_a_name_far_from_all_others_lists_them():
    with pytest.raises(InputError, match="known are: constant, henormal, heuniform, identity, "):
        get("qqqqqq")


def test_two_parameters_of_one_name():
    with pytest.raises(InputError) as error:
        initialise([NET[0], NET[0]])
    assert str(error.value) == "two parameters are named '0.weight'; each needs a name of its own"


@pytest.mark.parametrize("dtype", [np.int32, np.complex64, bool, "float31", object])
def test_weights_are_floating_point(dtype):
    with pytest.raises(InputError, match="weights need a floating-point type such as float32"):
        initialise(NET, dtype=dtype)


@pytest.mark.parametrize("seed", [-1, 0.5, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="must be a non-negative whole number"):
        initialise(NET, seed=seed)


def test_values_too_large_for_the_dtype():
    with pytest.raises(InputError) as error:
        initialise(NET, Constant(1e300))
    assert str(error.value) == (
        "Constant(value=1e+300) gave parameter '0.weight' values that are not finite in float32"
    )
    with pytest.raises(InputError, match="not finite in float64"):
        initialise(NET, Normal(1.7e308, 1e308), dtype=np.float64)


def test_an_initialiser_of_the_users_own_that_forgets_the_shape():
    @dataclass(frozen=True)
    class Scalar(Initialiser):
        def sample(self, parameter, rng):
            return np.ones(())

    with pytest.raises(InputError) as error:
        initialise(NET, Scalar())
    assert "Scalar() gave parameter '0.weight' values of shape (); it needs (4, 3)" in str(error.value)


def test_initialisers_are_values():
    assert HeNormal() == HeNormal(slope=0, mode="fan_in")
    with pytest.raises(AttributeError):
        HeNormal().slope = 1


@pytest.mark.parametrize(
    ("text", "init"),
    [
        (" HeNormal(mode='fan_out')", HeNormal(mode="fan_out")),
        ("henormal(0.2, 'fan_out')", HeNormal(0.2, "fan_out")),
        ("constant(-0.1)", Constant(-0.1)),
        ("henormal()", HeNormal()),
    ],
)
def test_a_text_may_give_arguments(text, init):
    assert get(text) == init
