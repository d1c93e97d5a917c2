"""Linear, Flatten, Residual, Lambda, Sequential: what they compute, how they are named, what they refuse."""

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass

import numpy as np
import pytest

import spusk.numpy as snp
from spusk import nn
from spusk.errors import InputError, ShapeError
from spusk.graph import Tensor, backprop
from spusk.graph import input as new_input

try:
    import cloudpickle  # what joblib sends functions with
except ImportError:
    from joblib.externals import cloudpickle  # joblib before 1.6 carries its own copy


def weights_of(net, seed=0):
    rng = np.random.default_rng(seed)
    return {p.name: rng.normal(size=p.shape) for p in net.parameters()}


def line():
    """The line of the caller."""
    return inspect.currentframe().f_back.f_lineno


def double(x):
    return x * 2


X = np.random.default_rng(1).normal(size=(5, 3))


# --- Linear -------------------------------------------------------------------------------------------


def test_linear_is_x_times_weight_plus_bias():
    w, b = np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])

    np.testing.assert_allclose(nn.Linear(3, 2)({"weight": w, "bias": b}, X).numpy(), X @ w + b)
    np.testing.assert_allclose(nn.Linear(3, 2, bias=False)({"weight": w}, X).numpy(), X @ w)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
def test_linear_maps_the_last_axis(shape):
    net = nn.Linear(3, 2)

    assert net(weights_of(net), np.zeros(shape)).numpy().shape == (*shape[:-1], 2)


def test_linear_declares_its_parameters_with_fans():
    weight, bias = nn.Linear(64, 32).parameters()

    assert weight == nn.Parameter("weight", (64, 32), fan_in=64, fan_out=32)
    assert bias == nn.Parameter("bias", (32,), fan_in=64, kind="bias")
    assert [p.name for p in nn.Linear(64, 32, bias=False).parameters()] == ["weight"]


def test_a_wrong_width_is_told_with_layer_shapes_file_and_line():
    net = nn.Sequential(nn.Linear(64, 32))
    made = line() - 1

    with pytest.raises(ShapeError) as caught:
        net(weights_of(net), np.zeros((128, 63)))

    assert str(caught.value) == (
        "Linear(64, 32) (layer 0) got an input of shape (128, 63); "
        f"it needs a last axis of 64 (test_layers.py:{made})"
    )


def test_a_wrong_width_deep_inside_is_told_with_its_path():
    net = nn.Sequential(nn.Residual(nn.ReLU(), inner=nn.Linear(4, 3)))

    with pytest.raises(ShapeError, match=r"Linear\(4, 3\) \(layer 0\.inner\) got an input of shape \(5, 3\)"):
        net(weights_of(net), X)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: nn.Linear(0, 2),
            r"Linear got n_in=0; it needs a whole number, 1 or more \(test_layers.py:\d+\)",
        ),
        (lambda: nn.Linear(2, 2.5), r"Linear got n_out=2\.5; it needs a whole number, 1 or more"),
        (lambda: nn.Linear(True, 2), "Linear got n_in=True"),
        (lambda: nn.Linear(2, 2, bias="no"), "Linear got bias='no'; it needs True or False"),
        (lambda: nn.Dropout(1.0), r"Dropout got p=1\.0; it needs a probability in \[0, 1\)"),
        (lambda: nn.Dropout(-0.1), r"Dropout got p=-0\.1"),
        (lambda: nn.Dropout(np.nan), "Dropout got p=nan"),
        (lambda: nn.Lambda(3), "Lambda got f=3; it needs a function of a Tensor"),
        (lambda: nn.Residual(), "Residual got no layer; it needs at least one"),
        (lambda: nn.Sequential(nn.ReLU), r"Sequential got the class ReLU as layer 0; write ReLU\(…\)"),
        (lambda: nn.Sequential([nn.ReLU()]), r"got a list as layer 0; write Sequential\(\*layers\)"),
        (lambda: nn.Sequential(nn.ReLU(), double), r"the function double as layer 1; write Lambda\(double\)"),
        (lambda: nn.Residual(3), r"Residual got 3 as layer 0; it needs layers"),
        (
            lambda: nn.Sequential(**{"a.b": nn.ReLU()}),
            r"named 'a\.b'; a name must not be empty or contain a dot",
        ),
        (lambda: nn.Sequential(nn.ReLU(), **{"0": nn.ReLU()}), "two layers named '0'"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_numpy_numbers_become_plain_ones():
    layer = nn.Linear(np.int64(3), np.int32(2), bias=np.True_)

    assert repr(layer) == "Linear(3, 2)"
    assert type(layer.n_in) is int


# --- parameters that do not fit -----------------------------------------------------------------------


def test_a_missing_parameter_is_told_with_layer_shape_and_closest_name():
    net = nn.Sequential(nn.Linear(3, 2))

    with pytest.raises(
        InputError, match=r"^Linear\(3, 2\) \(layer 0\) needs a parameter '0\.weight' of shape"
    ):
        net({}, X)
    with pytest.raises(InputError, match=r"of shape \(3, 2\), which is missing; did you mean '0\.weigth'\?"):
        net({"0.weigth": np.zeros((3, 2))}, X)
    with pytest.raises(InputError, match="which is missing; no parameters were given"):
        net({}, X)


def test_a_parameter_of_the_wrong_shape_is_told_with_both_shapes():
    with pytest.raises(
        ShapeError, match=r"Linear\(3, 2\) was given 'weight' of shape \(2, 3\); it needs \(3, 2\)"
    ):
        nn.Linear(3, 2)({"weight": np.zeros((2, 3)), "bias": np.zeros(2)}, X)


def test_parameters_that_are_no_mapping_are_refused():
    with pytest.raises(InputError, match=r"Linear\(3, 2\) got a ndarray for its parameters"):
        nn.Linear(3, 2)(X, X)


def test_gradients_flow_to_the_tensors_that_were_given():
    net = nn.Linear(3, 1, bias=False)
    w = new_input("weight", (3, 1), "float64")

    slope = backprop(net({"weight": w}, X).sum(), w)

    np.testing.assert_allclose(slope.numpy({w: np.zeros((3, 1))})[:, 0], X.sum(axis=0))


# --- Flatten, Residual, Lambda ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "flat"), [((5, 2, 3), (5, 6)), ((5, 4), (5, 4)), ((5,), (5, 1)), ((0, 2, 3), (0, 6))]
)
def test_flatten_keeps_the_batch_axis(shape, flat):
    x = np.arange(float(np.prod(shape))).reshape(shape)

    np.testing.assert_array_equal(nn.Flatten()({}, x).numpy(), x.reshape(flat))


def test_flatten_needs_a_batch_axis():
    with pytest.raises(ShapeError, match=r"Flatten\(\) got an input of shape \(\); it needs a batch axis"):
        nn.Flatten()({}, 1.0)


def test_residual_adds_its_input():
    block = nn.Residual(nn.Linear(3, 3), nn.Tanh())
    w = weights_of(block)

    np.testing.assert_allclose(block(w, X).numpy(), X + np.tanh(X @ w["0.weight"] + w["0.bias"]))


@pytest.mark.parametrize("n_out", [1, 4])
def test_residual_refuses_layers_that_change_the_shape(n_out):
    net = nn.Sequential(nn.Residual(nn.Linear(3, n_out)))

    with pytest.raises(ShapeError) as caught:
        net(weights_of(net), X)

    assert str(caught.value).startswith(
        f"Residual(Linear(3, {n_out})) (layer 0) got an input of shape (5, 3); "
        f"its layers made shape (5, {n_out}) of it, and must keep the shape (test_layers.py:"
    )


def test_lambda_is_any_function_of_tensors():
    np.testing.assert_array_equal(nn.Lambda(double)({}, X).numpy(), 2 * X)
    assert repr(nn.Lambda(double)) == "Lambda(double)"
    assert repr(nn.Lambda(lambda x: x, "identity")) == "Lambda(identity)"


def test_lambda_must_return_a_tensor():
    with pytest.raises(
        InputError, match=r"Lambda\(nothing\) \(layer 0\) returned NoneType; it must return a Tensor"
    ):
        nn.Sequential(nn.Lambda(lambda x: None, "nothing"))({}, X)


# --- Sequential ---------------------------------------------------------------------------------------

NET = nn.Sequential(
    nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4), last=nn.Tanh()), head=nn.Linear(4, 2)
)


def test_parameters_are_named_by_path():
    assert [p.name for p in NET.parameters()] == [
        "0.weight", "0.bias", "2.0.weight", "2.0.bias", "head.weight", "head.bias",
    ]  # fmt: skip
    assert next(iter(NET.parameters())).fan_in == 3


def test_layers_follow_one_another():
    w = weights_of(NET)
    hidden = np.maximum(X @ w["0.weight"] + w["0.bias"], 0)
    hidden = np.tanh(hidden @ w["2.0.weight"] + w["2.0.bias"])

    np.testing.assert_allclose(NET(w, X).numpy(), hidden @ w["head.weight"] + w["head.bias"])


def test_a_sequence_is_indexed_by_position_and_name_and_iterated():
    assert len(NET) == 4
    assert NET[0] == NET["0"] == nn.Linear(3, 4)
    assert NET[-1] is NET["head"]
    assert [type(layer).__name__ for layer in NET] == ["Linear", "ReLU", "Sequential", "Linear"]
    with pytest.raises(KeyError, match="no layer 'haed'; did you mean 'head'"):
        NET["haed"]
    with pytest.raises(IndexError):
        NET[4]


def test_a_slice_keeps_the_names_and_so_fits_the_same_weights():
    w = weights_of(NET)

    middle = NET[:2](w, X)

    np.testing.assert_allclose(NET[2:](w, middle).numpy(), NET(w, X).numpy())
    assert [p.name for p in NET[2:].parameters()] == ["2.0.weight", "2.0.bias", "head.weight", "head.bias"]


def test_an_empty_sequence_is_the_identity():
    np.testing.assert_array_equal(nn.Sequential()({}, X).numpy(), X)


def test_a_thousand_layers_are_no_deeper_than_one():
    net = nn.Sequential(*(nn.ReLU() for _ in range(3000)))

    assert net({}, X).numpy().min() == 0


def test_the_same_layer_twice_is_two_layers_with_weights_of_their_own():
    layer = nn.Linear(3, 3)

    assert [p.name for p in nn.Sequential(layer, layer).parameters()] == [
        "0.weight", "0.bias", "1.weight", "1.bias",
    ]  # fmt: skip


# --- layers as values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(3, 2, bias=False),
        nn.Dropout(0.25),
        nn.GELU(approximate=True),
        nn.Softmax(axis=0),
        nn.Residual(nn.Linear(2, 2), last=nn.LeakyReLU(0.2)),
        NET,
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_are_values(layer):
    again = eval(repr(layer), vars(nn))

    for other in (
        again,
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        cloudpickle.loads(cloudpickle.dumps(layer)),
    ):
        assert other == layer
        assert hash(other) == hash(layer)
        assert repr(other) == repr(layer)
    assert layer != nn.Flatten()


def test_a_slice_prints_as_the_call_that_makes_it():
    assert eval(repr(NET[1:]), vars(nn)) == NET[1:]


def test_a_network_with_a_lambda_travels_by_cloudpickle():
    net = nn.Sequential(nn.Lambda(lambda x: x + 1))

    np.testing.assert_array_equal(cloudpickle.loads(cloudpickle.dumps(net))({}, X).numpy(), X + 1)


def test_a_layer_is_frozen():
    with pytest.raises(FrozenInstanceError):
        NET[0].n_in = 5


def test_a_layer_remembers_where_it_was_made_also_through_a_pickle():
    layer = nn.Linear(2, 2)
    made = line() - 1

    assert str(layer.place) == f"test_layers.py:{made}"
    assert pickle.loads(pickle.dumps(layer)).place == layer.place


def test_the_place_is_no_part_of_the_value():
    one = nn.Linear(2, 2)
    other = nn.Linear(2, 2)

    assert one.place != other.place
    assert one == other


@pytest.mark.parametrize(
    ("layer", "shown"),
    [
        (nn.Linear(2, 3), "Linear(2, 3)"),
        (nn.Linear(2, 3, bias=False), "Linear(2, 3, bias=False)"),
        (nn.Dropout(), "Dropout(p=0.5)"),
        (nn.GELU(), "GELU()"),
        (nn.GELU(approximate=True), "GELU(approximate=True)"),
        (nn.Residual(nn.ReLU(), a=nn.Tanh()), "Residual(ReLU(), a=Tanh())"),
    ],
)
def test_a_layer_prints_as_the_call_that_makes_it(layer, shown):
    assert repr(layer) == shown


# --- layers of one's own ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gated(nn.Layer):
    """A user's layer: two layers, and a parameter of its own."""

    value: nn.Layer
    gate: nn.Layer
    width: int

    def parameters(self):
        yield nn.Parameter("gain", (self.width,), fan_in=1, fan_out=1)
        yield from super().parameters()

    def apply(self, p, x):
        return p.gain * self.value(p.child("value"), x) * nn.sigmoid(self.gate(p.child("gate"), x))


def test_a_layer_of_ones_own_has_children_and_parameters():
    net = nn.Sequential(Gated(nn.Linear(3, 2), nn.Linear(3, 2, bias=False), 2))
    w = weights_of(net)
    gate = 1 / (1 + np.exp(-(X @ w["0.gate.weight"])))

    found = net(w, X)

    assert list(w) == ["0.gain", "0.value.weight", "0.value.bias", "0.gate.weight"]
    np.testing.assert_allclose(
        found.numpy(), w["0.gain"] * (X @ w["0.value.weight"] + w["0.value.bias"]) * gate
    )


@dataclass(frozen=True)
class Careless(nn.Layer):
    def apply(self, p, x):
        return x * p.gain


def test_a_parameter_that_was_not_declared_is_told():
    with pytest.raises(AttributeError, match=r"Careless\(\) has no parameter 'gain'; it declares: none"):
        Careless()({"gain": 2.0}, X)


def test_children_may_be_applied_in_a_scope_of_their_name():
    layer = nn.Linear(3, 2, bias=False)
    scope = nn.Scope({"a.weight": np.ones((3, 2))}, training=True)

    y = layer.apply(scope.child("a"), snp.asarray(X))

    assert isinstance(y, Tensor)
    assert (scope.child("a").path, scope.child("a").training) == ("a", True)
    np.testing.assert_allclose(y.numpy(), X.sum(axis=1, keepdims=True) * np.ones(2))
