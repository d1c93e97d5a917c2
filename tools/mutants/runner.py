"""Runs the tests against mutants: a process forked for each, from one that has started pytest once.

Forking saves importing NumPy, LLVM and pytest some thousand times. The mutated module, and all that import
it, are imported in the forked process, so the files on disk stay as they are.
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tools.mutants.imports import dependents, module_name, replace_module
from tools.mutants.mutant import ROOT, Mutant
from tools.mutants.tests_of import tests_of

PRELOADED = ("spusk", "scipy.stats", "hypothesis.strategies", "sklearn.datasets", "llvmlite.binding")
SECONDS = 45
"""How long a mutant's tests may compute: several times as long as those of any file take."""
WAITING = 5
"""How many times longer they may take by the clock, where other programs compute as well."""

Work = tuple[Path, list[Mutant]]


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        mutant: which one.
        alive: whether the tests passed.
        log: what pytest has printed.
    """

    mutant: Mutant
    alive: bool
    log: str


def run(work: Sequence[Work], jobs: int, done: Callable[[Outcome], None]) -> None:
    """Run the tests of every file against its mutants, several at a time; and all once without any change.

    Args:
        work: the files, each with its mutants.
        jobs: how many at a time.
        done: told of each outcome, in the order in which they come.

    Raises:
        RuntimeError: if the tests fail, or do not run, without any change.
    """
    here = os.getpid()
    compiled = tempfile.TemporaryDirectory(prefix="spusk-mutants-")  # each test module is compiled once
    sys.pycache_prefix, sys.dont_write_bytecode = compiled.name, False
    plugin = _Instead(lambda: _forked(work, jobs, done))
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


class _Instead:
    """The first process forks instead of collecting tests; a forked one collects and runs its tests."""

    def __init__(self, forked: Callable[[], Task | None]) -> None:
        self._forked = forked
        self._task: Task | None = None
        self.error: Exception | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        try:
            self._task = self._forked()
        except Exception as error:
            self.error = error
        if self._task is None:
            return True
        _prepare(self._task, session.config)
        return None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._task:
            tests = [tests_of(file) for file in self._task.files]
            items[:] = [i for i in items if any(t.wants(i.path, i.nodeid) for t in tests)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        failed = call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception)
        if self._task and self._task.mutant and failed:
            os._exit(1)  # at once: pytest's report and its end take longer than most tests

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> bool | None:
        return True if self._task is None else None


@dataclass(frozen=True)
class Task:
    """What a forked process does.

    Attributes:
        files: whose tests to run.
        mutant: with this change of the only file; None leaves all as it is.
        shared: run the tests that all files share, too, or (with a mutant) instead: they come second.
    """

    files: tuple[Path, ...]
    mutant: Mutant | None = None
    shared: bool = False

    @property
    def tests(self) -> list[str]:
        """The paths of the test files."""
        found = [t for file in self.files for t in tests_of(file).of_stage(self.shared)]
        if self.mutant is None:
            found += [t for file in self.files for t in tests_of(file).of_stage(False)]
        return list(dict.fromkeys(map(str, found)))


def _prepare(task: Task, config: pytest.Config) -> None:
    from hypothesis import Phase, settings

    mutant = task.mutant
    config.args[:] = task.tests
    # The same examples every time, and no search for smaller ones: that a test fails is all we ask.
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=phases)
    settings.load_profile("mutants")
    if mutant is None:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    signal.alarm(SECONDS * WAITING)
    name = module_name(task.files[0])
    try:
        replace_module(name, mutant.code, dependents(name))
    except Exception:  # a module that cannot be imported would fail every test
        traceback.print_exc(file=sys.__stdout__)
        os._exit(1)


def _forked(work: Sequence[Work], jobs: int, done: Callable[[Outcome], None]) -> Task | None:
    """Forks and waits: in a forked process it gives what is to be done there, in the first one None."""
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    for file, _ in work:  # known before the processes part, so that each has them
        _ = tests_of(file), dependents(module_name(file))
    gc.collect()
    gc.freeze()
    pool = _Pool()
    waiting = deque([Task(tuple(file for file, _ in work), shared=True)])
    waiting += [Task((file,), mutant) for file, mutants in work for mutant in mutants]
    while waiting or pool.running:
        if not waiting or len(pool.running) == jobs:
            task, passed, log = pool.wait()
            if task.mutant and passed and not task.shared and tests_of(task.files[0]).of_stage(True):
                waiting.appendleft(Task(task.files, task.mutant, shared=True))
            elif task.mutant:
                done(Outcome(task.mutant, passed, log))
            continue
        task = waiting.popleft()
        if pool.forked(task):
            return task
    return None


class _Pool:
    """The forked processes that run, each with its task and what it prints."""

    def __init__(self) -> None:
        self.running: dict[int, tuple[Task, Any]] = {}

    def forked(self, task: Task) -> bool:
        """Fork; True in the forked process."""
        log: Any = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this function)
        pid = os.fork()
        if pid == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            for held in [log, *(other for _, other in self.running.values())]:
                held.close()
            return True
        self.running[pid] = (task, log)
        return False

    def wait(self) -> tuple[Task, bool, str]:
        """The next task that is done, whether its tests passed, and what it printed."""
        pid, status = os.wait()
        task, log = self.running.pop(pid)
        log.seek(0)
        text = log.read().decode(errors="replace")
        log.close()
        code = os.waitstatus_to_exitcode(status)
        if code in (3, 4) or (code == 5 and not task.shared):  # pytest's own failure, bad arguments, no tests
            raise RuntimeError(f"pytest could not run the tests, code {code}, of {task}:\n{text}")
        if task.mutant is None and code:
            raise RuntimeError(f"the tests fail, code {code}, without any change:\n{text}")
        return task, code in (0, 5), text
