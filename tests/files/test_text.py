"""The one reader of text: what may be opened, how much of it, and its encoding."""

import os
import sys
import threading
import time
import types
from io import BytesIO

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.files import text
from decaycalc.files.text import read_text


def write(folder, content):
    path = folder / "a.txt"
    path.write_bytes(content)
    return str(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    assert read_text(write(tmp_path, b"\xef\xbb\xbfa\n")) == "a\n"


def test_a_text_that_is_not_utf_8_is_refused_at_its_byte(tmp_path):
    with pytest.raises(UnreadableFileError, match="byte 2 is not UTF-8"):
        read_text(write(tmp_path, b"a\xff"))


@pytest.mark.parametrize(("largest", "size"), [(3, "3 bytes"), (2**20, "1 MiB")])
def test_a_text_beyond_the_limit_is_refused_not_cut(tmp_path, largest, size):
    path = write(tmp_path, b"a" * largest)
    assert len(read_text(path, largest=largest)) == largest
    with pytest.raises(UnreadableFileError, match=f"larger than {size}"):
        read_text(write(tmp_path, b"a" * (largest + 1)), largest=largest)


def test_a_device_without_end_is_refused_unopened_or_at_the_limit():
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        read_text("/dev/zero")
    with pytest.raises(UnreadableFileError, match="larger than 8 bytes"):
        read_text("/dev/zero", largest=8, streams=True)


def test_a_pipe_is_read_where_a_stream_makes_sense(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        read_text(pipe)
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(b"b"))
    writer.start()
    assert read_text(pipe, streams=True) == "b"
    writer.join()


def test_a_pipe_that_nobody_writes_to_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "_PATIENCE", 0.05)
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    with pytest.raises(UnreadableFileError, match="nobody writes to"):
        read_text(pipe, streams=True)


def test_a_writer_that_takes_its_time_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "_PATIENCE", 0.05)
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)

    def write_late():
        time.sleep(0.3)
        os.write(writer, b"b")
        os.close(writer)

    late = threading.Thread(target=write_late)
    late.start()
    assert read_text(pipe, streams=True) == "b"
    late.join()


@pytest.mark.parametrize("path", ["absent", "nul\0byte", "."])
def test_what_cannot_be_opened_is_said_in_one_line(path):
    with pytest.raises(UnreadableFileError, match=r"No such file|null|a directory") as caught:
        read_text(path)
    assert "\n" not in str(caught.value)


def test_a_file_without_permission_is_said(tmp_path, monkeypatch):
    path = write(tmp_path, b"a")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableFileError, match="Permission denied"):
        read_text(path)


def test_standard_input_is_read_by_its_name_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=BytesIO(b"in")))
    assert read_text("-", stdin=True) == "in"
    with pytest.raises(UnreadableFileError, match="No such file"):
        read_text("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UnreadableFileError, match="closed"):
        read_text("-", stdin=True)
