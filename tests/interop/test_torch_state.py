"""The state of Spusk's rules as torch optimizers: saved, copied, cleared, and another rule's."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
from interop.problem import RULES
from interop.training import same_bits

from spusk import optim
from spusk.errors import InputError

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_a_saved_state_goes_on_with_the_same_bits(torch, training, rule):
    whole = training(rule).run(10)
    half = training(rule).run(5)
    file = io.BytesIO()
    torch.save({"parameters": half.bits, "optimizer": half.optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    again = training(rule)
    for p, value in zip(again.parameters.values(), saved["parameters"], strict=True):
        p.data.copy_(value)
    again.optimizer.load_state_dict(saved["optimizer"])
    assert same_bits(again.run(5).bits, whole.bits)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_half_precision_parameters_have_state_in_float32(torch, training, rule):
    run = training(rule, dtype="bfloat16").run(2)
    assert all(p.dtype is torch.bfloat16 and p.isfinite().all() for p in run.parameters.values())
    kept = [
        value
        for state in run.optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    assert {value.dtype for value in kept} <= {torch.float32, torch.float64}
    assert all(value.shape == () for value in kept if value.dtype is torch.float64)


def test_state_is_kept_by_parameter(torch, training):
    run = training(optim.Lookahead(optim.Nadam())).run(3)
    for p in run.parameters.values():
        state = run.optimizer.state[p]
        assert set(state) == {"steps taken", "inner/m", "inner/v", "inner/product", "slow"}
        assert state["inner/m"].shape == p.shape
        assert state["steps taken"] == 3


def test_state_of_another_shape_is_refused(torch, adapter):
    def stepped(n):
        p = torch.nn.Parameter(torch.ones(n))
        p.grad = torch.ones(n)
        optimizer = adapter.Optimizer(optim.Adam(), [p])
        optimizer.step()
        return p, optimizer

    (_, small), (p, large) = stepped(2), stepped(1000)
    with pytest.raises(
        InputError, match=r"the saved 'm' of parameter '0.0' has shape \(2,\); it needs \(1000,\)"
    ):
        large.load_state_dict(small.state_dict())
    _, large = stepped(1000)
    (p,) = large.param_groups[0]["params"]
    large.state[p]["m"] = torch.zeros(2)
    with pytest.raises(InputError, match=r"slot 0 0.0 has shape \(2,\); it needs 1000 elements"):
        large.step()


def test_cleared_state_begins_anew(torch, training):
    run = training(optim.Adam()).run(3)
    run.optimizer.state.clear()
    run.run(1)
    assert {state["steps taken"] for state in run.optimizer.state.values()} == {1}


def test_a_copied_optimizer_goes_on_by_itself(torch, training):
    run = training(optim.RAdam()).run(3)
    twin = copy.deepcopy(run, {id(torch): torch})
    assert same_bits(twin.run(4).bits, training(optim.RAdam()).run(7).bits)
    assert same_bits(run.bits, training(optim.RAdam()).run(3).bits)


def test_a_pickled_optimizer_goes_on(torch, adapter):
    p = torch.nn.Parameter(torch.ones(3))
    p.grad = torch.tensor([1.0, 2.0, 3.0])
    optimizer = adapter.Optimizer(optim.Adam(lr=0.1), [p])
    optimizer.step()
    twin = pickle.loads(pickle.dumps(optimizer))
    (q,) = twin.param_groups[0]["params"]
    q.grad = p.grad.clone()
    optimizer.step()
    twin.step()
    assert (p == q).all()
    assert q is not p


def test_a_closure_that_fails_in_the_first_step_leaves_no_state(training):
    ours = training(optim.SAM(optim.Nesterov()))
    with pytest.raises(InputError, match="no parameter has a gradient"):
        ours.optimizer.step(ours.loss)
    assert not any(ours.optimizer.state.values())


OTHERS = [
    (optim.RAdam(), optim.Lion(), "radam; this optimizer is lion", "it has no "),
    (optim.RAdam(), optim.Nadam(), "radam; this optimizer is nadam", "it has no "),
    (optim.Momentum(), optim.Nesterov(), "momentum; this optimizer is nesterov", "it has no weights kept"),
    (optim.Nesterov(), optim.SGD(), "nesterov; this optimizer is sgd", "it has v, weights kept besides"),
    (optim.AMSGrad(), optim.Adam(), "amsgrad; this optimizer is adam", "it has v_hat besides"),
    (optim.Prodigy(), optim.SGD(), "prodigy; this optimizer is sgd", "it has "),
    (
        optim.Clip(optim.Adam(), norm=1.0),
        optim.Clip(optim.Lion(), norm=1.0),
        r"clip\(adam\); this optimizer is clip\(lion\)",
        "it has ",
    ),
]


@pytest.mark.parametrize("is_old", [False, True], ids=["", "saved without the rule's name"])
@pytest.mark.parametrize(("one", "other", "names", "differs"), OTHERS, ids=[case[2] for case in OTHERS])
def test_the_state_of_another_rule_is_not_taken(training, one, other, names, differs, is_old):
    saved = training(one).run(2).optimizer.state_dict()
    if is_old:
        del saved["rule"]
    ours = training(other).run(1)
    before = copy.deepcopy(ours.optimizer.state_dict())
    told = f"is not one of {other.label}.*: {differs}" if is_old else f"is one of {names}$"
    with pytest.raises(InputError, match=f"^the state {told}"):
        ours.optimizer.load_state_dict(saved)
    assert str(ours.optimizer.state_dict()) == str(before)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_states_saved_without_the_name_of_the_rule_are_taken(training, rule):
    ours = training(rule).run(2)
    ours.optimizer.eval()
    for evaluating in (True, False):
        saved = ours.optimizer.state_dict()
        assert saved.pop("rule").startswith(rule.label)
        again = training(rule)
        again.optimizer.load_state_dict(saved)
        assert again.optimizer.param_groups[0].get("evaluating", evaluating) is evaluating
        ours.optimizer.train()


def test_the_state_of_torch_s_own_optimizer_is_not_taken(torch, training):
    ours = training(optim.Adam())
    theirs = torch.optim.Adam(ours.parameters.values())
    ours.closure()
    theirs.step()
    with pytest.raises(InputError, match=r"^the state is not one of adam: it has no beta1"):
        ours.optimizer.load_state_dict(theirs.state_dict())


# --- loading more than once, and through hooks --------------------------------------------------------


def test_a_state_is_loaded_as_often_as_one_likes(torch, training):
    run = training(optim.Adam(lr=0.1)).run(3)
    saved, at = copy.deepcopy(run.optimizer.state_dict()), run.bits
    ends = []
    for _ in range(3):
        run.optimizer.load_state_dict(saved)
        run.optimizer.load_state_dict(run.optimizer.state_dict())
        with torch.no_grad():
            for p, w in zip(run.parameters.values(), at, strict=True):
                p.copy_(w)
        ends.append(run.run(2).bits)
    assert same_bits(ends[0], ends[1])
    assert same_bits(ends[0], ends[2])
    copy.deepcopy(run.optimizer).load_state_dict(saved)
    pickle.loads(pickle.dumps(run.optimizer)).load_state_dict(saved)


def test_what_hooks_make_of_a_state_is_what_is_loaded(torch, training):
    run = training(optim.Adam(lr=0.1)).run(2)
    saved = run.optimizer.state_dict()

    def sevens(_, state):
        return {
            **state,
            "state": {i: {**own, "m": torch.full_like(own["m"], 7.0)} for i, own in state["state"].items()},
        }

    seen = []
    run.optimizer.register_load_state_dict_pre_hook(sevens)
    run.optimizer.register_load_state_dict_post_hook(
        lambda o: seen.extend(float(s["m"].flatten()[0]) for s in o.state.values())
    )
    run.optimizer.load_state_dict(saved)
    assert all((state["m"] == 7).all() for state in run.optimizer.state.values())
    assert set(seen) == {7.0}


@pytest.mark.parametrize(
    ("saved", "other", "sentence"),
    [
        (
            optim.AdamW.like("torch"),
            optim.AdamW(),
            r"one of adamw\(decay_by_lr=True\); this optimizer is adamw$",
        ),
        (optim.Lookahead(k=5), optim.Lookahead(k=7), r"one of lookahead\(adam\); .* lookahead\(adam, k=7\)$"),
    ],
)
def test_the_state_of_another_formula_is_not_taken(training, saved, other, sentence):
    state = training(saved).run(1).optimizer.state_dict()
    with pytest.raises(InputError, match=sentence):
        training(other).optimizer.load_state_dict(state)


def test_parameters_that_have_become_others_are_told(torch, adapter):
    w = torch.nn.Parameter(torch.zeros(2, 3))
    w.grad = torch.ones(2, 3)
    optimizer = adapter.Optimizer(optim.Adam(), [w])
    optimizer.step()
    w.data, w.grad = torch.zeros(3, 2), torch.ones(3, 2)
    with pytest.raises(InputError, match=r"'m' of parameter '0.0' has shape \(2, 3\); it needs \(3, 2\)"):
        optimizer.step()
