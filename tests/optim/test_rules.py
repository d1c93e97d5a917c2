"""What holds for every rule: its dtypes, its state, its names, its errors, its docstring."""

import dataclasses
import doctest
import importlib
import inspect
import math
import pickle
import pkgutil
import re

import numpy as np
import pytest
from optim.events import GRADIENTS, START, lrs
from optim.harness import Step, path

import spusk.optim
from spusk import optim
from spusk.errors import InputError
from spusk.graph import evaluate, scalar
from spusk.graph import input as new_input
from spusk.optim import CATALOGUE, LECTURE, SCHEDULES, Adam, Lookahead, Optimizer, get
from spusk.optim.hyper import at_step, hyperparameters, with_hyperparameters
from spusk.optim.state import flatten

RULES = [
    *(cls() for cls in CATALOGUE.values()),
    *(
        cls.like(library)
        for cls in CATALOGUE.values()
        for library in cls.presets
        if cls is not optim.CyclicalLR
    ),
    optim.RMSprop(centered=True, momentum=0.9),
    optim.Lookahead(optim.Nadam(), state="reset"),
    optim.Lookahead(optim.Nadam(), state="interpolate"),
    optim.CyclicalLR.like("torch"),
    optim.SignSGD(beta=0.9),
    optim.Clip(optim.Momentum(), value=1.0, norm=0.5, global_norm=0.1),
    optim.WeightDecay(optim.SGD(), kind="l2"),
    optim.EMA(optim.Nadam(), begin="debiased"),
    optim.EMA(optim.Nadam(), begin="first", warm_up=True),
    optim.SkipNonFinite(optim.Nadam()),
]
MODULES = ["spusk.optim", *(m.name for m in pkgutil.walk_packages(spusk.optim.__path__, "spusk.optim."))]


def test_every_library_that_differs_has_a_preset():
    assert {name: " ".join(cls.presets) for name, cls in CATALOGUE.items()} == {
        "gradientdescent": "",
        "sgd": "torch optax keras",
        "momentum": "torch optax keras ema",
        "nesterov": "torch optax keras",
        "adagrad": "torch optax keras",
        "rmsprop": "torch optax keras tf1",
        "adadelta": "paper torch optax keras",
        "adam": "torch optax keras tf1",
        "adamax": "torch optax keras",
        "nadam": "torch optax keras tf-contrib",
        "radam": "torch optax timm authors",
        "lookahead": "optax authors",
        "cyclicallr": "torch",
        "amsgrad": "torch optax keras",
        "adabelief": "optax timm authors authors-tf",
        "adamw": "torch optax keras",
        "sgdw": "timm pytorch_optimizer",
        "signsgd": "optax pytorch_optimizer",
        "lion": "optax keras timm pytorch_optimizer authors",
        "laprop": "authors timm pytorch_optimizer",
        "yogi": "optax pytorch_optimizer",
        "adan": "optax timm pytorch_optimizer authors",
        "adopt": "optax timm pytorch_optimizer authors",
        "ademamix": "optax pytorch_optimizer authors",
        "rprop": "torch optax",
        "ftrl": "keras pytorch_optimizer",
        "madgrad": "optax timm pytorch_optimizer authors",
        "mars": "timm pytorch_optimizer authors",
        "grams": "pytorch_optimizer",
        "novograd": "optax timm pytorch_optimizer",
        "asgd": "torch",
        "schedulefreesgd": "optax pytorch_optimizer authors",
        "schedulefreeadamw": "optax keras pytorch_optimizer authors",
        "prodigy": "optax pytorch_optimizer authors",
        "dadaptadam": "optax pytorch_optimizer authors",
        "dadaptsgd": "pytorch_optimizer",
        "dog": "optax",
        "dowg": "optax",
        "lars": "authors optax timm pytorch_optimizer",
        "lamb": "optax keras timm",
        "muon": "torch optax keras timm",
        "adafactor": "torch optax keras timm",
        "shampoo": "pytorch_optimizer",
        "soap": "authors pytorch_optimizer",
        "psgdkron": "authors",
        "adahessian": "authors pytorch_optimizer",
        "sophiah": "optax pytorch_optimizer",
        "clip": "torch optax keras",
        "agc": "timm optax",
        "weightdecay": "torch optax keras",
        "accumulate": "optax",
        "ema": "torch keras timm optax",
        "swa": "torch",
        "skipnonfinite": "optax",
        "cautious": "authors timm",
        "sam": "optax pytorch_optimizer",
        "partition": "torch optax",
        "mask": "",
        "layerrates": "torch",
        "layerwisedecay": "timm",
        "plateau": "torch keras",
    }


def test_presets_have_the_rate_that_the_library_has_as_its_default_where_it_differs():
    rates = {
        f"{name} {library}": preset["lr"]
        for name, cls in CATALOGUE.items()
        for library, preset in cls.presets.items()
        if "lr" in preset
    }
    assert rates == {
        "sgd torch": 0.001,
        "momentum torch": 0.001,
        "nesterov torch": 0.001,
        "adagrad keras": 0.001,
        "rmsprop torch": 0.01,
        "adadelta keras": 0.001,
        "adamax keras": 0.001,
        "nadam keras": 0.001,
        "nadam tf-contrib": 0.001,
        "sgdw timm": 0.001,
        "sgdw pytorch_optimizer": 0.0001,
        "signsgd pytorch_optimizer": 0.001,
        "lion keras": 0.001,
        "rprop torch": 0.01,
        "rprop optax": 0.01,
        "ftrl keras": 0.001,
        "ftrl pytorch_optimizer": 0.001,
        "madgrad pytorch_optimizer": 0.001,
        "novograd timm": 0.001,
        "novograd pytorch_optimizer": 0.001,
        "lars pytorch_optimizer": 0.001,
        "muon torch": 0.001,
        "muon keras": 0.001,
        "adafactor keras": 0.001,
        "shampoo pytorch_optimizer": 0.001,
        "adahessian pytorch_optimizer": 0.1,
        "sophiah pytorch_optimizer": 0.06,
    }


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_float32_weights_and_their_state_stay_float32(rule):
    # Step itself checks that no parameter or slot changes its name, shape or dtype.
    step = Step(rule, {"w": START.astype("float32"), "b": np.float32(0.5)[()] * np.ones((), "float32")})
    for g in GRADIENTS[:20].astype("float32"):
        step({"w": g, "b": g[0]})
    assert all(w.dtype == "float32" for w in step.parameters.values())
    dtypes = {path: value.dtype.name for path, value in step.state.items() if path not in step.weak}
    assert set(dtypes.values()) <= {"float32"}
    assert all(np.isfinite(w).all() for w in step.parameters.values())


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_float32_follows_float64_to_its_precision(rule):
    rates = lrs(0.01)
    low, high = (path(rule, GRADIENTS[:90, :2], START[:2], rates, dtype=d) for d in ("float32", "float64"))
    np.testing.assert_allclose(low, high, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_step_changes_nothing_in_place(rule):
    step = Step(rule, {"w": START.copy()})
    before = {**step.state, "w": step.parameters["w"]}
    copies = {name: np.array(value) for name, value in before.items()}
    for g in GRADIENTS[:10]:
        step({"w": g})
    for name, value in before.items():
        np.testing.assert_array_equal(value, copies[name])


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_every_number_can_be_replaced_by_name_and_by_schedule(rule):
    numbers = hyperparameters(rule)
    assert with_hyperparameters(rule, numbers) == rule
    constant = with_hyperparameters(rule, {name: optim.Constant(x) for name, x in numbers.items()})
    scheduled = at_step(constant, scalar(1.0))
    assert isinstance(scheduled, Optimizer)
    np.testing.assert_array_equal(path(constant, GRADIENTS[:5], START), path(rule, GRADIENTS[:5], START))


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_rules_survive_pickling_and_compare_by_value(rule):
    copy = pickle.loads(pickle.dumps(rule))
    assert copy == rule
    assert hash(copy) == hash(rule)
    assert rule.with_lr(0.123) != rule
    assert rule.with_lr(0.123).with_lr(0.456) == rule.with_lr(0.456)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_grid_of_rates_is_five_decades(rule):
    ratios = np.diff(np.log10(rule.lr_grid))
    assert len(rule.lr_grid) == 5
    np.testing.assert_allclose(ratios, 1.0)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_rule_runs_under_any_array_namespace(rule):
    strict = pytest.importorskip("array_api_strict")
    w, g = (new_input(name, START.shape, "float32") for name in "wg")
    t = scalar(6.0)
    state = rule.start_all({"w": w})
    given = optim.Gradients({"w": g}, scalar(0.0), {"w": g * g} if rule.needs_curvature else None)
    new_w, new_state = at_step(rule, t).update_all({"w": w}, given, state, t)
    outputs, feeds = [new_w["w"], *flatten(new_state).values()], {w: START, g: GRADIENTS[3]}
    for ours, theirs in zip(evaluate(outputs, feeds), evaluate(outputs, feeds, xp=strict), strict=True):
        np.testing.assert_allclose(np.asarray(theirs), ours, rtol=1e-6)


# --- names --------------------------------------------------------------------------------------------


def test_the_catalogue_begins_with_the_lecture_in_its_order():
    assert LECTURE == (
        "gradientdescent", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax",
        "nadam", "radam", "lookahead", "cyclicallr",
    )  # fmt: skip
    assert tuple(CATALOGUE)[: len(LECTURE)] == LECTURE
    for name, cls in CATALOGUE.items():
        assert get(name) == get(name.upper()) == get(cls) == get(cls()) == cls()
        assert cls().label == name
    for library in ("torch", "optax", "keras"):
        assert all(library in CATALOGUE[name].presets for name in LECTURE[1:10])


def test_a_preset_takes_values_by_place_as_the_class_does():
    around = optim.Adam(lr=0.5)
    assert optim.EMA.like("torch", around, beta=0.5) == optim.EMA.like("torch", inner=around, beta=0.5)
    preset = optim.AdaMax.presets["keras"]
    assert "lr" in preset
    assert optim.AdaMax.like("keras", 0.5) == optim.AdaMax(**{**preset, "lr": 0.5})
    with pytest.raises(InputError, match="lr must be greater than 0"):
        optim.AdaMax.like("keras", -0.5)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: get("adamm"), r"^unknown optimizer 'adamm'; did you mean 'adam'\?$"),
        (lambda: get("zzz"), "unknown optimizer 'zzz'; 'spusk methods' lists all"),
        (lambda: get(3), r"^3 is not an optimizer; give one, such as Adam\(\), its class or its name$"),
        (lambda: get(int), "is not an optimizer"),
        (lambda: Adam.like("torhc"), r"^Adam has no preset 'torhc'; did you mean 'torch'\?$"),
        (lambda: optim.GradientDescent.like("torch"), "GradientDescent has no preset 'torch'; it has none"),
        (lambda: Adam(lr=0.0), r"^Adam\(lr=0.0\): lr must be greater than 0$"),
        (lambda: Adam(lr=-1), r"^Adam\(lr=-1\): lr must be greater than 0$"),
        (lambda: Adam(lr=math.nan), r"^Adam\(lr=nan\): lr must be finite$"),
        (lambda: Adam(lr=math.inf), "lr must be finite"),
        (lambda: Adam(lr="0.1"), r"^Adam\(lr='0.1'\): lr must be a number or a schedule$"),
        (lambda: Adam(lr=None), "lr must be a number or a schedule"),
        (lambda: Adam(lr=True), "lr must be a number or a schedule"),
        (lambda: Adam(beta1=1.0), r"^Adam\(beta1=1.0\): beta1 must be at least 0 and below 1$"),
        (lambda: Adam(beta2=-0.1), "beta2 must be at least 0 and below 1"),
        (lambda: Adam(eps=-1e-8), "eps must be 0 or greater"),
        (lambda: Adam(eps_root=-1e-8), "eps_root must be 0 or greater"),
        (lambda: optim.Momentum(mu=1.0), "mu must be at least 0 and below 1"),
        (lambda: optim.Momentum(dampening=1.5), "dampening must be at least 0 and at most 1"),
        (lambda: optim.RMSprop(rho=1.0), "rho must be at least 0 and below 1"),
        (lambda: optim.RMSprop(momentum=1.0), "momentum must be at least 0 and below 1"),
        (lambda: optim.RMSprop(s0=-1.0), "s0 must be 0 or greater"),
        (lambda: optim.Adagrad(lr_decay=-1.0), "lr_decay must be 0 or greater"),
        (lambda: optim.Nadam(psi=-1.0), "psi must be 0 or greater"),
        (lambda: optim.Nadam(correction="none"), "correction must be 'warming', 'constant' or 'same'"),
        (lambda: optim.RAdam(threshold=3.0), "threshold must be 4 or greater"),
        (lambda: optim.AMSGrad(debias="both"), "debias must be 'none', 'after' or 'before'"),
        (
            lambda: optim.AdaBelief(threshold=3.9),
            r"AdaBelief\(threshold=3.9\): threshold must be 4 or greater",
        ),
        (lambda: optim.SGD().with_lr(math.nan), "lr must be finite"),
        (lambda: Optimizer().with_lr(0.1), "Optimizer has no learning rate called lr$"),
        (
            lambda: type("Bare", (Optimizer,), {"lr": 0.1})().with_lr(0.2),
            r"Bare has no learning rate called lr; write lr: Hyper = … in a class with @dataclass\(frozen=True\)$",
        ),
    ],
)
def test_bad_input_is_told_in_a_sentence(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_a_rule_of_ones_own_asks_for_nothing_unless_it_says_so():
    class Own(Optimizer):
        pass

    assert (Own().full_batch, Own().needs_curvature, Own().needs_names) == (False, False, False)


# --- docstrings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [*CATALOGUE.values(), *SCHEDULES.values()], ids=lambda cls: cls.__name__)
def test_a_docstring_gives_a_summary_a_formula_and_a_source(cls):
    text = inspect.cleandoc(cls.__doc__)
    summary, formula = text.split("\n\n")[:2]
    assert summary.endswith(".")
    assert "\n" not in summary
    assert all(line.startswith("    ") for line in formula.splitlines())
    sources = [" ".join(p.split()) for p in text.split("\n\n") if p.startswith("Source: ")]
    assert len(sources) == 1
    assert re.fullmatch(r'Source: .+, \d{4}, ".+", .+\.', sources[0])
    assert ">>> " in text
    described = text[text.index("Args:") :]
    for field in dataclasses.fields(cls):
        assert re.search(rf"^    {field.name}: ", described, re.MULTILINE), f"{field.name} is not described"


@pytest.mark.parametrize("cls", [*CATALOGUE.values(), *SCHEDULES.values()], ids=lambda cls: cls.__name__)
def test_the_defaults_are_those_that_the_docstring_tells(cls):
    described = inspect.cleandoc(cls.__doc__).partition("Args:")[2].partition(">>>")[0]
    told = {}
    for entry in re.split(r"\n    (?=\w+: )", described):
        name, _, text = entry.strip().partition(": ")
        found = re.search(r"(?<!its )default (None|[-+.\de]*\d)", " ".join(text.split()))
        if found:
            told[name] = None if found[1] == "None" else float(found[1])
    defaults = {f.name: f.default for f in dataclasses.fields(cls)}
    assert {name: defaults[name] for name in told} == told
    assert "lr" in told or "lr" not in defaults


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_they_say(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_a_wrapper_is_described_by_what_it_holds():
    assert (
        repr(Lookahead(optim.SGD(), k=3))
        == "Lookahead(inner=SGD(lr=0.01), k=3, alpha=0.5, state='keep', use='slow')"
    )
