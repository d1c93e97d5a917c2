"""The race: turns, processes, and contenders that cannot take part."""

from __future__ import annotations

import subprocess
import sys

import pytest
from benchmarks import ceilings, timing, worker
from benchmarks.contender import Contender, Failure, Pool, environment
from benchmarks.fresh import imports, starts
from benchmarks.timing import Absent, Times, race

SGEMM = Contender("sgemm", "benchmarks.ceilings:sgemm", arguments={"n": 8})
COPY = Contender("copy", "benchmarks.ceilings:copy", arguments={"size": 1 << 12})
IN_PLACE = Contender("in place", "benchmarks.ceilings:in_place", arguments={"size": 1 << 12})


class Recorder:
    """Stands in for a worker, and writes down who was asked to repeat."""

    turns: list[str]

    def __init__(self, cores: int) -> None:
        self.name = ""

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def make(self, contender: Contender) -> dict:
        self.name = contender.factory
        return {"import": 0.0, "make": 1.0, "units": 1, "note": "a note"}

    def ask(self, request: str, **_: object) -> float:
        if request == "repeat":
            self.turns.append(self.name)
            if self.turns.count(self.name) == 2 and self.name == "B":
                raise Failure("B fell over")
            return float(len(self.turns))
        return 2.0


def test_contenders_take_turns(monkeypatch) -> None:
    monkeypatch.setattr(timing, "Worker", Recorder)
    monkeypatch.setattr(Recorder, "turns", [], raising=False)
    found = race([Contender(name, name) for name in "AC"], cores=1, repeats=3, evidence=False)
    assert Recorder.turns == ["A", "C"] * 3
    assert found["A"] == Times((1.0, 3.0, 5.0), first=3.0, note="a note")


def test_a_contender_that_falls_over_is_told_and_the_others_go_on(monkeypatch) -> None:
    monkeypatch.setattr(timing, "Worker", Recorder)
    monkeypatch.setattr(Recorder, "turns", [], raising=False)
    found = race([Contender(name, name) for name in "ABC"], cores=1, repeats=3, evidence=False)
    assert found["B"] == Absent("B fell over")
    assert Recorder.turns == ["A", "B", "C", "A", "B", "C", "A", "C"]
    assert list(found) == ["A", "B", "C"]


def test_missing_peers_are_named(monkeypatch) -> None:
    monkeypatch.delenv("SPUSK_REQUIRE_PEERS", raising=False)
    peer = Contender("peer", "nowhere:trial", needs=("numpy", "no_such_package"))
    assert race([peer], cores=1, repeats=1) == {"peer": Absent("no_such_package: not installed")}
    assert starts([peer], cores=1, repeats=1) == {"peer": Absent("no_such_package: not installed")}


def test_missing_peers_are_a_failure_where_all_are_required(monkeypatch) -> None:
    monkeypatch.setenv("SPUSK_REQUIRE_PEERS", "1")
    peer = Contender("peer", "nowhere:trial", needs=("no_such_package",))
    with pytest.raises(SystemExit, match="no_such_package: not installed, and SPUSK_REQUIRE_PEERS=1"):
        race([peer], cores=1, repeats=1)


def test_a_pool_keeps_its_workers_and_replaces_the_dead() -> None:
    dying = Contender("dying", "os:_exit", arguments={"status": 3})
    with Pool() as pool:
        first = pool.worker(SGEMM, 1)
        assert race([SGEMM, dying], cores=1, repeats=1, at_least=1e-4, pool=pool)["sgemm"].median > 0
        assert pool.worker(SGEMM, 1) is first
        assert pool.worker(COPY, 1) is not first
        dead = pool.worker(dying, 1)
        assert dead.is_alive
        found = race([dying], cores=1, repeats=1, pool=pool)["dying"]
        assert found == Absent("its process ended with status 3")
        assert pool.worker(dying, 1) is not dead
    assert not first.is_alive


def test_a_peer_left_out_is_named_with_the_reason() -> None:
    peer = Contender("peer", "nowhere:trial", left_out="it takes an hour")
    assert race([peer], cores=1, repeats=1) == {"peer": Absent("it takes an hour")}


def test_errors_and_deaths_in_a_worker_become_sentences() -> None:
    broken = Contender("broken", "benchmarks.ceilings:copy", arguments={"size": "large"})
    dying = Contender("dying", "os:_exit", arguments={"status": 3})
    found = race([broken, dying, SGEMM], cores=1, repeats=1, at_least=1e-4)
    assert found["broken"].reason.startswith("TypeError: ")
    assert found["dying"] == Absent("its process ended with status 3")
    assert found["sgemm"].median > 0


def test_the_ceilings_are_measured() -> None:
    found = race([SGEMM, COPY, IN_PLACE], cores=1, repeats=2, at_least=1e-4)
    assert all(len(outcome.seconds) == 2 and outcome.median > 0 for outcome in found.values())
    assert ceilings.l2_bytes() >= 1 << 15
    assert ceilings.sgemm(8).units == 2 * 8**3


def test_the_ceilings_arrays_begin_at_a_cache_line() -> None:
    assert all(ceilings.aligned(n).ctypes.data % 64 == 0 for n in range(1, 50))
    assert ceilings.aligned(7).tolist() == [1.0] * 7


def test_a_worker_keeps_to_its_cores() -> None:
    if sys.platform != "linux":
        pytest.skip("processors can be chosen on Linux only")
    code = "import os; from benchmarks import worker; worker.keep_to(1); print(len(os.sched_getaffinity(0)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(1), capture_output=True, check=True)
    assert int(done.stdout) == 1


def test_an_error_is_told_in_one_line() -> None:
    assert worker.sentence(ValueError("first\nsecond")) == "ValueError: first"
    assert worker.sentence(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert len(worker.sentence(ValueError("x" * 1000))) == 200


def test_imports_are_timed_and_missing_packages_named() -> None:
    found = imports({"ours": "json", "peer": "json, no_such_package"}, repeats=1)
    assert found["ours"].median > 0
    assert found["peer"] == Absent("no_such_package: not installed")


def test_a_fresh_start_is_compiled_cold_and_cached() -> None:
    found = starts([SGEMM], cores=1, repeats=1)["sgemm"]
    assert len(found.cold) == len(found.cached) == 1
    both, alone = (found.times(cached=False, imports=flag).median for flag in (True, False))
    assert both > alone > 0
