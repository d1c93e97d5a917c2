"""What a forked process does: the mutants of one file one after another, or one mutant imported anew."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tools.mutants import in_place
from tools.mutants.imports import dependents, replace_module
from tools.mutants.mutant import Mutant, module_name
from tools.mutants.tests_of import tests_of

SECONDS = 15
"""How long one test may compute: several times as long as any takes."""
WAITING = 20
"""How many times longer it may take by the clock, where other programs compute as well."""
NOT_IN_PLACE = 2
"""How a process ends whose mutant cannot be put in place."""
STEPS = 60
"""How many of the thousand steps of tests against oracles run in place: what differs then differs in all."""
PATIENCE = 3.0
"""For how many seconds tests run in place; a mutant that lives so long is imported anew."""


@dataclass
class Role:
    """What a forked process does.

    Attributes:
        file: whose tests it runs.
        tells: where it writes what it finds, a line of JSON each time.
    """

    file: Path
    tells: int = field(repr=False)

    @property
    def tests(self) -> list[Path]:
        """The test files to collect."""
        return tests_of(self.file).of_stage(False)

    def begin(self) -> None:
        """Before tests are collected."""
        from hypothesis import Phase, settings

        # The same examples every time, and no search for smaller ones: that a test fails is all we ask.
        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=phases)
        settings.load_profile("mutants")

    def chosen(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Those of the collected tests that can say something about the file."""
        return [i for i in items if tests_of(self.file).wants(i.path, i.nodeid)]

    def starts(self, item: pytest.Item) -> None:
        """Before each test: it is told of, and limited in time."""
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + SECONDS, resource.RLIM_INFINITY))
        signal.alarm(SECONDS * WAITING)

    def failed(self) -> None:
        """When a test has failed."""
        os._exit(1)  # at once: pytest's report takes longer than most tests

    def loop(self, items: Sequence[pytest.Item]) -> bool | None:
        """Run the tests; None: as pytest does."""
        return None

    def _tell(self, mutant: int, killed: bool, by: str = "") -> None:
        told = {"file": str(self.file), "mutant": mutant, "process": os.getpid(), "killed": killed}
        line = json.dumps(told | {"by": by[:700]}, ensure_ascii=False) + "\n"
        os.write(self.tells, line.encode())  # in one piece, since it is short


@dataclass
class _Record:
    """What a test has done so far in a nursery, in seconds of computing."""

    kills: int = 0
    seconds: float = 0.0

    @property
    def kills_a_second(self) -> float:
        """As if it had killed half a mutant in a tenth of a second besides: what never ran comes soon."""
        return (self.kills + 0.5) / (self.seconds + 0.1)


@dataclass
class Nursery(Role):
    """Collects a file's own tests, and forks for each mutant: the change is put in place, the tests run."""

    mutants: Sequence[Mutant]
    _known: defaultdict[str, _Record] = field(default_factory=lambda: defaultdict(_Record), init=False)
    _sound: set[str] = field(default_factory=set[str], init=False)
    _in_fork: int = field(default=-1, init=False)  # where a forked process writes which test failed

    def begin(self) -> None:
        os.environ["SPUSK_TEST_STEPS"] = str(STEPS)  # before tests are imported
        super().begin()

    def __repr__(self) -> str:
        return f"the tests of {self.file.name}"

    def loop(self, items: Sequence[pytest.Item]) -> bool:
        first = os.getppid()
        for i, mutant in enumerate(self.mutants):
            if os.getppid() != first:  # which ended before its time
                os._exit(1)
            code, begun = self._fork(mutant, self._ordered(items))
            while (
                code and begun and not self._is_sound(begun, items)
            ):  # so few steps are not for it: without it
                items = [item for item in items if item.nodeid != begun[-1]]
                code, begun = self._fork(mutant, self._ordered(items))
            by = begun[-1] if code and begun else ""
            if by:
                self._known[by].kills += 1
            self._tell(i, killed=code not in (0, NOT_IN_PLACE), by=by)
        return True

    def _is_sound(self, begun: Sequence[str], items: Sequence[pytest.Item]) -> bool:
        """Whether the last of these tests passes without any change, after the others."""
        if begun[-1] not in self._sound:
            by_name = {item.nodeid: item for item in items}
            if self._fork(None, [by_name[name] for name in begun])[0] == 0:
                self._sound.add(begun[-1])
        return begun[-1] in self._sound

    def _ordered(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Those first that may be expected to kill soonest, by what they have killed in what time."""
        return sorted(items, key=lambda item: -self._known[item.nodeid].kills_a_second)

    def _fork(self, mutant: Mutant | None, items: Sequence[pytest.Item]) -> tuple[int, list[str]]:
        """How the process ended, and which tests it began: the last one is that which failed, if any did."""
        hears, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._in_fork = tells
            if mutant and not in_place.put(mutant):
                os._exit(NOT_IN_PLACE)
            _run(items, PATIENCE if mutant else None)
            os._exit(0)
        os.close(tells)
        said = b""
        while part := os.read(hears, 65536):
            said += part
        os.close(hears)
        _, status, used = os.wait4(pid, 0)
        begun = [line.split("\t") for line in said.decode().split("\n")[1:]]
        ends = [*(float(start) for _, start in begun[1:]), used.ru_utime + used.ru_stime]
        for (test, start), end in zip(begun, ends, strict=True) if begun else ():
            self._known[test].seconds += end - float(start)
        return os.waitstatus_to_exitcode(status), [test for test, _ in begun]

    def starts(self, item: pytest.Item) -> None:
        super().starts(item)
        os.write(self._in_fork, f"\n{item.nodeid}\t{time.process_time()}".encode())


@dataclass
class Anew(Role):
    """Imports the mutated module and all that depend on it, collects the tests with that and runs them.

    Attributes:
        mutant: the change; None imports the module anew as it is.
        kills: how many mutants of the file each test has killed.
        shared: run the tests that all files share instead of the file's own.
        test: run only those of this function, by its identifier.
    """

    mutant: Mutant | None
    kills: Counter[str] = field(repr=False)
    shared: bool = False
    test: str = ""

    @property
    def tests(self) -> list[Path]:
        return tests_of(self.file).of_stage(self.shared)

    def begin(self) -> None:
        super().begin()
        name = module_name(self.file)
        code = self.mutant.code if self.mutant else compile(self.file.read_text(), str(self.file), "exec")
        try:
            replace_module(name, code, dependents(name))
        except Exception:  # a module that cannot be imported would fail every test
            traceback.print_exc(file=sys.__stdout__)
            os._exit(1)

    def chosen(self, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        found = [i for i in super().chosen(items) if self.test in ("", i.nodeid.partition("[")[0])]
        # By its function's kills, since what the change does to a rule may be seen in the test's identifier.
        by_function = Counter[str]()
        for test, n in self.kills.items():
            by_function[test.partition("[")[0]] += n
        return sorted(found, key=lambda i: (-self.kills[i.nodeid], -by_function[i.nodeid.partition("[")[0]]))

    def starts(self, item: pytest.Item) -> None:
        super().starts(item)
        self._tell(-1, killed=False, by=item.nodeid)


def _run(items: Iterable[pytest.Item], patience: float | None) -> None:
    """Run tests until they have computed so long."""
    items = list(items)
    for item, after in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if patience is not None and time.process_time() > patience:
            return
