"""What a script's conditions leave of its variables: one branch, what all agree on, or nothing."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.conditions import truth_of
from decaycalc.training.trainers.syntax.shell import read_commands


def words(script):
    """Return the words of each command of a script."""
    return [[word.text for word in command.words] for command in read_commands(script, "a.sh")]


@pytest.mark.parametrize(
    ("test", "truth"),
    [
        ("[ a = a ]", True),
        ("[[ a == b ]]", False),
        ("[ a != b ]", True),
        ("test 8 -gt 1", True),
        ("[ 8 -lt 1 ]", False),
        ("[ 1 -ge 1 ]", True),
        ("[ 1 -le 0 ]", False),
        ("[ 1 -eq 1 ]", True),
        ("[ 1 -ne 1 ]", False),
        ("[ x -eq 1 ]", None),
        ("[ ! a = a ]", False),
        ("! [ a = a ]", False),
        ("! [ -f a ]", None),
        ("[ -f a ]", None),
        ("[ -n a ]", True),
        ("[[ a == a* ]]", None),
        ("[[ a == ? ]]", None),
        ("[[ a ]]", True),
        ("[ $A ]", None),
        ("[[ a == [ab] ]]", None),
        ("[ a = a ] && [ b = b ]", True),
        ("[ a = a ] && [ -f b ]", None),
        ("[ a = b ] && [ -f b ]", False),
        ("[ -f a ] || [ b = b ]", True),
        ("[ -f a ] || [ b = c ]", None),
        ("[ a = b ] && [ a = a ] || [ c = c ]", True),
        ("[ a = b ] && grep a &&", None),
        ("[ a = a -a a = b -o b = b ]", True),
        ("test a = a -a a = b", False),
        ("[[ a = b || a = a && b = b ]]", True),
        ("[[ ( a = b ) || a = a ]]", True),
        ("[[ ( a = b ) || a = c ]]", None),
        ("[ $A = a ]", None),
        ("[ a = a", None),
        ("python a.py", None),
        ("", None),
    ],
)
def test_a_comparison_of_words_is_told_and_nothing_else(test, truth):
    assert truth_of(test.split()) is truth


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("M=7b\nif [ $M = 7b ]; then A=1; else A=2; fi\np --a $A", "1"),
        ("M=1b\nif [ $M = 7b ]; then A=1; elif [ $M = 1b ]; then A=2; else A=3; fi\np --a $A", "2"),
        ("M=1b\nif [ $M = 1b ]; then A=1; elif [ $M = 1b ]; then A=2; fi\np --a $A", "1"),
        ("A=0\nif [ 1 -gt 2 ]; then A=1; fi\np --a $A", "0"),
        ("if [ -z $A ]; then A=1; fi\np --a $A", "1"),
        ("if [ -f x ]; then A=1; else A=2; fi\np --a $A", "$A"),
        ("if [ -f x ]; then A=1; else A=2; fi\np --a ${A:-3}", "$A"),
        ("A=1\nif [ -f x ]; then A=2; fi\np --a $A", "$A"),
        ("A=1\nif [ -f x ]; then A=1; fi\np --a $A", "1"),
        ("A=1\nif [ -f x ]; then A=2; exit 1; fi\np --a $A", "1"),
        ("A=1\nif [ -f x ]; then A=2; exit 1; else A=3; exit 1; fi\np --a $A", "1"),
        ("if [ -f x ]; then A=1\nelse if [ -f y ]; then A=1; else A=1; fi\nfi\np --a $A", "1"),
        ("A=1\nif [ a = a ] && [ b = c ]; then A=2; fi\np --a $A", "1"),
        ("A=1\nif [ b = c ] || [ a = a ]; then A=2; fi\np --a $A", "2"),
        ("A=1\nif [ a = a ] && [ -f x ]; then A=2; fi\np --a $A", "$A"),
        ("A=1\nif [ b = c ] && grep a b; then A=2; fi\np --a $A", "$A"),
        ("A=1\nif [ a = a ] && grep a b; then A=2; fi\np --a $A", "$A"),
        ("A=1\nif [[ a = a && b = c ]]; then A=2; fi\np --a $A", "1"),
        ("A=1\nif [ -f x ] && { [ -f y ] || [ -f z ]; }; then A=2; fi\np --a $A", "$A"),
        ("A=1\nwhile [ a = b ] && [ a = a ]; do A=2; done\np --a $A", "1"),
        ("A=1\n[ a = a ] && [ b = c ] && A=2\np --a $A", "1"),
        ("A=1\n[ a = a ] && [ b = c ] || A=2\np --a $A", "2"),
        ("A=1\n[ b = c ] || [ a = a ] && A=2\np --a $A", "2"),
        ("A=1\n[[ a = a && b = c ]] && A=2\np --a $A", "1"),
        ("A=1\n[[ a = a &&\n b = c ]] || A=2\np --a $A", "2"),
        ("A=1\n[ a = b ] &&  # why\n\n  A=2\np --a $A", "1"),
        ("A=1\n[ a = b ] &&\\\n  A=2\np --a $A", "1"),
        ("A=1\n[ a = b ] && { B=1; A=2; }\np --a $A", "1"),
        ("A=1\n[ a = b ] || {\nB=1\nA=2\n}\np --a $A", "2"),
        ("A=1\n[ a = a ] && {\n[ a = b ] && A=2\n}\n[ a = a ] || A=3\np --a $A", "1"),
        ("A=1\n[ a = a ] && { [ a = b ] || A=2; } && B=1\np --a $A", "2"),
        ("A=1\nif [ a = a ]; then [ a = b ] && A=2; fi\np --a $A", "1"),
        ("A=1\ncase a in a) [ a = b ] && A=2;; esac\np --a $A", "1"),
        ("A=1\ntest a = b && A=2\np --a $A", "1"),
        ("N=4\nA=1\n(( N > 8 )) && A=2\np --a $A", "$A"),
        ("A=1\nnvidia-smi | grep A100 && A=2\np --a $A", "$A"),
        ("A=1\n! [ a = b ] && A=2\np --a $A", "2"),
        ("A=1\ncd x && A=2\np --a $A", "2"),
        ("A=1\nmodule load cuda || A=2\np --a $A", "$A"),
        ("A=1\nif true; then\nA=2\nfi || exit 1\np --a $A", "2"),
        ("A=1\nunset A B\np --a $A", "$A"),
        ("A=1\nfor B in 1 2; do\nA+=x\ndone\np --a $A", "$Ax"),
        ("A=1\nfor B in 1; do\nA+=x\ndone\np --a $A", "1x"),
        ("A=1\nfor B in 1 2; do A=$((A * 2)); done\np --a $A", "$((A * 2))"),
        ("A=1\nC=3\nfor B in 1 2; do A=$C; for C in 4; do :; done; done\np --a $A", "$C"),
        ('A=1\nwhile [ -f x ]; do A="$A-2"; done\np --a $A', "$A-2"),
        ("A=1\nfor B in 1 2; do A=2; p --a $A; done", "2"),
        ("A=1\ncase a in (*) for B in 1 2; do A+=x; done;; esac\np --a $A", "$Ax"),
        ("A=1\ncase a in (a) [ b = c ] && A=2;; esac\np --a $A", "1"),
        ("A=1\n[ a = b ] && { A=2; } || A=3\np --a $A", "3"),
        ("A=1\n[ a = b ] || { for B in 1; do A=2; done; }\np --a $A", "2"),
        ("A=1\ntrue && { case a in a) A=2;; esac; } || A=3\np --a $A", "2"),
        ("A=1\nfalse && A=2\np --a $A", "1"),
        ("A=1\nif [[ $A ]]; then A=2; fi\np --a $A", "2"),
        ('B=\nA=1\n[ "$B" ] && A=2\np --a $A', "1"),
        ("M=a\nif [ $M = c ]; then M=b; elif [ $M = b ]; then A=2; else A=3; fi\np --a $A", "3"),
        ("[ a = a ] && A=1 || A=2\np --a $A", "1"),
        ("[ a = b ] && A=1 || A=2\np --a $A", "2"),
        ("[ a = a ] || A=2; A=1\np --a $A", "1"),
        ("A=1\n[[ -n $B ]] && true && A=2\np --a $A", "1"),
        ("A=1\n[ -f x ] && A=2; p --a $A", "$A"),
        ("A=1 && p --a $A", "1"),
        ("&& A=1\np --a $A", "1"),
        ("fi\nreturn\nA=1\np --a $A", "1"),
        ("p --a 1\nexit 0\np --a 2", "1"),
        ("(exit 1)\np --a 2", "2"),
        ("A=1\nfor A in 2 3; do\np --a $A\ndone", "$A"),
        ("for A in 2; do\np --a $A\ndone", "2"),
        ("for\np --a 1", "1"),
        ("for B in 1 2; do A=1; done\np --a $A", "1"),
        ("A=1\nfor B in 1 2; do\nA=2\nbreak\ndone\np --a $A", "2"),
        ("A=1\nwhile [[ $# -ge 1 ]]; do\nA=$1\nshift\ndone\np --a $A", "1"),
        ("A=1\nwhile true; do\nA=2\nbreak\ndone\np --a $A", "2"),
        ("A=1\nuntil [ -f x ]; do\nA=2\ndone\np --a $A", "2"),
        ("done\np --a 1", "1"),
        ("A=1\ncase $M in\n  7b) A=2 ;;\n  *)\n A=3\n ;;\nesac\np --a $A", "$A"),
        ("A=1\ncase $M in\n  7b) A=2 ;;\n  *)\n A=2\n ;;\nesac\np --a $A", "2"),
        ("M=7b\ncase $M in\n  13b) A=1 ;;\n  7b) A=2 ;;\n *) A=3 ;;\nesac\np --a $A", "2"),
        ("M=7b\ncase \"$M\" in 13b|'7b') A=2 ;; esac\np --a $A", "2"),
        ("M=7b\ncase ${M} in\n (13b |\n 7*) A=2 ;;\n 7b) A=3;; esac\np --a $A", "2"),
        ("A=1\ncase ${M:-7b} in 13b) A=2 ;; esac\np --a $A", "1"),
        ("A=1\ncase 7b in $X) A=2 ;; esac\np --a $A", "$A"),
        ("A=1\ncase 7b in $X) A=2 ;; 7b) A=2 ;; *) A=3; esac\np --a $A", "2"),
        ("A=1\ncase $M in 7b) A=2 ;; *) exit 1 ;; esac\np --a $A", "2"),
        ("if [ a = a ]; then case b in b) A=2;; esac; fi\np --a $A", "2"),
        ("case a in a) case b in c) A=1;; b) A=2;; esac;; *) A=3;; esac\np --a $A", "2"),
        (
            "case a in\n b)\n if [ c = c ]; then A=1; fi;;\n a) [ c = c ] && A=2;;\nesac\np --a $A",
            "2",
        ),
        ("A=1\n;;\nesac\ncase\np --a $A", "1"),
        ("for ((i=0;;i++)); do A=1; done\np --a $A", "1"),
        ("M=7b\ncase $M\nin\n7b) A=2;;\n*) A=3;;\nesac\np --a $A", "2"),
        ("A=1\ncase '' in '') A=2;; esac\np --a $A", "2"),
    ],
)
def test_a_variable_is_what_the_branch_that_is_taken_sets(script, value):
    assert words(script) == [["p", "--a", value]]


def test_a_command_in_a_branch_that_is_not_taken_is_none():
    assert words("if [ a = b ]; then p --a 1; else p --a 2; fi\n") == [["p", "--a", "2"]]


def test_what_a_last_line_says_in_short_ends_with_it():
    assert words("p --a 1\n[ a = b ] && p --a 2") == [["p", "--a", "1"]]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (
            'A=(--x 1)\nif [ -f x ]; then A+=(--y 2 --z=3); fi\np "${A[@]}"',
            ["p", "--x", "1", "--y", "$A", "--z", "$A"],
        ),
        ("A=\nif [ -f x ]; then A='--y 2'; fi\np --b 1 $A", ["p", "--b", "1", "--y", "$A"]),
    ],
)
def test_flags_that_a_branch_adds_are_there_and_open(script, expected):
    assert words(script) == [expected]


@pytest.mark.parametrize(
    "script", ["if [ -f x ]; then A=1; fi\n" * 501, "case a in a) " * 2000 + "A=1;;\n"]
)
def test_endless_conditions_are_refused(script):
    with pytest.raises(UnreadableFileError, match="more than 500 conditions"):
        words(f"{script}p --a 1\n")


def test_the_branches_of_an_open_case_are_all_read():
    script = "case $1 in\n a) p --a 1 ;;\n b) p --a 2 ;;\nesac\n"
    assert words(script) == [["p", "--a", "1"], ["p", "--a", "2"]]
