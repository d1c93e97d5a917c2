"""What other libraries call an initialiser draws from the same law, what they call a loss is the same number,
and the weights of Adan's averages are the complements of theirs."""

import ast
import importlib
import inspect

import numpy as np
import pytest

from spusk import init, optim
from spusk.lab.methods.elsewhere import elsewhere
from spusk.nn import losses
from spusk.nn.parameter import Parameter

IN, OUT = 300, 400
# The Kolmogorov–Smirnov distance of two samples of one law of IN·OUT numbers is larger once in 1e5 times.
LIMIT = np.sqrt(np.log(2 / 1e-5) / (IN * OUT))

# Arguments other than the defaults; a library is given those that it has.
ARGUMENTS = {
    "constant": {"value": 0.5},
    "normal": {"mean": 1.0, "std": 0.3},
    "uniform": {"low": 0.0, "high": 0.7},
    "truncatednormal": {"mean": 0.0, "std": 1.0},
    "orthogonal": {"gain": 3.0},
    "identity": {"gain": 3.0},
    "xavieruniform": {"gain": 3.0},
    "xaviernormal": {"gain": 3.0},
    "henormal": {"slope": 0.7, "mode": "fan_out"},
    "heuniform": {"slope": 0.7, "mode": "fan_out"},
    "variancescaling": {"scale": 3.0, "mode": "fan_out", "distribution": "uniform"},
    "huber": {"delta": 0.7},
    "cross_entropy": {"label_smoothing": 0.1},
}
LAWS = [(name, library) for name in init.CATALOGUE for library in elsewhere("initialiser", name)]
LOSSES = [(name, library) for name in losses.CATALOGUE for library in elsewhere("loss", name)]

RNG = np.random.default_rng(0)
SCORES, LABELS = RNG.normal(size=(16, 5)), RNG.integers(0, 5, size=16)
OUTPUTS, TARGETS = RNG.normal(size=(2, 16)) * 2
BITS = RNG.integers(0, 2, size=16) * 1.0
DATA = {
    "cross_entropy": (SCORES, LABELS),
    "binary_cross_entropy": (OUTPUTS, BITS),
    "hinge": (OUTPUTS, 2 * BITS - 1),
    "mean_squared": (OUTPUTS, TARGETS),
    "mean_absolute": (OUTPUTS, TARGETS),
    "huber": (OUTPUTS, TARGETS),
}


def imported(path, peer):
    """What a name such as "a.b.c(x=1)" imports, and its arguments."""
    whole, _, _ = path.partition("(")
    peer(whole.partition(".")[0])
    module, _, name = whole.rpartition(".")
    call = ast.parse(path, mode="eval").body
    keywords = call.keywords if isinstance(call, ast.Call) else []
    arguments = {k.arg: eval(ast.unparse(k.value)) for k in keywords}
    return getattr(importlib.import_module(module), name), arguments


def arguments(kind, name, library):
    """Ours that the library has, too, and the same under their names there."""
    there = elsewhere(kind, name)[library].arguments
    ours = {key: value for key, value in ARGUMENTS.get(name, {}).items() if key in there}
    return ours, {there[key]: value for key, value in ours.items()}


def drawn(path, library, given, peer):
    """Weights (IN, OUT) as the library draws them."""
    thing, fixed = imported(path, peer)
    options = fixed | given
    if library == "torch":
        torch = peer("torch")
        generator = torch.random.get_rng_state()
        torch.manual_seed(0)
        w = thing(torch.empty(OUT, IN), **options).numpy().T
        torch.random.set_rng_state(generator)
        return w
    if library == "keras":
        seed = {"seed": 0} if path.partition("(")[0].rpartition(".")[2] not in NOT_RANDOM else {}
        return np.asarray(thing(**options, **seed)((IN, OUT)))
    key = peer("jax").random.key(0)
    is_law = thing.__name__ in ("zeros", "ones")
    return np.asarray((thing if is_law else thing(**options))(key, (IN, OUT), "float32"))


NOT_RANDOM = ("Zeros", "Ones", "Constant", "Identity")


def distance(a, b):
    """Kolmogorov and Smirnov's, between the numbers of two arrays."""
    a, b = np.sort(a, axis=None), np.sort(b, axis=None)
    points = np.concatenate([a, b])
    return np.max(abs(np.searchsorted(a, points, "right") - np.searchsorted(b, points, "right"))) / a.size


def ours_of(name, given):
    """Our initialiser's weights (IN, OUT)."""
    required = {"uniform": {"low": 0.0, "high": 0.7}}.get(name, {})
    law = init.CATALOGUE[name](**(required | given))
    parameter = Parameter("0.weight", (IN, OUT), fan_in=IN, fan_out=OUT)
    return law.sample(parameter, np.random.default_rng(1)).astype(np.float32)


@pytest.mark.peers
@pytest.mark.parametrize(("name", "library"), LAWS)
def test_an_initialiser_elsewhere_draws_from_the_same_law(name, library, peer, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    ours, theirs = arguments("initialiser", name, library)

    found = drawn(elsewhere("initialiser", name)[library].name, library, theirs, peer)

    expected = ours_of(name, ours)
    if name in ("zeros", "ones", "constant", "identity"):
        np.testing.assert_array_equal(found, expected)
    else:
        assert distance(found, expected) < LIMIT
    if name == "orthogonal":
        np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["HeNormal", "GlorotNormal", "LecunNormal"])
def test_the_normal_laws_of_keras_are_truncated_as_variance_scaling_is(name, peer, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    ours = {"GlorotNormal": "xaviernormal"}.get(name, name.lower())
    scaling = {"HeNormal": {"scale": 2.0}, "GlorotNormal": {"mode": "fan_avg"}}.get(name, {})

    found = drawn(f"keras.initializers.{name}", "keras", {}, peer)

    assert distance(found, ours_of(ours, {})) > LIMIT
    assert distance(found, ours_of("variancescaling", scaling)) < LIMIT


@pytest.mark.peers
@pytest.mark.parametrize(("name", "library"), LOSSES)
def test_a_loss_elsewhere_is_the_same_number(name, library, peer, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    thing, fixed = imported(elsewhere("loss", name)[library].name, peer)
    ours, theirs = arguments("loss", name, library)
    outputs, targets = DATA[name]
    if library == "torch":
        torch = peer("torch")
        found = thing(torch.tensor(outputs), torch.tensor(targets), **theirs).item()
    elif library == "keras":
        found = float(thing(**fixed, **theirs)(targets, outputs))
    else:
        outputs, targets = (x.astype(x.dtype.char.replace("d", "f")) for x in DATA[name])
        found = float(np.mean(thing(outputs, targets, **theirs)))

    assert found == pytest.approx(float(losses.CATALOGUE[name](outputs, targets, **ours)), rel=1e-5)


@pytest.mark.peers
@pytest.mark.parametrize("library", ["optax", "timm", "pytorch_optimizer"])
@pytest.mark.parametrize("field", ["beta1", "beta2", "beta3"])
def test_the_weights_of_adan_follow_from_those_elsewhere(field, library, peer):
    there = elsewhere("optimizer", "adan")[library]
    theirs = inspect.signature(imported(there.name, peer)[0]).parameters
    defaults = {name: parameter.default for name, parameter in theirs.items()}

    found = eval(there.arguments[field].replace("−", "-"), defaults)

    assert found == pytest.approx(getattr(optim.Adan(), field))
