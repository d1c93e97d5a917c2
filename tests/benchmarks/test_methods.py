"""The catalogue as it is measured, and its peers as `tools.elsewhere` names them."""

from __future__ import annotations

import pytest
from benchmarks.methods import CLOSURE, MATRIX, NETWORK, SMALL_NETWORK, Method, parsed
from benchmarks.optimizers import INDUCTOR, contenders
from benchmarks.options import Options
from benchmarks.problems import count, shapes_of

from spusk import optim


@pytest.mark.parametrize(
    ("name", "path", "arguments"),
    [
        ("optax.adam", "optax.adam", {}),
        (
            "torch.optim.SGD(momentum=0.9, nesterov=True)",
            "torch.optim.SGD",
            {"momentum": 0.9, "nesterov": True},
        ),
    ],
)
def test_a_name_elsewhere_is_a_path_and_arguments(name, path, arguments) -> None:
    assert parsed(name) == (path, arguments)


def test_a_method_s_peers_are_those_of_the_table_of_names() -> None:
    peers = Method("nesterov").peers
    assert list(peers) == ["torch", "optax", "pytorch_optimizer"]
    assert peers["torch"].arguments == {"momentum": 0.9, "nesterov": True}
    rate = optim.Nesterov.like("optax").lr
    assert peers["optax"].arguments == {"momentum": 0.9, "nesterov": True, "learning_rate": rate}
    assert Method("cautious").peers == {}  # only timm has it


def test_what_is_timed_is_the_first_peer_s_rule() -> None:
    assert Method("rmsprop").timed == optim.RMSprop.like("torch")
    assert Method("lion").timed == optim.Lion.like("optax")
    assert Method("cautious").timed == optim.Cautious()


def test_a_wrapper_is_around_a_standard_rule_as_the_library_has_it() -> None:
    assert Method("clip").timed == optim.Clip.like("torch", inner=optim.Adam.like("torch"), global_norm=1.0)
    assert Method("sam").rule("optax").inner == optim.Momentum.like("optax")


@pytest.mark.parametrize(
    ("name", "has"),
    [("adam", True), ("amsgrad", True), ("clip", True), ("radam", False), ("muon", False), ("mask", False)],
)
def test_torch_s_fused_versions(name, has) -> None:
    assert Method(name).has_fused == has


def test_the_networks() -> None:
    assert count(shapes_of(NETWORK)) == 535_818
    assert shapes_of((4, 3, 2)) == {"0.weight": (4, 3), "0.bias": (3,), "2.weight": (3, 2), "2.bias": (2,)}
    assert {name for name in optim.CATALOGUE if Method(name).widths == SMALL_NETWORK} == set(MATRIX)
    assert set(CLOSURE) <= set(optim.CATALOGUE)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("adam", Options(), ""),
        ("adam", Options(quick=True), "left out by --quick, unless --only names the method"),
        ("adam", Options(quick=True, only=("adam",)), ""),
        ("soap", Options(), "torch.compile takes too long for it"),
    ],
)
def test_torch_compile_is_left_out_where_it_takes_long(name, options, reason) -> None:
    compiled = next(c for c in contenders(Method(name), 1, options) if c.name == INDUCTOR)
    assert compiled.left_out == reason
