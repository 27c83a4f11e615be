"""What is generated is what its generator makes; a schema changes by addition only."""

import pytest

from tests import renew


@pytest.mark.parametrize("name", renew.GENERATED)
def test_a_generated_file_is_what_its_generator_makes(name):
    made = renew.GENERATED[name]()
    shown = (renew.ROOT / name).read_text(encoding="utf-8")
    assert shown == made, "renew it: python -m tests.renew"


@pytest.fixture
def two_files(tmp_path, monkeypatch):
    (tmp_path / "old").write_text("old")
    (tmp_path / "same").write_text("same")
    texts = {"old": "new", "same": "same", "a/b": "b"}
    made = [(tmp_path / name, lambda text=text: text) for name, text in texts.items()]
    monkeypatch.setattr(renew, "makers", lambda: iter(made))
    monkeypatch.setattr(renew, "ROOT", tmp_path)
    return tmp_path


def test_what_differs_is_written_and_named(two_files, capsys):
    assert renew.main([]) == 0
    assert capsys.readouterr().out.splitlines() == ["old: renewed", "a/b: renewed"]
    assert (two_files / "old").read_text() == "new"
    assert (two_files / "a" / "b").read_text() == "b"


def test_a_check_writes_nothing_and_fails(two_files, capsys):
    assert renew.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == ["old: differs", "a/b: differs"]
    assert (two_files / "old").read_text() == "old"
    renew.main([])
    assert renew.main(["--check"]) == 0


def test_every_kind_of_page_is_among_them():
    names = {path.relative_to(renew.ROOT).as_posix() for path, _ in renew.makers()}
    assert {"README.md", "decaycalc/guide/catalogue.md", *renew.GENERATED} <= names
