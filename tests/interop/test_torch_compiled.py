"""The optimizer within functions that torch.compile compiles, and pieces of PyTorch's own operations."""

import warnings

import pytest
from interop.problem import RULES

from spusk import optim

pytestmark = pytest.mark.peers


def trained(torch, rule, wrap=lambda f: f, steps=4, **arguments):
    """The weights of a small net after some steps by a function that is wrapped."""
    import spusk.interop.torch

    torch.manual_seed(0)
    layers = [torch.nn.Linear(8, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)]
    model = torch.nn.Sequential(*layers).double()
    x = torch.rand(5, 8, dtype=torch.float64)
    optimizer = spusk.interop.torch.Optimizer(rule, model.named_parameters(), **arguments)

    def step():
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()

    run = wrap(step)
    for _ in range(steps):
        run()
    optimizer.eval()
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (optim.Adam(lr=0.1), {}),
        (optim.Nesterov(lr=optim.Cosine(0.1, steps=9)), {}),
        (optim.Clip(optim.Lookahead(optim.RAdam(lr=0.1), k=2), global_norm=0.1), {}),
        (optim.Momentum(lr=0.1), {"backend": "torch"}),
    ],
)
def test_a_training_step_may_be_compiled_as_a_whole(torch, rule, arguments):
    plain = trained(torch, rule, **arguments)
    torch.compiler.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of what cannot be traced
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        compiled = trained(torch, rule, lambda f: torch.compile(f, backend="eager"), **arguments)
    for a, b in zip(plain, compiled, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=0)


def test_torch_traces_nothing_of_the_step(torch):
    traced = []

    def backend(graph, inputs):
        traced.append(str(graph.graph))
        return graph.forward

    torch.compiler.reset()
    trained(torch, optim.Adam(lr=0.1), lambda f: torch.compile(f, backend=backend))
    assert traced  # the loss
    assert not any("sqrt" in graph for graph in traced)


ELEMENTWISE = [
    rule for rule in RULES if rule.label in ("sgd", "adam", "nadam", "rprop", "nesterov", "adafactor")
]


@pytest.mark.parametrize("most", [1, 16])
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("rule", ELEMENTWISE, ids=lambda rule: rule.label)
def test_large_parameters_are_pieces_of_their_own(torch, monkeypatch, rule, compile, most):
    from spusk.interop.torch import tensors

    monkeypatch.setattr(torch, "compile", lambda function, **options: function)  # traced, but not compiled
    joined = trained(torch, rule, backend="torch", compile=compile)
    monkeypatch.setattr(tensors, "LARGE", 4)
    monkeypatch.setattr(tensors, "AT_MOST", most)
    apart = trained(torch, rule, backend="torch", compile=compile)
    for a, b in zip(joined, apart, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-15)


def test_on_the_cpu_large_tensors_are_left_where_they_are(torch):
    import spusk.interop.torch
    from spusk.interop.torch.tensors import LARGE

    sizes = (LARGE, 3, 2 * LARGE, 5)
    parameters = [torch.nn.Parameter(torch.ones(n)) for n in sizes]
    for p in parameters:
        p.grad = torch.ones_like(p)
    optimizer = spusk.interop.torch.Optimizer(optim.Momentum(lr=0.5), parameters, backend="torch")
    optimizer.step()
    at = [optimizer.state[p]["v"].untyped_storage().data_ptr() for p in parameters]
    assert at[1] == at[3]
    assert len(set(at)) == 3
    assert all((p == 0.5).all() for p in parameters)


def test_torch_is_asked_to_compile_only_what_native_code_does_not(torch, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda function, **options: asked.append(function) or function)
    native = trained(torch, optim.Adam(), compile=True)
    assert not asked
    fused = trained(torch, optim.Adam(), compile=True, backend="torch")
    assert asked
    for a, b in zip(native, fused, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=0)


def test_what_was_joined_for_other_parameters_is_not_kept(torch):
    """However the parameters with a gradient change, the state's memory is that of the state."""
    import spusk.interop.torch

    parameters = [torch.nn.Parameter(torch.zeros(4)) for _ in range(6)]
    optimizer = spusk.interop.torch.Optimizer(optim.Momentum(lr=0.1), parameters, backend="torch")
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        for p in parameters:
            p.grad = torch.ones(4) if torch.rand((), generator=generator) < 0.5 else None
        optimizer.step()
    flats = [run._flat[0] for _, run in optimizer._group(0)._steps.values()]
    assert len(flats) > 5
    assert not any(isinstance(x, torch.Tensor) for flat in flats for x in vars(flat).values())
