"""Files are written whole or not at all, and whether they can be is known beforehand."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from spusk.errors import InputError
from spusk.files import require_writable, write_whole


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("before")
    require_writable(file)
    assert file.read_text() == "before"
    assert write_whole(file, b"after") == file
    assert file.read_text() == "after"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask


def test_a_failure_keeps_what_was_there_and_is_told_in_a_sentence(tmp_path, monkeypatch):
    file = tmp_path / "a.json"
    file.write_text("before")

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match=r"cannot write '.*a\.json': No space left on device"):
        write_whole(file, b"after")
    assert file.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    link.symlink_to(file)
    require_writable(link)
    write_whole(link, b"after")
    assert link.is_symlink()
    assert file.read_text() == "after"


def test_a_device_is_written_to_not_replaced():
    require_writable("/dev/null")
    write_whole("/dev/null", b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_is_written_to_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    require_writable(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        write_whole(pipe, b"through")
        assert read.result(timeout=10) == b"through"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_keeps_its_permissions(tmp_path):
    file = tmp_path / "secret"
    file.write_text("before")
    file.chmod(0o600)
    write_whole(file, b"after")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_read_only_file_is_not_replaced(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o444)
    link.symlink_to(file)
    for path in (file, link):
        for call in (require_writable, lambda p: write_whole(p, b"after")):
            with pytest.raises(InputError, match="it is there already, and read-only"):
                call(path)
    assert file.read_text() == "before"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("", "is a folder"),
        ("nowhere/a.json", "there is no folder '.*nowhere'"),
        ("file/a.json", "there is no folder"),
    ],
)
def test_a_path_where_no_file_can_be_is_refused_beforehand(tmp_path, path, sentence):
    (tmp_path / "file").write_text("no folder")
    for call in (require_writable, lambda p: write_whole(p, b"")):
        with pytest.raises(InputError, match=sentence):
            call(tmp_path / path)


def test_a_folder_that_takes_no_files_is_told_beforehand(tmp_path, monkeypatch):
    def refused(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    with pytest.raises(InputError, match=r"cannot write '.*a\.json': Permission denied"):
        require_writable(tmp_path / "a.json")
