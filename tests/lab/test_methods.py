"""What is said of a method is what its code does: costs, ranges, differences of presets."""

import pytest

from spusk import optim
from spusk.errors import InputError
from spusk.lab import methods


def cost(rule):
    return methods.step_cost(rule)


def test_memory_is_the_state_that_start_makes():
    assert cost(optim.SGD()).numbers == 0
    assert [slot.name for slot in cost(optim.Lookahead(optim.Momentum())).slots] == ["inner v", "slow"]
    adafactor = {slot.name: slot.per_weight for slot in cost(optim.Adafactor()).slots}
    assert 0 < sum(adafactor.values()) < 0.1


def test_arithmetic_is_counted_in_the_compiled_update():
    assert cost(optim.SGD()).operations == pytest.approx(2, abs=0.01)  # α·g, and w − that
    assert cost(optim.Momentum()).operations == pytest.approx(4, abs=0.01)  # μv, αg, their difference, w + v
    # And w + μv, where the gradient is taken; μv is computed once.
    assert cost(optim.Nesterov()).operations == pytest.approx(5, abs=0.01)


def test_gradients_and_hessian_products_are_counted():
    assert (cost(optim.Adam()).gradients, cost(optim.Adam()).curvatures) == (1, 0)
    assert (cost(optim.AdaHessian()).gradients, cost(optim.AdaHessian()).curvatures) == (1, 1)
    assert cost(optim.SAM(optim.SGD())).gradients == 2


def test_a_preset_tells_the_fields_that_differ_with_both_values():
    (adam,) = methods.find("adam")
    presets = {preset.library: preset for preset in adam.presets}
    changes = {(c.field, c.default, c.value) for c in presets["keras"].changes}
    assert changes == {("eps", "1e-08", "1e-07"), ("eps_hat", "False", "True")}
    assert presets["keras"].about.startswith("Keras and TensorFlow compute")
    assert presets["torch"].changes == ()


def test_what_a_hyperparameter_allows_is_what_its_error_says():
    (radam,) = methods.find("radam")
    allowed = {setting.name: setting.allowed for setting in radam.settings}
    assert allowed["threshold"] == "4 or greater"
    assert allowed["beta1"] == "at least 0 and below 1"
    assert allowed["step_before"] == "True or False"


@pytest.mark.parametrize(
    ("name", "found"), [("optax.contrib.sophia", "sophiah"), ("CosineAnnealingLR", "cosine")]
)
def test_a_method_is_found_by_its_name_in_another_library(name, found):
    assert found in [entry.name for entry in methods.find(name)]


def test_an_unknown_name_is_corrected():
    with pytest.raises(InputError, match="no method is called 'nadamm'; did you mean 'nadam'"):
        methods.find("nadamm")


def test_who_asks_by_a_library_s_name_is_told_how_to_have_its_variant():
    adamw = next(entry for entry in methods.find("torch.optim.AdamW") if entry.name == "adamw")
    assert adamw.libraries_called("torch.optim.AdamW") == ["torch"]
    assert adamw.libraries_called("optax.adamw") == ["optax"]
    assert adamw.libraries_called("adamw") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [("adam(lr=0.1)", "adam"), ('adam.like("torch")', "adam"), ("clip(radam, norm=1.0)", "clip")],
)
def test_an_optimizer_as_it_is_written_elsewhere_is_found(text, name):
    assert [entry.name for entry in methods.find(text)] == [name]


def test_what_cannot_be_read_is_no_method():
    with pytest.raises(InputError, match="no method is called"):
        methods.find("adam(rate=0.1)")
