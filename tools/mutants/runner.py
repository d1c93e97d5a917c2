"""Runs the tests against mutants, in forked processes: none of them imports NumPy, LLVM or pytest again.

The first process starts pytest once and forks a process for each file. That one collects the file's own
tests, and forks again for each mutant that is a change inside a function: the function gets its changed code,
and the tests run until one fails, those first that have killed most in the least time. What these pass, and
what is changed outside functions, is forked from the first process, imports the mutated module and all that
depend on it, collects the tests with that and runs them: the file's own, then those shared by its room. So
none is said to live that was not seen to pass all of its tests from the start. Files stay as they are.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tools.mutants.imports import dependents
from tools.mutants.mutant import ROOT, Mutant, module_name
from tools.mutants.results import Outcome
from tools.mutants.roles import Anew, Nursery, Role
from tools.mutants.tests_of import tests_of

PRELOADED = ("spusk", "scipy.stats", "hypothesis.strategies", "sklearn.datasets", "llvmlite.binding")

Work = tuple[Path, list[Mutant]]


def run(work: Sequence[Work], jobs: int, done: Callable[[Outcome], None]) -> None:
    """Run the tests of every file against its mutants.

    Args:
        work: the files, each with its mutants.
        jobs: how many processes compute at a time.
        done: told of each outcome, in the order in which they come.

    Raises:
        RuntimeError: if a test that kills a mutant fails without any change, too, or pytest does not run.
        KeyboardInterrupt: if it was interrupted; all that `done` was told holds.
    """
    here = os.getpid()
    compiled = tempfile.TemporaryDirectory(prefix="spusk-mutants-")  # each test module is compiled once
    sys.pycache_prefix, sys.dont_write_bytecode = compiled.name, False
    plugin = _Plugin(lambda: _First(work, jobs, done).role())
    stdout = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    options = ["-q", "--capture=sys", "--assert=plain", "--rootdir", str(ROOT)]
    options += [part for name in ("cacheprovider", "hypothesispytest") for part in ("-p", f"no:{name}")]
    code = pytest.main([*options, str(ROOT / "tests" / "test_project.py")], plugins=[plugin])
    if os.getpid() != here:
        sys.stdout.flush()
        os._exit(int(code))
    compiled.cleanup()
    os.dup2(stdout, 1)
    os.close(stdout)
    if plugin.error:
        raise plugin.error


class _Plugin:
    """The first process forks instead of collecting tests; a forked one runs those of its role."""

    def __init__(self, role: Callable[[], Role | None]) -> None:
        self._find_role = role
        self._role: Role | None = None
        self.error: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        try:
            self._role = self._find_role()
        except (Exception, KeyboardInterrupt) as error:
            self.error = error
        if self._role is None:
            return True
        session.config.args[:] = map(str, self._role.tests)
        self._role.begin()
        return None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._role:
            items[:] = self._role.chosen(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        if self._role:
            self._role.starts(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        failed = call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception)
        if self._role and failed:
            self._role.failed()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        return True if self._role is None else self._role.loop(session.items)


@dataclass
class _File:
    """What is known of a file in this run: which tests kill, which of them pass without a change."""

    mutants: list[Mutant]
    kills: Counter[str] = field(default_factory=Counter[str])
    sound: set[str] = field(default_factory=set[str])
    held: dict[str, list[Outcome]] = field(default_factory=dict[str, list[Outcome]])


class _First:
    """The first process: forks, and hears what becomes of mutants."""

    def __init__(self, work: Sequence[Work], jobs: int, done: Callable[[Outcome], None]) -> None:
        self._files = {file: _File(mutants) for file, mutants in work}
        self._jobs, self._done = jobs, done
        self._hears, self._tells = os.pipe()
        self._rest = b""
        self._running: dict[int, tuple[Role, Any]] = {}
        self._by: dict[int, str] = {}

    def role(self) -> Role | None:
        """In a forked process what it is to do; in the first one None, when all is done."""
        for name in PRELOADED:
            with suppress(ImportError):
                importlib.import_module(name)
        for file in self._files:  # known before the processes part, so that each has them
            _ = tests_of(file), dependents(module_name(file))
        gc.collect()
        gc.freeze()
        nurseries = (Nursery(f, self._tells, tuple(known.mutants)) for f, known in self._files.items())
        self._waiting = deque[Role](nurseries)
        while self._waiting or self._running:
            while self._waiting and len(self._running) < self._jobs:
                role = self._waiting.popleft()
                if self._forked(role):
                    return role
            self._hear(0.2)
            self._reap()
        return None

    def _forked(self, role: Role) -> bool:
        """Fork; True in the forked process."""
        log: Any = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this function)
        pid = os.fork()
        if pid == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            for held in [log, *(other for _, other in self._running.values())]:
                held.close()
            return True
        self._running[pid] = (role, log)
        return False

    def _hear(self, seconds: float) -> None:
        """Take in the lines that forked processes have written, waiting for the first of them so long."""
        while select.select([self._hears], [], [], seconds)[0]:
            *lines, self._rest = (self._rest + os.read(self._hears, 65536)).split(b"\n")
            for line in lines:
                self._heard(**json.loads(line))
            seconds = 0

    def _heard(self, file: str, mutant: int, process: int, killed: bool, by: str) -> None:
        """A nursery tells of each of its mutants, one imported anew of each test that begins."""
        path = Path(file)
        if process in self._running and isinstance(self._running[process][0], Anew):
            self._by[process] = by
            return
        known = self._files[path]
        if killed:
            known.kills[by] += bool(by)
            self._done(Outcome(known.mutants[mutant], False, by))
        else:
            self._waiting.appendleft(Anew(path, self._tells, known.mutants[mutant], known.kills))

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._hear(0)
            role, log = self._running.pop(pid)
            log.seek(0)
            text = log.read().decode(errors="replace")
            log.close()
            code = os.waitstatus_to_exitcode(status)
            if isinstance(role, Anew):
                self._ended(role, code, self._by.pop(pid, ""), text)
            elif code not in (0, 5):
                raise RuntimeError(f"{role}, code {code}:\n{text}")

    def _ended(self, role: Anew, code: int, by: str, text: str) -> None:
        known = self._files[role.file]
        if code in (3, 4) or (code == 5 and not (role.shared or role.test)):  # pytest's own failure, no tests
            raise RuntimeError(f"pytest could not run the tests, code {code}, of {role}:\n{text}")
        if role.mutant is None:
            if code:
                raise RuntimeError(f"{by or role} fails, code {code}, without any change:\n{text}")
            known.sound.add(role.test)
            for outcome in known.held.pop(role.test):
                self._done(outcome)
        elif code not in (0, 5):
            known.kills[by] += bool(by)
            self._killed(role, Outcome(role.mutant, False, by))
        elif not role.shared and tests_of(role.file).of_stage(True):
            self._waiting.appendleft(Anew(role.file, self._tells, role.mutant, known.kills, shared=True))
        else:
            self._done(Outcome(role.mutant, True))

    def _killed(self, role: Anew, outcome: Outcome) -> None:
        """Told at once where the test is known to pass without a change; else that is looked at first."""
        known, test = self._files[role.file], outcome.by.partition("[")[0]
        if not test or test in known.sound:
            self._done(outcome)
        elif test in known.held:
            known.held[test].append(outcome)
        else:
            known.held[test] = [outcome]
            self._waiting.appendleft(
                Anew(role.file, self._tells, None, known.kills, shared=role.shared, test=test)
            )
