"""The guide: every page's console blocks and numbers are computed when the tests run."""

import sys
from pathlib import Path

import pytest

from decaycalc import guide
from decaycalc.cli import guide as guide_command
from decaycalc.cli.main import main
from decaycalc.errors import UnknownNameError
from tests import catalogue_pages, documentation, rules_page

FOLDER = Path(guide.__file__).parent


def pages(topics):
    return [(topic, (FOLDER / f"{topic}.md").read_text(encoding="utf-8")) for topic in topics]


PAGES = pages(guide.EXPLANATIONS)


class Terminal:
    """A stdout that is a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        """Have nothing to flush."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("topic", "text"), PAGES)
def test_every_output_and_number_of_a_page_is_what_the_tool_computes(topic, text):
    assert not documentation.failures(text), topic


@pytest.mark.parametrize(("topic", "text"), PAGES)
def test_a_page_is_short_and_names_only_topics_that_exist(topic, text):
    assert len(text.splitlines()) < 60, topic
    assert text.startswith("# ")
    for line in text.splitlines():
        for other in line.split("`")[1::2]:
            if other.count("-") and other in guide.ALIASES:
                pytest.fail(f"{topic} names the alias {other}")


@pytest.mark.parametrize(("topic", "text"), pages(guide.HOW_TO))
def test_every_console_block_of_a_page_is_what_the_program_prints(topic, text, tmp_path):
    assert documentation.renewed(text, tmp_path)[1] == [], topic
    assert text.startswith("# ")


def test_the_catalogue_s_pages_are_made_from_the_records():
    made = catalogue_pages.pages()
    shown = {f"{topic}.md": text for topic, text in pages(guide.CATALOGUE)}
    assert shown == made, "renew them: python -m tests.catalogue_pages"


def test_the_page_of_rules_is_made_from_their_records():
    assert (FOLDER / "rules.md").read_text(encoding="utf-8") == rules_page.page()


def test_the_package_has_no_page_that_is_not_listed():
    found = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.md")}
    assert found == set(guide.TOPICS)
    assert set(guide.ALIASES.values()) <= set(guide.TOPICS)


def test_the_list_names_each_topic_with_its_title(capsys):
    assert main(["guide"]) == 0
    printed = capsys.readouterr().out
    for topic in (*guide.EXPLANATIONS, *guide.HOW_TO):
        assert f"{topic} " in printed
        assert guide.title(topic) in printed


def test_a_piped_page_is_plain_markdown_without_the_comments_for_the_tests(capsys):
    assert main(["guide", "Founding_Question"]) == 0
    printed = capsys.readouterr().out
    assert printed == guide.page("founding-question")
    assert printed.startswith("# ")
    assert "<!--" not in printed
    assert "235 times" in printed


def test_an_alias_finds_its_page():
    assert guide.page("adamw") == guide.page("adam-and-adamw")


def test_an_unknown_topic_gets_the_nearest_name(capsys):
    assert main(["guide", "foundng"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: unknown topic 'foundng'; did you mean 'founding'")
    with pytest.raises(UnknownNameError):
        guide.page("")


@pytest.mark.parametrize("name", ["keras", "pytorch-sgd"])
def test_what_is_a_framework_and_no_topic_is_told_where_it_stands(capsys, name):
    assert main(["guide", name]) == 2
    assert f"'decaycalc conventions {name}' shows what it means" in capsys.readouterr().err
    assert main(["conventions", name]) == 0


@pytest.mark.parametrize(("names", "escapes"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_the_page_rendered(monkeypatch, names, escapes):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["guide", "sum-and-mean"]) == 0
    assert "# Sum" not in terminal.text
    assert "Sum and mean" in terminal.text
    assert ("\x1b[" in terminal.text) == escapes


def test_a_terminal_gets_the_plain_list(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["guide"]) == 0
    assert terminal.text == guide_command.contents()


PAGE = """\
# Page

See section 7, and
2e-5<!-- decaycalc convert 1e-5 --from keras-l2 --to pytorch-sgd --value -->.

```csv runs.csv
a,b
```

```console
$ cat runs.csv
a,b
$ decaycalc convert 5e-4 --from caffe \\
  --to keras-l2 --value
0.00025

$ decaycalc nothing
error: ...
$ echo $?
2
```

Half of 0.0005 is 0.00025 or 2.5e-4<!-- = 0.0005 / 2 -->, twice it 1e-3<!-- = 0.0005 * 2 -->.
"""


def test_a_page_that_is_right_has_no_failures():
    assert documentation.failures(PAGE) == []


def test_a_wrong_output_a_wrong_mark_and_a_stray_number_are_found(tmp_path):
    wrong = PAGE.replace("0.00025\n", "0.0005\n").replace("2e-5<", "3e-5<")
    found = documentation.failures(wrong)
    assert len(found) == 3
    assert "0.00025" in found[1]
    assert found[2] == "nothing computes 0.00025"
    text, problems = documentation.renewed(wrong, tmp_path)
    assert len(problems) == 2
    assert text == PAGE


def test_renewal_keeps_elisions_whose_ends_are_found_again():
    old = ["...", "Table", " a  1", " b  2", "..."]
    new = ["head", "Table", " a  3", " c  4", " b  5", "tail"]
    assert documentation.elided(old, new) == ["...", "Table", " a  3", " c  4", " b  5", "..."]
    assert documentation.elided(old, ["other"]) == ["other"]
    assert documentation.elided(["x"], ["y"]) == ["y"]
    assert documentation.elided(["...", "warning: it ..."], ["a", "warning: it is"]) == [
        "...",
        "warning: it ...",
    ]


def test_an_elision_may_stand_for_no_line():
    assert documentation.matches(["a", "..."], ["a"])
    assert documentation.matches(["...", "a", "...", "b"], ["a", "x", "y", "b"])
    assert documentation.matches(["..."], ["a", "b"])
    assert not documentation.matches(["a", "..."], ["b", "a"])


def test_numbers_are_shown_as_the_page_writes_them():
    assert documentation.as_shown("13862.6", "1") == "10000"
    assert documentation.as_shown("13862.6", "13,863") == "13,863"
    assert documentation.as_shown("2e-05", "3e-5") == "2e-5"
    assert documentation.as_shown("0.0123", "0.99") == "0.01"


def test_the_program_renews_and_compares(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("0.00025\n", "1\n").replace("2e-5<", "3e-5<"), encoding="utf-8")
    assert documentation.main([str(page)]) == 1
    assert documentation.main(["--renew", str(page)]) == 0
    assert documentation.main([str(page)]) == 0
    assert "renewed 2" in capsys.readouterr().out
