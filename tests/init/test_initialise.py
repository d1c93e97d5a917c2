"""`initialise`: which initialiser a parameter gets, and what its values depend on."""

from dataclasses import dataclass

import numpy as np
import pytest

from spusk.errors import InputError
from spusk.init import (
    CATALOGUE,
    Constant,
    HeNormal,
    Initialiser,
    Normal,
    Ones,
    Orthogonal,
    TorchDefault,
    Uniform,
    XavierNormal,
    get,
    initialise,
)
from spusk.nn.parameter import Parameter
from spusk.streams import stream


def linear(path, n_in, n_out):
    weight = Parameter("weight", (n_in, n_out), fan_in=n_in, fan_out=n_out)
    bias = Parameter("bias", (n_out,), fan_in=n_in, fan_out=n_out, kind="bias")
    return [weight.within(path), bias.within(path)]


NET = [*linear("0", 64, 32), *linear("2", 32, 16), *linear("head.0", 16, 10)]
WEIGHTS = [p.name for p in NET if p.kind == "weight"]
BIASES = [p.name for p in NET if p.kind == "bias"]


def constants(init):
    """The value of each parameter, all of them being constant."""
    values = initialise(NET, init, seed=0)
    assert all(np.ptp(v) == 0 for v in values.values())
    return {name: float(v.flat[0]) for name, v in values.items()}


def test_the_default_is_he_normal_with_zero_biases():
    values = initialise(NET)
    assert list(values) == [p.name for p in NET]
    assert {name: v.shape for name, v in values.items()} == {p.name: p.shape for p in NET}
    for parameter in NET:
        if parameter.kind == "bias":
            assert not values[parameter.name].any()
        else:
            expected = HeNormal().sample(parameter, stream(0, "init", parameter.name))
            np.testing.assert_array_equal(values[parameter.name], expected.astype(np.float32))


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_weights():
    first, again, other = initialise(NET, seed=3), initialise(NET, seed=3), initialise(NET, seed=4)
    for name in WEIGHTS:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.isclose(first[name], other[name]).all()


def test_weights_do_not_depend_on_which_other_parameters_exist():
    everything = initialise(NET, seed=5)
    for parameter in NET:
        alone = initialise([parameter], seed=5)
        np.testing.assert_array_equal(alone[parameter.name], everything[parameter.name])
    for name, values in initialise(reversed(NET), seed=5).items():
        np.testing.assert_array_equal(values, everything[name])


def test_weights_do_not_depend_on_the_initialisers_of_other_parameters():
    plain = initialise(NET, seed=5)
    mixed = initialise(NET, {"2.*": Orthogonal(), "*.bias": Normal()}, seed=5)
    np.testing.assert_array_equal(plain["0.weight"], mixed["0.weight"])
    np.testing.assert_array_equal(plain["head.0.weight"], mixed["head.0.weight"])


def test_two_parameters_of_the_same_shape_differ():
    twins = [*linear("a", 8, 8), *linear("b", 8, 8)]
    values = initialise(twins)
    assert not np.isclose(values["a.weight"], values["b.weight"]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, "float64", np.dtype("f4")])
def test_arrays_have_the_dtype_asked_for_and_are_rounded_from_float64(dtype):
    double = initialise(NET, dtype=np.float64)
    for name, values in initialise(NET, dtype=dtype).items():
        assert values.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(values, double[name].astype(dtype))


def test_arrays_belong_to_the_caller():
    for values in initialise(NET, "orthogonal").values():
        assert values.flags.c_contiguous
        assert values.flags.owndata
        assert values.flags.writeable


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - {"constant", "uniform"}))
def test_a_name_stands_for_the_initialiser_with_its_defaults(name):
    by_name, by_instance = initialise(NET, name), initialise(NET, CATALOGUE[name]())
    for parameter in by_name:
        np.testing.assert_array_equal(by_name[parameter], by_instance[parameter])


def test_the_catalogue_holds_every_initialiser_under_its_lower_case_name():
    names = "Zeros Ones Constant Normal Uniform TruncatedNormal Orthogonal Identity LeCunUniform LeCunNormal"
    names += " XavierUniform XavierNormal HeNormal HeUniform VarianceScaling TorchDefault LSUV"
    assert [cls.__name__ for cls in CATALOGUE.values()] == names.split()
    assert list(CATALOGUE) == names.lower().split()


def test_get_takes_names_in_any_case_and_passes_initialisers_through():
    assert get("HeNormal") == get("henormal") == HeNormal()
    given = XavierNormal(gain=2)
    assert get(given) is given


# Which biases an initialiser reaches


@pytest.mark.parametrize("init", [Ones(), "ones", {"*": Ones()}])
def test_a_plain_initialiser_goes_to_weights_and_leaves_biases_zero(init):
    assert constants(init) == dict.fromkeys(WEIGHTS, 1) | dict.fromkeys(BIASES, 0)


@pytest.mark.parametrize("init", [TorchDefault(), "torchdefault", {"*": TorchDefault()}])
def test_torch_default_draws_biases_too_within_one_over_root_fan_in(init):
    values = initialise(NET, init)
    for parameter in NET:
        largest = np.abs(values[parameter.name]).max()
        assert 0.7 / parameter.fan_in**0.5 < largest <= 1 / parameter.fan_in**0.5


@pytest.mark.parametrize("pattern", ["*.bias", "*bias", "*b*", "*.b???", "*.[b]ias"])
def test_a_pattern_that_names_biases_reaches_them(pattern):
    values = constants({"*": Constant(2), pattern: Ones()})
    assert values == dict.fromkeys(WEIGHTS, 2) | dict.fromkeys(BIASES, 1)


@pytest.mark.parametrize("pattern", ["*", "0.*", "0*", "?.*", "[0]*", "**"])
def test_a_pattern_that_does_not_name_biases_leaves_them_zero(pattern):
    values = constants({pattern: Constant(2), "*.weight": Ones()})
    assert values["0.weight"] == 2
    assert values["0.bias"] == 0


def test_an_exact_name_reaches_a_bias():
    values = constants({"*": Ones(), "2.bias": Constant(3)})
    assert [values[name] for name in BIASES] == [0, 3, 0]


# Which pattern wins


def test_an_exact_name_beats_a_glob_wherever_it_stands():
    for init in ({"0.weight": Ones(), "*": Constant(2)}, {"*": Constant(2), "0.weight": Ones()}):
        assert constants(init)["0.weight"] == 1
        assert constants(init)["2.weight"] == 2


def test_the_earlier_glob_beats_the_later_one():
    assert constants({"*.weight": Ones(), "0.*": Constant(2)})["0.weight"] == 1
    assert constants({"0.*": Constant(2), "*.weight": Ones()})["0.weight"] == 2


def test_a_star_crosses_dots():
    assert constants({"head.*": Constant(2), "*": Ones()})["head.0.weight"] == 2


def test_a_weight_that_no_pattern_fits_gets_the_default():
    values, default = initialise(NET, {"0.*": "ones"}), initialise(NET)
    assert (values["0.weight"] == 1).all()
    np.testing.assert_array_equal(values["2.weight"], default["2.weight"])
    np.testing.assert_array_equal(initialise(NET, {})["0.weight"], default["0.weight"])


def test_names_are_told_apart_by_case():
    with pytest.raises(InputError, match="fits no parameter"):
        initialise(NET, {"HEAD.*": Ones()})


def test_a_net_without_parameters_has_no_weights():
    assert initialise([]) == {}


def test_an_initialiser_of_the_users_own_works_like_a_built_in():
    @dataclass(frozen=True)
    class Signs(Initialiser):
        def sample(self, parameter, rng):
            return rng.choice([-1.0, 1.0], size=parameter.shape)

    values = initialise(NET, {"0.*": Signs(), "*": Uniform(2, 3)})
    assert set(np.unique(values["0.weight"])) == {-1, 1}
    assert values["2.weight"].min() >= 2
