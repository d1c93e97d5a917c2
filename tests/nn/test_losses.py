"""Each loss against scipy's and scikit-learn's formulas, its gradient, and its behaviour at the edges."""

import functools
import math

import numpy as np
import pytest
from scipy import special
from sklearn import metrics

from spusk import check_gradient, nn
from spusk.errors import DTypeError, InputError, ShapeError
from spusk.graph import Evaluator, backprop, topological
from spusk.graph import input as new_input
from spusk.nn import losses

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(12, 4)) * 3
LABELS = RNG.integers(0, 4, size=12)
SCORES = RNG.normal(size=12) * 2
BITS = RNG.integers(0, 2, size=12)
OUTPUTS, TARGETS = RNG.normal(size=(2, 12)) * 2
ONE_HOT = np.eye(4)[LABELS]
PROBABILITIES = special.softmax(RNG.normal(size=(12, 4)), axis=-1)


def gradient(loss, outputs, *rest, **kwargs):
    """The loss's value and its gradient by the outputs."""
    x = new_input("outputs", outputs.shape, outputs.dtype)
    value = loss(x, *rest, **kwargs)
    return Evaluator([value, backprop(value, x)], [x])(outputs)


def entropy(logits, probabilities):
    return -np.mean(np.sum(probabilities * special.log_softmax(logits, axis=-1), axis=-1))


def huber_formula(delta):
    return np.mean(special.huber(delta, OUTPUTS - TARGETS))


VALUES = {
    "cross_entropy of labels": (
        lambda: losses.cross_entropy(LOGITS, LABELS),
        metrics.log_loss(LABELS, special.softmax(LOGITS, axis=-1), labels=np.arange(4)),
    ),
    "cross_entropy of probabilities": (
        lambda: losses.cross_entropy(LOGITS, PROBABILITIES),
        entropy(LOGITS, PROBABILITIES),
    ),
    "binary_cross_entropy": (
        lambda: losses.binary_cross_entropy(SCORES, BITS),
        metrics.log_loss(BITS, special.expit(SCORES)),
    ),
    "binary_cross_entropy of probabilities": (
        lambda: losses.binary_cross_entropy(SCORES, PROBABILITIES[:, 0]),
        -np.mean(
            PROBABILITIES[:, 0] * special.log_expit(SCORES)
            + (1 - PROBABILITIES[:, 0]) * special.log_expit(-SCORES)
        ),
    ),
    "mean_squared": (
        lambda: losses.mean_squared(OUTPUTS, TARGETS),
        metrics.mean_squared_error(TARGETS, OUTPUTS),
    ),
    "mean_absolute": (
        lambda: losses.mean_absolute(OUTPUTS, TARGETS),
        metrics.mean_absolute_error(TARGETS, OUTPUTS),
    ),
    "huber": (lambda: losses.huber(OUTPUTS, TARGETS), huber_formula(1.0)),
    "huber with delta": (lambda: losses.huber(OUTPUTS, TARGETS, delta=0.3), huber_formula(0.3)),
    "hinge of bits": (lambda: losses.hinge(SCORES, BITS), metrics.hinge_loss(BITS, SCORES)),
    "hinge of truth values": (lambda: losses.hinge(SCORES, BITS == 1), metrics.hinge_loss(BITS, SCORES)),
    "hinge of signs": (lambda: losses.hinge(SCORES, 2.0 * BITS - 1), metrics.hinge_loss(BITS, SCORES)),
    "hinge of whole signs": (lambda: losses.hinge(SCORES, 2 * BITS - 1), metrics.hinge_loss(BITS, SCORES)),
    "hinge of classes": (
        lambda: losses.hinge(LOGITS, LABELS),
        metrics.hinge_loss(LABELS, LOGITS, labels=np.arange(4)),
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_are_those_of_the_formula(case):
    ours, expected = VALUES[case]

    assert ours().shape == ()
    assert float(ours()) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (losses.cross_entropy, LOGITS, LABELS),
        (functools.partial(losses.cross_entropy, label_smoothing=0.2), LOGITS, LABELS),
        (losses.cross_entropy, LOGITS, PROBABILITIES),
        (losses.binary_cross_entropy, SCORES, BITS),
        (losses.binary_cross_entropy, np.zeros(3), np.array([0, 1, 1])),
        (losses.mean_squared, OUTPUTS, TARGETS),
        (losses.mean_absolute, OUTPUTS, TARGETS),
        (losses.huber, OUTPUTS, TARGETS),
        (losses.huber, OUTPUTS, OUTPUTS.copy()),
        (losses.hinge, SCORES, BITS),
        (losses.hinge, LOGITS, LABELS),
    ],
)
def test_gradients_of_first_and_second_order_are_right(loss, outputs, targets):
    check_gradient(loss, outputs, targets)


# --- cross-entropy ------------------------------------------------------------------------------------


def test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot():
    _, found = gradient(losses.cross_entropy, LOGITS, LABELS)

    np.testing.assert_allclose(found, (special.softmax(LOGITS, axis=-1) - ONE_HOT) / 12, atol=1e-16)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5, 1.0])
def test_label_smoothing_is_cross_entropy_of_smoothed_probabilities(epsilon):
    smoothed = (1 - epsilon) * ONE_HOT + epsilon / 4

    for labels in (LABELS, ONE_HOT):
        found = losses.cross_entropy(LOGITS, labels, label_smoothing=epsilon)
        assert float(found) == pytest.approx(entropy(LOGITS, smoothed), rel=1e-13)


@pytest.mark.parametrize("labels", [LABELS.reshape(3, 4), PROBABILITIES.reshape(3, 4, 4)])
def test_leading_axes_are_examples(labels):
    flat = labels.reshape(12, *labels.shape[2:])

    found = losses.cross_entropy(LOGITS.reshape(3, 4, 4), labels)

    assert float(found) == pytest.approx(float(losses.cross_entropy(LOGITS, flat)), rel=1e-14)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "uint64"])
def test_labels_of_any_integer_dtype_mean_the_same(dtype):
    found = losses.cross_entropy(LOGITS, LABELS.astype(dtype))

    assert float(found) == float(losses.cross_entropy(LOGITS, LABELS))


def test_a_masked_class_costs_nothing():
    logits = np.array([[1.0, -np.inf, 0.5]], np.float32)

    value, slope = gradient(losses.cross_entropy, logits, np.array([0]))

    assert float(value) == pytest.approx(math.log(1 + math.exp(-0.5)), rel=1e-6)
    assert slope[0, 1] == 0


def test_cross_entropy_is_a_small_graph_without_gathering():
    labels = new_input("labels", (32,), "int64")
    loss = losses.cross_entropy(new_input("z", (32, 10)), labels)
    names = [t.primitive.name for t in topological([loss]) if t.inputs]

    assert len(names) <= 15
    assert not {"take", "scatter_add"} & set(names)


# --- edges --------------------------------------------------------------------------------------------

ENDS = np.array([-1e4, 1e4, -1e4, 1e4], np.float32)
EXTREMES = {
    "cross_entropy": (losses.cross_entropy, np.array([[-1e4, 1e4], [1e4, -1e4]]), np.array([0, 0]), 1e4),
    "smoothed": (
        functools.partial(losses.cross_entropy, label_smoothing=0.1),
        np.array([[-1e4, 1e4], [1e4, -1e4]]),
        np.array([0, 0]),
        1e4,
    ),
    "probabilities": (losses.cross_entropy, np.array([[-1e4, 1e4]]), np.array([[0.5, 0.5]]), 1e4),
    "binary_cross_entropy": (losses.binary_cross_entropy, ENDS, np.array([0, 0, 1, 1]), 5e3),
    "hinge": (losses.hinge, ENDS, np.array([0, 0, 1, 1]), (2e4 + 2) / 4),
    "hinge of classes": (losses.hinge, np.array([[-1e4, 1e4], [1e4, -1e4]]), np.array([0, 0]), 1e4 + 0.5),
    "mean_squared": (losses.mean_squared, ENDS, np.zeros(4), 1e8),
    "mean_absolute": (losses.mean_absolute, ENDS, np.zeros(4), 1e4),
    "huber": (losses.huber, ENDS, np.zeros(4), 1e4 - 0.5),
}


@pytest.mark.parametrize("case", EXTREMES)
def test_at_ten_thousand_value_and_gradients_are_finite_in_float32(case):
    loss, outputs, targets, expected = EXTREMES[case]
    x = new_input("outputs", outputs.shape)
    value = loss(x, targets)
    first = backprop(value, x)
    second = backprop((first * np.arange(1, outputs.size + 1).reshape(outputs.shape)).sum(), x)

    found = Evaluator([value, first, second], [x])(outputs.astype(np.float32))

    assert float(found[0]) == pytest.approx(expected, rel=1e-6)
    assert all(np.isfinite(f).all() for f in found)
    assert found[0].dtype == found[1].dtype == np.float32


@pytest.mark.parametrize("name", losses.CATALOGUE)
def test_a_nan_output_makes_the_loss_nan(name):
    outputs = np.array([[0.5], [np.nan], [0.1]], np.float32)
    if name == "cross_entropy":
        outputs = np.concatenate([outputs, -outputs], axis=1)

    assert np.isnan(float(losses.CATALOGUE[name](outputs, np.array([0, 1, 1]))))


@pytest.mark.parametrize("name", losses.CATALOGUE)
def test_no_examples_give_nan_not_an_error(name):
    shape = (0, 3) if name == "cross_entropy" else (0,)

    assert np.isnan(float(losses.CATALOGUE[name](np.zeros(shape, np.float32), np.zeros(0, np.int64))))


@pytest.mark.parametrize("name", ["mean_squared", "mean_absolute", "huber", "binary_cross_entropy"])
def test_the_loss_keeps_the_dtype_of_the_outputs(name):
    targets = np.array([0.0, 1.0])

    assert losses.CATALOGUE[name](np.zeros(2, np.float32), targets).dtype == "float32"
    assert losses.CATALOGUE[name](np.zeros(2), targets.astype(np.float32)).dtype == "float64"


# --- shapes -------------------------------------------------------------------------------------------

PAIRED = ["mean_squared", "mean_absolute", "huber", "binary_cross_entropy", "hinge"]


@pytest.mark.parametrize("name", PAIRED)
def test_a_column_meets_a_vector_without_broadcasting(name):
    loss = losses.CATALOGUE[name]
    expected = float(loss(SCORES, BITS))

    for outputs in (SCORES, SCORES[:, None]):
        for targets in (BITS, BITS[:, None]):
            assert float(loss(outputs, targets)) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", PAIRED)
def test_other_shapes_are_refused_with_both_named(name):
    with pytest.raises(ShapeError, match=r"\(5, 2\) and targets of shape \(2,\).*\(test_losses\.py:\d+\)"):
        losses.CATALOGUE[name](np.zeros((5, 2)), np.zeros(2))


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (
            lambda: losses.cross_entropy(LOGITS, LABELS[:5]),
            ShapeError,
            r"\(12, 4\) and labels of shape \(5,\)",
        ),
        (lambda: losses.cross_entropy(SCORES[:, None], BITS), ShapeError, "two classes or more"),
        (lambda: losses.cross_entropy(SCORES[:, None], SCORES[:, None]), ShapeError, "C ≥ 2"),
        (lambda: losses.cross_entropy(LOGITS, LABELS * 1.0), DTypeError, "must be integers"),
        (
            lambda: losses.cross_entropy(LOGITS, LABELS + 1),
            InputError,
            "a label of 4; it must be from 0 to 3",
        ),
        (
            lambda: losses.cross_entropy(LOGITS, LABELS, label_smoothing=1.5),
            InputError,
            "label_smoothing is 1.5",
        ),
        (lambda: losses.hinge(LOGITS, LABELS - 1), InputError, "hinge got a label of -1"),
        (
            lambda: losses.hinge(SCORES, LABELS),
            InputError,
            "hinge got a label of [23]; it must be from -1 to 1",
        ),
        (lambda: losses.binary_cross_entropy(SCORES, 2 * BITS - 1), InputError, "a target of -1; .* 0 to 1"),
        (lambda: losses.huber(OUTPUTS, TARGETS, delta=0), InputError, "huber got delta=0; it needs a finite"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(call, kind, sentence):
    with pytest.raises(kind, match=sentence):
        call()


# --- by name ------------------------------------------------------------------------------------------


def test_a_name_stands_for_its_loss():
    assert [losses.get(name) for name in losses.CATALOGUE] == list(losses.CATALOGUE.values())
    assert losses.get("Cross_Entropy") is losses.cross_entropy


def test_a_function_stands_for_itself_and_a_partial_keeps_the_name():
    half = functools.partial(losses.huber, delta=0.5)

    assert losses.get(half) is half
    assert losses.name_of(half) == "huber"
    assert losses.name_of(losses.hinge) == "hinge"


def test_an_unknown_name_gets_the_closest_one():
    with pytest.raises(InputError, match="there is no loss 'cross_entrpy'; did you mean 'cross_entropy'"):
        losses.get("cross_entrpy")
    with pytest.raises(InputError, match="the loss is 3; it must be a function"):
        losses.get(3)


def test_a_text_may_give_a_loss_its_options():
    given = losses.get(" Huber(delta=0.5)")
    assert losses.name_of(given) == "huber"
    assert float(given([2.0], [0.0])) == float(losses.huber([2.0], [0.0], delta=0.5))
    assert losses.get("huber()") is losses.huber


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("huber(dleta=1)", "loss 'huber' has no argument 'dleta'; did you mean 'delta'?"),
        ("huber(0.5, 1)", "loss 'huber' takes delta and got 2 values"),
        ("hinge(margin=1)", "loss 'hinge' has no argument 'margin'; it takes none"),
        ("mse(1)", "there is no loss 'mse'; did you mean 'mean_squared'?"),
        (
            "huber(delta=x)",
            "the loss 'huber(delta=x)' cannot be read; write a name, or e.g. huber(delta=0.5)",
        ),
    ],
)
def test_options_that_a_loss_does_not_take(text, sentence):
    with pytest.raises(InputError) as error:
        losses.get(text)
    assert str(error.value) == sentence


# --- peers --------------------------------------------------------------------------------------------

PEERS = {
    "cross_entropy": (losses.cross_entropy, "cross_entropy", {}, LOGITS, LABELS),
    "probabilities": (losses.cross_entropy, "cross_entropy", {}, LOGITS, PROBABILITIES),
    "smoothed": (
        functools.partial(losses.cross_entropy, label_smoothing=0.1),
        "cross_entropy",
        {"label_smoothing": 0.1},
        LOGITS,
        LABELS,
    ),
    "binary_cross_entropy": (
        losses.binary_cross_entropy, "binary_cross_entropy_with_logits", {}, SCORES, BITS * 1.0,
    ),
    "mean_squared": (losses.mean_squared, "mse_loss", {}, OUTPUTS, TARGETS),
    "mean_absolute": (losses.mean_absolute, "l1_loss", {}, OUTPUTS, TARGETS),
    "huber": (
        functools.partial(losses.huber, delta=0.7), "huber_loss", {"delta": 0.7}, OUTPUTS, TARGETS,
    ),
}  # fmt: skip


@pytest.mark.peers
@pytest.mark.parametrize("case", PEERS)
def test_torch_agrees_in_value_and_gradient(case, peer):
    torch = peer("torch")
    ours, theirs, options, outputs, targets = PEERS[case]
    x = torch.tensor(outputs, requires_grad=True)
    expected = getattr(torch.nn.functional, theirs)(x, torch.tensor(targets), **options)
    expected.backward()

    value, slope = gradient(ours, outputs, targets)

    assert float(value) == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(slope, x.grad.numpy(), rtol=1e-11, atol=1e-15)


def test_losses_work_on_a_network_outputs():
    net = nn.Sequential(nn.Linear(3, 4))
    weights = {"0.weight": np.eye(3, 4), "0.bias": np.zeros(4)}

    found = losses.cross_entropy(net(weights, np.zeros((2, 3))), [0, 1])

    assert float(found) == pytest.approx(math.log(4))
