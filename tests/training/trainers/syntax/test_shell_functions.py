"""Functions, subshells and what is set for one command: followed as bash does, else left open."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.source import read_training
from decaycalc.training.trainers.syntax.shell import read_commands


def values(text):
    """Return the last word of each command."""
    return [command.words[-1].text for command in read_commands(text, "a.sh")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # What a function is given, and what is its own.
        ("run() { p --lr $1; }\nrun 0.1\nrun 0.2", ["0.1", "0.2"]),
        ("function run { p --lr $2; }; run a 0.1", ["0.1"]),
        ("function run() (\n p --lr ${1:-3}\n)\nrun", ["3"]),
        ("run()\n{\np --lr $1\n}\nmain() { run 0.1; }\nmain", ["0.1"]),
        ('main() { p --lr "$@"; }\nmain 1 2', ["2"]),
        ('main() { p --lr x "${@:2}"; }\nmain 1 2', ["2"]),
        ('main() { p --lr "$@"; }\nmain "$@"', ["$@"]),
        ('main() { p --lr $2; }\nmain "$@" 5', ["$2"]),
        ("main() { shift; p --lr $1; }\nmain 1 2", ["2"]),
        ("main() { shift $N; p --lr $1; }\nmain 1 2", ["$1"]),
        ("main() { p --lr x$3; }\nmain 1 2", ["x"]),
        ("set -- 5 6\np --lr $2", ["6"]),
        ("L=1\nrun() { local L=2; p --lr $L; }\nrun\np --lr $L", ["2", "1"]),
        ("run() { local L M; L=2; p --lr $L$M; }\nrun\np --lr $L", ["2", "$L"]),
        ("L=1\nrun() { L=2; return; p --lr 3; }\nrun\np --lr $L", ["2"]),
        ("L=1\nrun() { [ -f x ] && return; L=2; }\nrun\np --lr $L", ["$L"]),
        ("L=1\nrun() { [ -f x ] && local L=5; L=2; }\nrun\np --lr $L", ["$L"]),
        ("run() { p --lr 1; exit; }\nrun\np --lr 2", ["1"]),
        # A script that says how it is used where it is given nothing.
        ("if [ $# -eq 0 ]; then\necho usage\nexit 1\nfi\np --lr 1", ["1"]),
        ('usage() { exit 1; p --lr 0; }\n[ -z "$1" ] && usage\np --lr 1', ["1"]),
        ("[ $# -eq 0 ] && { exit 1; }\np --lr 1\nexit\np --lr 2", ["1"]),
        # One that is never called here may be called by another script.
        ("run() { p --lr $1; }", ["$1"]),
        ("run() { p --lr $1; exit; }\nother() { p --lr 2; }", ["$1", "2"]),
        ("if [ -f x ]; then\nrun() { p --lr 1; }\nelse\nrun() { p --lr 2; }\nfi\nrun", ["1", "2"]),
        ("if false; then\nrun() { p --lr 1; }\nfi\np --lr 2", ["2"]),
        ("run() { p --lr 1; }\nrun() { p --lr 2; }\nrun", ["2"]),
        ("a() { b() { p --lr 1; }; }\na\nb", ["1"]),
        ("run() { for i in 1 2; do shift; p --lr $1; done; }\nrun 1 2 3", ["$1"]),
        ("N=0\nup() { N=$((N+1)); }\nfor i in 1 2; do up; p --lr $N; done", ["$((N+1))"]),
        ("f() { f; p --lr 1; }\nf", ["1"] * 4),
        # A subshell forgets what is set in it.
        ("L=1\n(L=2; p --lr $L)\np --lr $L", ["2", "1"]),
        ("L=1\n(\nL=2\n[ a = a ] && p --lr $L)\np --lr $L", ["2", "1"]),
        ("L=1\n[ a = a ] && ( L=2\np --lr $L ) || L=3\np --lr $L", ["2", "1"]),
        ("L=1\nif (L=2; test -f x); then p --lr $L; fi", ["1"]),
        ("case a in a) (L=2; p --lr $L) ;; esac", ["2"]),
        ("(case a in a) L=2 ;; esac)\np --lr $L", ["$L"]),
        ("run() { (return; L=1); p --lr 2; }\nrun", ["2"]),
        ("L=1\nbash -c 'L=2; p --lr $L'\np --lr $L", ["2", "1"]),
        # What stands before a command is set for it alone, and later than its words.
        ("L=1\nL=2 p --lr $L\np --lr $L", ["1", "1"]),
        ("L=2 p --lr $L", ["$L"]),
        ("L=1\nrun() { p --lr $L; }\nL=2 run\np --lr $L", ["2", "1"]),
        ("run() { p --lr $L; }\nL=2 run\np --lr $L", ["2", "$L"]),
        ("L=2 bash -c 'p --lr $L'", ["2"]),
        ("export K L=2\np --lr $L", ["2"]),
        ("A=\np --lr ${A:-2}\np --lr x${A-3}", ["2", "x"]),
        ("run() { p --lr x; \n", ["x"]),
        ("(p --lr 1", ["1"]),
        ("f() { (\n}\nf\n)\np --lr 1", ["1"]),
        ("f()\np --lr 1", ["1"]),
        ("p --lr 1\nA=(1 2", ["1"]),
    ],
)  # fmt: skip
def test_a_script_is_followed_as_bash_does(text, expected):
    assert values(text) == expected


def test_devices_that_are_set_for_one_command_are_its_own():
    text = "CUDA_VISIBLE_DEVICES=0,1 p --lr 1\np --lr 2"
    devices = [dict(each.variables).get("CUDA_VISIBLE_DEVICES") for each in read_commands(text, "")]
    assert devices == ["0,1", None]


def test_a_script_that_runs_too_much_is_refused():
    text = "f() { " + "p --lr 1; " * 9000 + "}\nf; f; f"
    with pytest.raises(UnreadableFileError, match="runs more than 20000 statements"):
        read_commands(text, "a.sh")


def test_each_call_of_a_function_is_a_run_to_choose_from(tmp_path):
    flags = "--output_dir o --num_train_epochs 2 --per_device_train_batch_size"
    path = tmp_path / "run.sh"
    path.write_text(
        f"run() {{\npython t.py --learning_rate $1 {flags} $2\n}}\nrun 1e-4 8\nrun 2e-4 4\n"
    )
    with pytest.raises(UnreadableFileError, match=r"several training commands: give one of .*:1 "):
        read_training(str(path))
    assert float(read_training(f"{path}:2").run.lr) == 2e-4
