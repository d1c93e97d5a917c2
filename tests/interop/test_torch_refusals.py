"""What Spusk's rules as torch optimizers cannot do, told in a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest
from interop.problem import Polyak
from interop.training import Curved, Sharp, same_bits

from spusk import optim
from spusk.errors import InputError

pytestmark = pytest.mark.peers


@pytest.mark.parametrize(
    ("rule", "why"), [(Sharp(), "2 times"), (Curved(), "second derivatives"), (Polyak(), "value of the loss")]
)
def test_without_a_closure_they_say_what_they_need(training, rule, why):
    run = training(rule)
    run.loss().backward()
    with pytest.raises(InputError, match=rf"needs step\(closure\).*{why}"):
        run.optimizer.step()


def test_second_derivatives_want_a_closure_without_backward(training):
    run = training(Curved())
    run.why_closure = ""
    with pytest.raises(InputError, match="without calling backward"):
        run.optimizer.step(run.closure)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"backend": "cuda"}, "backend is 'cuda'"), ({"backend": "native", "compile": True}, "compile=True")],
)
def test_arguments_that_make_no_sense_are_refused(torch, adapter, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        adapter.Optimizer("adam", [torch.nn.Parameter(torch.ones(2))], **arguments)


def test_parameters_that_are_no_floats_are_refused(torch, adapter):
    with pytest.raises(InputError, match="a parameter is complex64"):
        adapter.Optimizer("adam", [torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])


def test_sparse_gradients_are_refused(torch, adapter):
    table = torch.nn.Embedding(4, 2, sparse=True)
    optimizer = adapter.Optimizer("adam", table.parameters())
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(InputError, match="a gradient is sparse"):
        optimizer.step()


def test_without_torch_the_error_says_how_to_install_it():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "try:\n    import spusk.interop.torch\nexcept ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "spusk.interop.torch needs torch, which is not installed: pip install 'spusk[torch]'"
    )


BY_NAME = [
    optim.LayerwiseDecay(),
    optim.LayerRates(optim.Adam(), {"0.*": 0.1}),
    optim.Mask(but="*bias"),
    optim.Clip(optim.Partition({"*bias": optim.SGD(), "*": optim.Adam()}), norm=1.0),
    optim.WeightDecay(only="*weight"),
]


@pytest.mark.parametrize("rule", BY_NAME, ids=lambda rule: rule.label)
def test_rules_that_go_by_names_refuse_parameters_without(torch, adapter, rule):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    with pytest.raises(
        InputError, match=f"^{rule.label} goes by the names of the parameters; give model.named_"
    ):
        adapter.Optimizer(rule, model.parameters())
    adapter.Optimizer(rule, model.named_parameters())
    adapter.Optimizer(optim.Partition({"*": optim.WeightDecay(optim.Mask())}), model.parameters())


@pytest.mark.parametrize("rule", [optim.Adam(), optim.SAM(optim.Momentum())], ids=lambda rule: rule.label)
def test_a_closure_that_does_not_call_backward_is_told(training, rule):
    ours = training(rule)
    before = ours.bits
    with pytest.raises(InputError, match=r"no parameter has a gradient; it must call backward\(\)"):
        ours.optimizer.step(ours.loss)
    assert same_bits(before, ours.bits)


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("rule", [Sharp(), optim.SAM(optim.Nesterov())], ids=["sharp", "sam"])
def test_a_closure_that_fails_leaves_the_model_where_it_was(training, rule, failing):
    ours, same = training(rule).run(2), training(rule).run(2)
    before, calls = ours.bits, []

    def closure():
        calls.append(1)
        if len(calls) == failing:
            raise KeyboardInterrupt
        return ours.closure()

    with pytest.raises(KeyboardInterrupt):
        ours.optimizer.step(closure)
    assert same_bits(ours.bits, before)
    assert same_bits(ours.run(2).bits, same.run(2).bits)


def test_a_plateau_is_refused_for_torch_s(torch, adapter):
    with pytest.raises(InputError, match="ReduceLROnPlateau"):
        adapter.Optimizer(optim.Clip(optim.Plateau(), norm=1.0), [torch.nn.Parameter(torch.zeros(3))])


def test_the_rule_of_an_optimizer_stays_the_one_it_was_made_with(torch, adapter):
    optimizer = adapter.Optimizer(optim.SGD(), [torch.nn.Parameter(torch.ones(1))])
    with pytest.raises(AttributeError):
        optimizer.rule = optim.Adam()
    assert optimizer.rule == optim.SGD()


def test_hyperparameters_beside_the_rule_and_entries_written_otherwise_are_told(torch, adapter):
    p = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(InputError, match=r"the optimizer got lr=0\.1; hyperparameters are given to the rule"):
        adapter.Optimizer(optim.RAdam(), [p], lr=0.1)
    with pytest.raises(InputError, match="has 'LR', which radam does not know; here it is lr"):
        adapter.Optimizer(optim.RAdam(), [{"params": [p], "LR": 0.1}])
    with pytest.raises(InputError, match="has 'weightdecay', which radam does not know"):
        adapter.Optimizer(optim.RAdam(), [{"params": [p], "weightdecay": 0.1}])


def test_the_package_is_there_when_it_is_asked_for(torch):
    text = "import spusk, sys; assert 'torch' not in sys.modules; spusk.interop.torch.Optimizer; assert sys.modules['torch']"
    subprocess.run([sys.executable, "-c", text], check=True, timeout=120)


def test_a_clip_without_a_limit_is_not_made(torch, adapter):
    with pytest.raises(InputError, match="Clip got no limit; give value, norm or global_norm"):
        adapter.Optimizer(optim.Lookahead(optim.Clip(optim.Adam())), [torch.nn.Parameter(torch.ones(2))])
