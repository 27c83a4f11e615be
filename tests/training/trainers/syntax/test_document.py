"""Which syntax a file has, by its content, and what reads it."""

import io
import sys

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax import document
from decaycalc.training.trainers.syntax.document import read_documents, scalar_text
from decaycalc.training.trainers.syntax.sniffing import Syntax, sniff


@pytest.mark.parametrize(
    ("text", "ending", "first"),
    [
        ('{"a": 1}', ".yaml", Syntax.JSON),
        ("# c\n\na: 1\n", "", Syntax.YAML),
        ("---\na: 1\n", "", Syntax.YAML),
        ("[net]\nbatch=1\n", ".txt", Syntax.SECTIONS),
        ("[optimizer]\nlr = 1\n", "", Syntax.TOML),
        ("[[optimizer]]\nlr = 1\n", ".cfg", Syntax.TOML),
        ("lr = 1\n", "", Syntax.TOML),
        ("lr = dict(a=1)\n", ".py", Syntax.PYTHON),
        ("import os\n", "", Syntax.TOML),
        ("#!/bin/bash\nlr=1\n", ".py", Syntax.SHELL),
        ("#!/usr/bin/env python3\nlr = 1\n", "", Syntax.PYTHON),
        ("LR=1\ntorchrun x.py --lr $LR\n", "", Syntax.SHELL),
        ("base_lr: 1 momentum: 0.9\n", "", Syntax.PROTOTEXT),
        ("layer {\n}\n", "", Syntax.PROTOTEXT),
        ("nothing here", "", Syntax.YAML),
        ("lr: 1\ncommand: torchrun x\n", "", Syntax.YAML),
    ],
)
def test_the_content_tells_the_syntax(text, ending, first):
    assert sniff(text, ending)[0] is first


def test_yaml_in_braces_is_yaml_where_the_ending_says_so(tmp_path):
    text = "{opt: adamw, lr: 1e-3, epochs: 3,}"
    (tmp_path / "a.yaml").write_text(text)
    (document,) = read_documents(str(tmp_path / "a.yaml"))
    assert (document.syntax, list(document.root.entries)) == ("YAML", ["opt", "lr", "epochs"])
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnreadableFileError, match="not JSON"):
        read_documents(str(tmp_path / "a.json"))


def test_an_empty_text_has_no_syntax(tmp_path):
    (tmp_path / "e.yaml").write_text("# only a comment\n")
    assert sniff("", "") == ()
    with pytest.raises(UnreadableFileError, match="it is empty"):
        read_documents(str(tmp_path / "e.yaml"))


def test_the_first_candidate_s_complaint_is_told(tmp_path):
    (tmp_path / "c.py").write_text("a = (\n")
    with pytest.raises(UnreadableFileError, match="not Python"):
        read_documents(str(tmp_path / "c.py"))


def test_each_command_of_a_script_is_a_document(tmp_path):
    (tmp_path / "run.sh").write_text("python a.py --lr 1\npython b.py --lr 2\n")
    found = read_documents(str(tmp_path / "run.sh"))
    assert [each.program for each in found] == ["a.py", "b.py"]
    assert [scalar_text(each.root, "lr") for each in found] == ["1", "2"]
    assert scalar_text(found[0].root, "none") is None


def test_a_file_of_settings_alone_named_so_is_unwrapped(tmp_path):
    (tmp_path / "c.yaml").write_text("a:\n  value: 1\nb:\n  value: 2\n")
    (root,) = (each.root for each in read_documents(str(tmp_path / "c.yaml")))
    assert scalar_text(root, "a") == "1"


def test_a_pipe_is_read_and_has_no_neighbours(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\n")))
    (found,) = read_documents("-")
    assert found.folder is None
    assert found.neighbour("x.yaml") is None


def test_a_broken_neighbour_is_none(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1\n")
    (tmp_path / "b.yaml").write_text("- 1\n")
    (found,) = read_documents(str(tmp_path / "a.yaml"))
    assert found.neighbour("b.yaml") is None
    assert found.neighbour("none.yaml") is None
    assert found.neighbour("a.yaml").name.endswith("a.yaml")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\xff\xfe\x00", "UTF-8"), (b"a: \0", "a NUL"), (b"a: 1\n" * 100, "larger than")],
)
def test_what_is_no_text_is_refused(tmp_path, monkeypatch, data, reason):
    monkeypatch.setattr(document, "LARGEST_FILE", 200)
    (tmp_path / "a.yaml").write_bytes(data)
    with pytest.raises(UnreadableFileError, match=reason):
        read_documents(str(tmp_path / "a.yaml"))
