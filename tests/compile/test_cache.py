"""The code cache: found again, safe against cut files and other users, bounded."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import spusk.compile.cache as cache

TEXT = "define i32 @f() {\n  ret i32 7\n}\n"


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder, and a memory that has forgotten everything."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(cache.VARIABLE, str(folder))
    cache.object_code.cache_clear()
    cache._warn.cache_clear()
    return folder


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are really compiled."""
    found: list[str] = []
    original = cache.optimised

    def counted(text: str):
        found.append(text)
        return original(text)

    monkeypatch.setattr(cache, "optimised", counted)
    return found


def forget() -> None:
    cache.object_code.cache_clear()


def test_code_is_compiled_once_and_found_by_later_processes(where, compilations):
    first = cache.object_code(TEXT)
    forget()
    assert cache.object_code(TEXT) == first
    assert len(compilations) == 1
    assert where.stat().st_mode & 0o777 == 0o700


def test_another_text_is_another_file(where, compilations):
    cache.object_code(TEXT)
    cache.object_code(TEXT.replace("7", "8"))
    assert len(compilations) == len(cache.files(where)) == 2


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"x" + b[41:]])
def test_a_damaged_file_is_compiled_again_and_mended(where, compilations, damage):
    code = cache.object_code(TEXT)
    (path,) = cache.files(where)
    path.write_bytes(damage(path.read_bytes()))
    forget()
    assert cache.object_code(TEXT) == code
    assert len(compilations) == 2
    forget()
    assert cache.object_code(TEXT) == code
    assert len(compilations) == 2


def test_a_folder_that_others_can_write_is_not_used_and_told_once(where, compilations):
    where.mkdir()
    where.chmod(0o777)
    with pytest.warns(UserWarning, match="others can write"):
        cache.object_code(TEXT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.object_code(TEXT.replace("7", "8"))
    assert cache.files(where) == []
    assert len(compilations) == 2


def test_a_link_in_place_of_a_file_is_not_followed(where, tmp_path, compilations):
    code = cache.object_code(TEXT)
    (path,) = cache.files(where)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    forget()
    assert cache.object_code(TEXT) == code
    assert len(compilations) == 2
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path, monkeypatch, compilations):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "cache"))
    forget()
    cache._warn.cache_clear()
    assert cache.object_code(TEXT)


def test_the_folder_is_bounded_and_loses_what_was_unused_for_longest(where, monkeypatch):
    texts = [TEXT.replace("7", str(n)) for n in range(10)]
    sizes = []
    for age, text in enumerate(texts):
        cache.object_code(text)
        newest = max(cache.files(where), key=lambda p: p.stat().st_mtime_ns)
        sizes.append(newest.stat().st_size)
        os.utime(newest, (1000 + age, 1000 + age))
    monkeypatch.setattr(cache, "LIMIT", sum(sizes) // 2)
    cache._clear_up(where)
    left = cache.files(where)
    assert 0 < sum(p.stat().st_size for p in left) <= 0.75 * cache.LIMIT
    assert min(p.stat().st_mtime for p in left) > 1004


def test_clearing_removes_everything(where):
    cache.object_code(TEXT)
    count, size = cache.clear()
    assert count == 1
    assert size > 0
    assert cache.files(where) == []


def test_two_processes_write_the_same_code_at_once(where):
    script = f"import spusk.compile.cache as c; print(len(c.object_code({TEXT!r})))"
    with ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True)
            for _ in range(4)
        ]
    outcomes = [run.result() for run in runs]
    assert {r.returncode for r in outcomes} == {0}, outcomes
    assert len({r.stdout for r in outcomes}) == 1
    assert len(cache.files(where)) == 1


@pytest.fixture
def another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns the folder is not who runs this."""
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)


def test_a_folder_of_another_user_is_told_as_that(where, another_user):
    where.mkdir(mode=0o700)
    owner = cache._name(where.stat().st_uid)
    assert cache.fault(where) == f"it belongs to another user ({owner})"
    with pytest.warns(UserWarning, match=r"because it belongs to another user \(") as told:
        cache.object_code(TEXT)
    assert "write" not in str(told[0].message)
    assert cache.files(where) == []


def test_an_owner_without_a_name_has_a_number():
    assert cache._name(4_000_000) == "number 4000000"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("~/code", "{home}/code"),
        ("code", "{here}/code"),
        ("../code", "{here}/../code"),
        ("/tmp/code", "/tmp/code"),
    ],
)
def test_the_folder_is_absolute_however_it_is_named(given, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(cache.VARIABLE, given)
    assert str(cache.folder()) == os.path.normpath(expected.format(home=tmp_path / "home", here=tmp_path))


def test_a_home_that_there_is_not_is_told_and_made_nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.VARIABLE, "~nobody-of-that-name/code")
    cache._warn.cache_clear()
    forget()
    assert cache.object_code(TEXT)
    assert cache.fault(cache.folder()) == "~nobody-of-that-name is nobody's home folder"
    assert list(tmp_path.iterdir()) == []


def test_why_a_folder_cannot_be_used(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert cache.fault(file) == "it is not a folder"
    assert cache.fault(file / "code") == "not a directory"
    assert cache.fault(open_to_all) == "others can write to it (its mode is 777, and should be 700)"
    assert cache.fault(tmp_path / "a" / "b") == ""
    assert not (tmp_path / "a").exists()


def test_a_folder_without_the_right_to_write_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cache.fault(tmp_path / "a" / "b") == f"{tmp_path} cannot be written to"
    tmp_path.chmod(0o700)
    assert cache.fault(tmp_path) == "it cannot be written to"


def test_the_files_of_others_are_left_alone(where, monkeypatch):
    where.mkdir(mode=0o700)
    for name in ("main.o", "draft.part"):
        (where / name).write_text("precious")
    cache.object_code(TEXT)
    (where / "spusk-cut.part").write_text("half")
    assert cache.size()[0] == 1
    monkeypatch.setattr(cache, "LIMIT", 0)
    cache._clear_up(where)
    assert sorted(path.name for path in where.iterdir()) == ["draft.part", "main.o"]
    cache.clear()
    assert sorted(path.name for path in where.iterdir()) == ["draft.part", "main.o"]


def test_a_folder_that_is_opened_to_others_is_not_used_any_more(where, compilations):
    cache.object_code(TEXT)
    where.chmod(0o777)
    other = TEXT.replace("7", "8")
    with pytest.warns(UserWarning, match="others can write to it"):
        cache.object_code(other)
    assert len(cache.files(where)) == 1


def test_a_write_that_fails_leaves_nothing_behind(where, monkeypatch):
    def full(*paths):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert cache.object_code(TEXT)
    assert list(where.iterdir()) == []


def test_a_folder_in_place_of_a_file_disturbs_nothing(where, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 100)
    monkeypatch.setattr(cache, "EVERY", 1)
    where.mkdir(mode=0o700)
    (where / f"{'0' * 40}.o").mkdir()
    os.utime(where / f"{'0' * 40}.o", (0, 0))
    monkeypatch.setattr(cache, "_written", [])
    for number in range(3):
        assert cache.object_code(TEXT.replace("7", str(number)))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no /proc")
def test_a_folder_that_takes_no_files_is_told_though_its_permissions_allow_them():
    assert cache.fault(Path("/proc")) in ("it cannot be written to", "it belongs to another user (root)")
    assert cache.fault(Path("/proc/code")) == "/proc cannot be written to"
