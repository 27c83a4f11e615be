"""A file is written whole or not at all, and nothing stays behind."""

import errno
import os
import signal
import stat
import threading

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.files import writing as module
from decaycalc.files.writing import write_whole, writing


def fails(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_halfway(path):
    with writing(str(path)) as file:
        file.write(b"half")
        raise RuntimeError


def end_halfway(path, ending):
    with writing(str(path)) as file:
        file.write(b"half")
        os.kill(os.getpid(), ending)


def test_a_link_planted_for_the_temporary_file_is_not_followed(tmp_path, monkeypatch):
    victim, target = tmp_path / "victim", tmp_path / "out.json"
    victim.write_text("mine")
    monkeypatch.setattr(module.os, "urandom", lambda n: b"\0" * n)
    (tmp_path / f".out.json.{'00' * 8}.tmp").symlink_to(victim)
    with pytest.raises(UnreadableFileError, match="File exists"):
        write_whole(str(target), "x")
    assert victim.read_text() == "mine"
    assert not target.exists()


def test_a_loop_of_links_is_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UnreadableFileError, match="ymbolic links"):
        write_whole(str(tmp_path / "a"), "x")


def test_a_link_to_nothing_makes_what_it_leads_to(tmp_path):
    (tmp_path / "link").symlink_to("there")
    write_whole(str(tmp_path / "link"), "x")
    assert (tmp_path / "there").read_text() == "x"
    assert (tmp_path / "link").is_symlink()


def test_a_read_only_file_is_kept(tmp_path):
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(0o444)
    with pytest.raises(UnreadableFileError, match="read-only"):
        write_whole(str(target), "new")
    assert target.read_text() == "old"


def test_an_old_file_keeps_its_permissions(tmp_path):
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(0o640)
    write_whole(str(target), "new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", 0o640)


def test_a_file_that_may_not_be_replaced_is_written_over(tmp_path, monkeypatch):
    target = tmp_path / "mounted"
    target.write_text("a longer old text")
    monkeypatch.setattr(module.os, "replace", fails(errno.EBUSY))
    write_whole(str(target), "new")
    assert target.read_text() == "new"
    assert names_in(tmp_path) == ["mounted"]


def test_a_file_in_a_folder_that_takes_no_new_one_is_written_over(tmp_path, monkeypatch):
    target = tmp_path / "there"
    target.write_text("a longer old text")
    monkeypatch.setattr(module, "_made", fails(errno.EACCES))
    write_whole(str(target), "new")
    assert target.read_text() == "new"
    with pytest.raises(RuntimeError):
        fail_halfway(target)
    assert target.read_text() == "new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_new_file_that_cannot_be_made_is_an_error(tmp_path, monkeypatch, number):
    monkeypatch.setattr(module, "_made", fails(number))
    with pytest.raises(UnreadableFileError, match=r"cannot write"):
        write_whole(str(tmp_path / "new"), "x")


def test_a_disk_that_fails_at_the_end_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.write_text("old")
    monkeypatch.setattr(module.os, "replace", fails(errno.EIO))
    with pytest.raises(UnreadableFileError):
        write_whole(str(target), "new")
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["out"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_told_to_end_leaves_nothing_behind(tmp_path, ending):
    old = signal.signal(ending, signal.SIG_DFL)  # nohup has tests ignore SIGHUP
    try:
        with pytest.raises(SystemExit) as left:
            end_halfway(tmp_path / "out", ending)
        assert signal.getsignal(ending) is signal.SIG_DFL
    finally:
        signal.signal(ending, old)
    assert left.value.code == 128 + ending
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, None])
def test_a_file_that_was_just_made_is_removed_too(tmp_path, monkeypatch, ending):
    made = module._made

    def interrupted(temporary):
        made(temporary).close()
        if ending is None:
            raise KeyboardInterrupt
        os.kill(os.getpid(), ending)

    monkeypatch.setattr(module, "_made", interrupted)
    old = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises((SystemExit, KeyboardInterrupt)):
            write_whole(str(tmp_path / "out"), "x")
    finally:
        signal.signal(signal.SIGTERM, old)
    assert names_in(tmp_path) == []


def test_an_ending_that_is_ignored_stays_ignored(tmp_path):
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with writing(str(tmp_path / "out")) as file:
            os.kill(os.getpid(), signal.SIGHUP)
            file.write(b"all")
    finally:
        signal.signal(signal.SIGHUP, old)
    assert (tmp_path / "out").read_text() == "all"


def test_a_thread_may_write_too(tmp_path):
    thread = threading.Thread(target=write_whole, args=(str(tmp_path / "out"), "x"))
    thread.start()
    thread.join()
    assert (tmp_path / "out").read_text() == "x"
