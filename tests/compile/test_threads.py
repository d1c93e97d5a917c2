"""Threads, Ctrl-C and forks: whatever is cut off where, nothing waits for ever, and the next run works.

What might hang or crash runs in a process of its own, which is given up after a while.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program
from spusk.compile.team import together
from spusk.errors import InputError

BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])
forks = pytest.mark.skipif(sys.platform == "win32", reason="this system has no fork")

PRELUDE = """
import os, sys, threading, time
import numpy as np
import spusk as sp
import spusk.numpy as snp
from spusk.compile import Program, blas

x = sp.input("x", (300, 400), "float64")
counting = Program({"x": x + 1}, {"x": x}, carry={"x": "x"})
zeros = np.zeros((300, 400))

def forked(job):
    '''Do a job in a forked child; it is killed after 15 seconds.'''
    child = os.fork()
    if not child:
        status = 1
        try:
            job()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)
    for _ in range(1500):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, status
            return
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")
"""


def alone(script: str, timeout: float = 120) -> None:
    """Run a script in a process of its own, which must end in time and say that all is fine."""
    script = f"import faulthandler; faulthandler.dump_traceback_later({timeout - 20}, exit=True)\n{PRELUDE}{script}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script + "\nprint('fine')"],
        capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr[-3000:]


# --- Ctrl-C -------------------------------------------------------------------------------------------


def test_an_interrupt_at_any_instruction_leaves_nothing_waiting():
    alone("""
assert counting.native.splits
FILES = ("team.py", "session.py", "native_session.py")
session = counting.begin({"x": zeros}, threads=3)
session.run(1)

def interrupt_at(n):
    '''A trace function that raises KeyboardInterrupt before the n-th instruction of those files.'''
    left = n
    def trace(frame, event, arg):
        nonlocal left
        if not frame.f_code.co_filename.endswith(FILES):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if not left:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace
    return trace

interrupted, n = 0, 0
while True:
    n += 1
    sys.settrace(interrupt_at(n))
    try:
        session.run(2)
        if sys.gettrace():
            break  # no instruction was left
        interrupted += 1
    except KeyboardInterrupt:
        interrupted += 1
    finally:
        sys.settrace(None)
    before = session.values["x"][0, 0]
    done = session.run(3)
    assert (done.steps, done.status) == (3, "finished"), n
    assert (session.values["x"] == before + 3).all(), n
assert interrupted > 300, interrupted

def workers():
    return sum(t.name == "spusk-team" for t in threading.enumerate())

for _ in range(1000):  # the threads that nobody holds any more end
    if workers() > 4:
        time.sleep(0.01)
assert workers() <= 4, workers()
began = time.process_time()
time.sleep(0.3)
assert time.process_time() - began < 0.2  # nobody spins
""")


def test_ctrl_c_while_threads_share_a_training_is_heard_and_the_next_run_works():
    alone("""
import signal
for wait in (0.05, 0.1, 0.3):
    session = counting.begin({"x": zeros}, threads=2)  # more than processors would wait for their turns
    threading.Timer(wait, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.perf_counter()
    done = session.run(10**9)
    assert time.perf_counter() - began < 5
    assert done.status == "interrupted"
    assert (session.values["x"] == done.steps).all()
    assert session.run(3).steps == 3
    assert (session.values["x"] == done.steps + 3).all()
""")


# --- several Python threads ---------------------------------------------------------------------------


def test_teams_do_not_wait_for_each_others_workers():
    alone("""
from spusk.compile.team import together
first_is_there, second_is_done = threading.Event(), threading.Event()

def first(block):
    first_is_there.set()
    assert second_is_done.wait(20)

meeting = threading.Barrier(3)
one = threading.Thread(target=together, args=(first, [0, 1, 2]))
one.start()
assert first_is_there.wait(20)
together(lambda block: meeting.wait(10), [3, 4, 5])
second_is_done.set()
one.join()
""")


def test_programs_in_several_python_threads_have_threads_of_their_own():
    alone("""
sys.setswitchinterval(1e-5)
ended = []

def go(threads):
    for _ in range(30):
        loop = counting.run({"x": zeros}, steps=3, threads=threads)
        assert (loop.values["x"] == 3).all()
    ended.append(threads)

callers = [threading.Thread(target=go, args=(n,)) for n in (3, 3, 4, 2, 3)]
for each in callers:
    each.start()
for each in callers:
    each.join()
assert sorted(ended) == [2, 3, 3, 3, 4]
""")


def test_a_program_gives_the_same_bits_in_every_thread():
    x = sp.input("x", (200, 300), "float64")
    program = Program({"x": snp.tanh(x @ x.T @ x), "s": x.sum(axis=0)}, {"x": x}, carry={"x": "x"})
    array = np.random.default_rng(0).normal(size=x.shape)

    def bits(threads: int) -> tuple[bytes, bytes]:
        loop = program.run({"x": array}, steps=5, threads=threads)
        return loop.values["x"].tobytes(), loop.collected["s"].tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(bits, [1, 2, 3] * 6))) == 1


def test_an_error_of_a_member_is_raised():
    def run(block: int) -> None:
        if block == 2:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        together(run, [0, 1, 2])
    seen: list[int] = []
    together(seen.append, [0, 1, 2])
    assert sorted(seen) == [0, 1, 2]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_in_several_threads_is_refused_and_stays_whole(threads):
    alone(f"""
session = counting.begin({{"x": zeros}}, threads={threads})
beside = counting.begin({{"x": zeros}}, threads={threads}, beside=session)
done, refused = [], []

def go(mine):
    for _ in range(300):
        try:
            done.append(mine.run(2).steps)
        except sp.errors.InputError as error:
            refused.append(str(error))

callers = [threading.Thread(target=go, args=(mine,)) for mine in (session, beside) * 2]
for each in callers:
    each.start()
for each in callers:
    each.join()
assert len(done) + len(refused) == 1200
assert done and refused
assert all(text.startswith("this session is running in another thread; ") for text in refused)
assert (session.values["x"] == sum(done)).all()
""")


@BACKENDS
def test_a_session_passes_from_thread_to_thread(backend):
    x = sp.input("x", (), "float64")
    session = Program({"x": x + 1}, {"x": x}, carry={"x": "x"}, backend=backend).begin({"x": 0.0})
    for _ in range(3):
        caller = threading.Thread(target=session.run, args=(2,))
        caller.start()
        caller.join()
    with pytest.raises(InputError, match="steps is -1"):
        session.run(-1)
    session.run(1)
    assert float(session.values["x"]) == 7


def test_an_interpreted_session_runs_in_one_thread_at_a_time():
    x, rows = sp.input("x", (3, 3), "float64"), sp.input("rows", (), "float64")
    program = Program({"x": x * rows}, {"x": x, "rows": rows}, {"x": "x"}, "numpy")
    session = program.begin({"x": np.eye(3)}, each=["rows"])
    inside, go_on, result = threading.Event(), threading.Event(), []

    class Told(dict):
        """What the interpreter reads while it runs."""

        def __contains__(self, name):
            inside.set()
            assert go_on.wait(20)
            return super().__contains__(name)

    caller = threading.Thread(target=lambda: result.append(session.run(1, Told(rows=[2.0]))))
    caller.start()
    assert inside.wait(20)
    with pytest.raises(InputError, match="this session is running in another thread"):
        session.run(1, {"rows": [3.0]})
    go_on.set()
    caller.join()
    assert result[0].steps == 1
    assert session.run(1, {"rows": [3.0]}).steps == 1
    assert session.values["x"][0, 0] == 6


# --- forks --------------------------------------------------------------------------------------------


@forks
def test_a_fork_within_a_blas_block_of_another_thread_gets_its_threads_back():
    alone("""
from threadpoolctl import threadpool_info, threadpool_limits
import scipy.linalg.blas

def threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}

def child():
    assert threads() == {2}, threads()
    with blas.one_blas_thread():
        assert threads() == {1}
    assert threads() == {2}, threads()

inside, leave, results = threading.Event(), threading.Event(), []

def other():
    with blas.one_blas_thread():
        inside.set()
        leave.wait(60)

with threadpool_limits(limits=2, user_api="blas"):
    caller = threading.Thread(target=other)
    caller.start()
    inside.wait()
    forked(child)
    leave.set()
    caller.join()
    assert threads() == {2}

    def own():  # the thread that forks is inside itself, and goes on in the child
        assert threads() == {1}

    def leaves():
        block.__exit__(None, None, None)
        assert threads() == {2}, threads()

    block = blas.one_blas_thread()
    block.__enter__()
    forked(own)
    forked(leaves)
    block.__exit__(None, None, None)
    with blas._lock:  # as if the thread that does not fork were just entering a block
        locked = threading.Thread(target=lambda: results.append(forked(child)))
        locked.start()
        locked.join()
    assert len(results) == 1
""")


@forks
def test_a_fork_while_another_thread_compiles_can_compile():
    alone("""
stop = threading.Event()

def compiled(n):
    x = sp.input("x", (n,), "float64")
    assert Program({"y": (snp.tanh(x) * n).sum()}, {"x": x})({"x": np.zeros(n)})["y"] == 0

def others():
    n = 1000
    while not stop.is_set():
        n += 1
        compiled(n)

os.environ["SPUSK_CACHE_DIR"] = "/dev/null/none"  # all is compiled
caller = threading.Thread(target=others, daemon=True)
caller.start()
for n in range(1, 9):
    forked(lambda: (compiled(n), compiled(n + 500)))
stop.set()
caller.join()
""")


@forks
def test_a_fork_while_other_threads_run_a_program_can_run_it():
    alone("""
stop = threading.Event()

def others():
    while not stop.is_set():
        counting.run({"x": zeros}, steps=20, threads=3)

def child():
    for threads in (1, 3, 4):
        loop = counting.run({"x": zeros}, steps=3, threads=threads)
        assert (loop.values["x"] == 3).all()

callers = [threading.Thread(target=others) for _ in range(2)]
for each in callers:
    each.start()
for _ in range(20):
    time.sleep(0.005)
    forked(child)
stop.set()
for each in callers:
    each.join()
child()
""")


@forks
def test_a_fork_while_another_thread_builds_a_graph_keeps_pythons_collector():
    alone("""
import gc
from spusk.graph.walk import collector_paused
inside, leave = threading.Event(), threading.Event()

def other():
    with collector_paused():
        inside.set()
        leave.wait(60)

def child():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()

caller = threading.Thread(target=other)
caller.start()
inside.wait()
assert not gc.isenabled()
forked(child)
leave.set()
caller.join()
assert gc.isenabled()
""")
