"""What the names, flags and tests of a plain Python script stand for."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, quantity, read, script


@pytest.mark.parametrize(
    ("lines", "lr"),
    [
        (("LR = 0.1", "LR = 0.2", "optimizer = SGD(m.parameters(), lr=LR)"), 0.2),
        (("LR = 0.1", "LR *= 2", "optimizer = SGD(m.parameters(), lr=LR / 4)"), 0.05),
        (("a, LR = 1, 0.3", "optimizer = SGD(m.parameters(), lr=float(LR))"), 0.3),
        (("c = {'lr': 0.1}", "optimizer = SGD(m.parameters(), lr=c['lr'])"), 0.1),
        (("c = dict(lr=0.1)", "optimizer = SGD(m.parameters(), lr=c['lr'])"), 0.1),
        (("c = dict(lr=0.1, momentum=0.5)", "optimizer = SGD(m.parameters(), **c)"), 0.1),
        (("c = EasyDict({'lr': 0.1})", "optimizer = SGD(m.parameters(), lr=c.lr)"), 0.1),
        (("class C:", "    lr: float = 0.1", "c = C()", "optimizer = SGD(m.parameters(), lr=c.lr)"),
         0.1),
        (("class C:", "    def __init__(self):", "        self.lr = 0.1", "c = C()",
          "optimizer = SGD(m.parameters(), lr=c.lr)"), 0.1),
        (("def f(lr, m=1):", "    return SGD(m.parameters(), lr=lr)", "f(0.4)", "f(lr=0.4)"), 0.4),
        (("def f(*, lr=0.2):", "    return SGD(m.parameters(), lr=lr)", "f()"), 0.2),
        (("class T:", "    def __init__(self, a, lr):", "        self.lr = lr",
          "        self.o = SGD(m.parameters(), lr=self.lr)", "T(1, 0.7)"), 0.7),
        (("class T:", "    def g(self, lr):", "        self.o = SGD(m.parameters(), lr=lr)",
          "    def h(self):", "        self.g(0.6)"), 0.6),
        (("import fire", "def main(lr=0.1):", "    SGD(m.parameters(), lr=lr)", "fire.Fire(main)"),
         0.1),
        (("LR = 0.1 if True else 0.2", "optimizer = SGD(m.parameters(), lr=LR)"), 0.1),
        (("optimizer = SGD(m.parameters(), lr=(LR := 0.25))",), 0.25),
        (("N = 2 ** 3", "optimizer = SGD(m.parameters(), lr=int(N) * 1e-2)"), 0.08),
        (("optimizer = SGD(m.parameters(), lr=-(-0.1))",), 0.1),
        (("@dataclass", "class C:", "    lr: float = field(default=0.5)", "c = C()",
          "optimizer = SGD(m.parameters(), lr=c.lr)"), 0.5),
        (("class C: n = 1", "c = C(n=2, lr=0.3)", "optimizer = SGD(m.parameters(), lr=c.lr)"), 0.3),
        (("LR = 0.1", "class C:", "    LR = 0.5", "optimizer = SGD(m.parameters(), lr=LR)"), 0.1),
        (("class C:", "    A = 0.4", "    LR = A / 2", "optimizer = SGD(m.parameters(), lr=C.LR)"),
         0.2),
        (("LR = 0.1", "if True:", "    LR = 0.2", "LR = 0.3", "SGD(m.parameters(), lr=LR)"), 0.3),
        (("LR = 0.1", "SGD(m.parameters(), lr=LR)", "def f():", "    global LR", "    LR = 0.5"),
         0.1),
        (("c = {'lr': 0.1}", "if False: c.update(lr=1)", "c.update({'m': 1}, n=2)",
          "d.update(lr=1)", "setattr(c, 'm', 1)", "setattr(d, 'lr', 1)",
          "SGD(m.parameters(), lr=c['lr'])"), 0.1),
        (("import tyro", "class A:", "    lr: float = 0.1", "a = tyro.cli(A)",
          "SGD(m.parameters(), lr=a.lr)"), 0.1),
        (("def f():", "    return {'lr': 0.1}", "c = f()", "SGD(m.parameters(), lr=c['lr'])"), 0.1),
        (("c = a, LR = 1, 0.7", "optimizer = SGD(m.parameters(), lr=LR)"), 0.7),
        (("from . import a", "A = LR = 0.6", "optimizer = SGD(m.parameters(), lr=LR)"), 0.6),
        (("x[0] = 1", "x[f()] = 2", "optimizer = SGD(m.parameters(), lr=0.3)"), 0.3),
        (("def f(x):", "    return x", "f(1)", "f(2)", "optimizer = SGD(m.parameters(), lr=0.1)"),
         0.1),
    ],
)  # fmt: skip
def test_what_a_name_stands_for(tmp_path, lines, lr):
    assert float(script(tmp_path, *lines, after="x.step()\n").run.lr) == lr


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("optimizer = SGD(m.parameters(), lr=LR)",), "LR is not set in the file"),
        (("if cuda: LR = 0.1", "else: LR = 0.2", "optimizer = SGD(m.parameters(), lr=LR)"),
         "LR is set in lines 3 and 4"),
        (("LR = 1", "for x in y: LR = LR / 2", "optimizer = SGD(m.parameters(), lr=LR)"),
         "LR is set in lines 3 and 4"),
        (("LR = 1", "def f():", "    global LR", "    LR = 2", "SGD(m.parameters(), lr=LR)"),
         "LR is set at run time, line 6"),
        (("f = lambda LR: SGD(m.parameters(), lr=LR)", "LR = 1"), "LR is a parameter of a lambda"),
        (("LR = {}", "def f(**LR):", "    SGD(m.parameters(), LR['a'])", "f(a=1)"),
         "LR is what f is called with"),
        (("c = {'lr': 1}", "c.update({'lr': 2})", "SGD(m.parameters(), lr=c['lr'])"),
         "c['lr'] may be set anew in line 4"),
        (("c = {'lr': 1}", "c.update(other)", "SGD(m.parameters(), lr=c['lr'])"),
         "c['lr'] may be set anew in line 4"),
        (("c = C(lr=1)", "vars(c).update(**other)", "SGD(m.parameters(), lr=c.lr)"),
         "c.lr may be set anew in line 4"),
        (("c = C(lr=1)", "for k in y: setattr(c, k, y[k])", "SGD(m.parameters(), lr=c.lr)"),
         "c.lr may be set anew in line 4"),
        (("import tyro", "a = tyro.cli(A)", "SGD(m.parameters(), lr=a.lr)"),
         "a.lr is no flag that can be told"),
        (("def f(): return f()", "SGD(m.parameters(), lr=c.lr)", "c = f()"),
         "is computed at run time"),
        (("def f(n):", "    if n: return a", "    return b", "SGD(m.parameters(), lr=f(1).lr)"),
         "f(1).lr is not in the file"),
        (("match x:", "    case 1: LR = 1", "    case 2: LR = 2", "SGD(m.parameters(), lr=LR)"),
         "LR is set in lines 4 and 5"),
        (("for LR in y:", "    optimizer = SGD(m.parameters(), lr=LR)"),
         "LR is set at run time, line 3"),
        (("LR = make()", "optimizer = SGD(m.parameters(), lr=LR)"), "is computed at run time"),
        (("LR = None", "optimizer = SGD(m.parameters(), lr=LR)"),
         "is None unless the script is told"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)"),
         "lr is a parameter of f, which the file does not call"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "f(0.1)", "f(0.2)"),
         "lr is a parameter of f, called in several ways"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "f(**c)"),
         "lr is a parameter of f"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "f(*c)"),
         "lr is a parameter of f"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "f()"), "lr is a parameter of f"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "fire.Fire(f)"),
         "lr is a parameter of f, which the file does not call"),
        (("c = {'lr': 0.1}", "c['lr'] = 0.2", "optimizer = SGD(m.parameters(), lr=c['lr'])"),
         "c['lr'] is set anew in line 4"),
        (("c = load()", "optimizer = SGD(m.parameters(), lr=c.lr)"), "c.lr is not in the file"),
        (("c = C()", "optimizer = SGD(m.parameters(), lr=c.lr)"), "c.lr is not in the file"),
        (("class C: pass", "c = C()", "optimizer = SGD(m.parameters(), lr=c.lr)"),
         "c.lr is not set"),
        (("class C:", "    def f(self):", "        self.a = 1", "        self.a = 2",
          "        self.o = SGD(m.parameters(), lr=self.a)"), "self.a is set several times"),
        (("def f(self):", "    SGD(m.parameters(), lr=self.a)"), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), lr=0.1 if cuda else 0.2)",), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), lr=float(c.lr))", "c = 1"), "c.lr is not in the file"),
        (("optimizer = SGD(m.parameters(), lr=f(1).lower())",), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), lr=b'1')",), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), **c)",), "lr may be in **c (line 3)"),
        (("c = dict(lr=0.1)", "c.update(lr=0.2)", "optimizer = SGD(m.parameters(), **c)"),
         "may be changed in line 4"),
        (("c = dict(lr=0.1)", "c.update({'lr': 0.2})", "optimizer = SGD(m.parameters(), **c)"),
         "may be changed in line 4"),
        (("c = dict()", "c.update(d)", "d.update(e)", "optimizer = SGD(m.parameters(), **c)"),
         "lr may be in **d (line 4)"),
        (("c = {'rate': 0.1}", "optimizer = SGD(m.parameters(), lr=c['lr'])"),
         "c['lr'] is not in the file"),
        (("c = {'lr': 0.1, **d}", "optimizer = SGD(m.parameters(), lr=c['lr'])"),
         "c['lr'] is not in the file"),
        (("c = x", "optimizer = SGD(m.parameters(), lr=c[0])"), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), lr=f(c))",), "is computed at run time"),
        (("c = 'high'", "optimizer = SGD(m.parameters(), lr=c * 2)"), "is computed at run time"),
        (("optimizer = SGD(m.parameters(), lr=[1].lower())",), "is computed at run time"),
        (("def f(lr):", "    return SGD(m.parameters(), lr=lr)", "f(a=1)"),
         "lr is a parameter of f"),
        (("def f():", "    return a", "[*a, b] = c", "optimizer = SGD(m.parameters(), lr=b)"),
         "b is set at run time, line 5"),
        (("(a, b), c = d, e", "optimizer = SGD(m.parameters(), lr=b)"),
         "b is set at run time, line 3"),
        (("c = C(1, 2)", "optimizer = SGD(m.parameters(), lr=c.lr)"), "c.lr is not in the file"),
        (("c = pkg.C()", "optimizer = SGD(m.parameters(), lr=c.lr)"), "c.lr is not in the file"),
        (("class L:", "    def make(self):", "        SGD(m.parameters(), lr=self.hparams.lr)"),
         "self.hparams.lr is not in the file"),
        (("a = b", "b = a", "optimizer = SGD(m.parameters(), lr=a)"), "is computed at run time"),
    ],
)  # fmt: skip
def test_what_the_text_does_not_tell_is_open(tmp_path, lines, why):
    found = script(tmp_path, *lines, after="x.step()\n")
    assert found.run.lr is None
    assert why in quantity(found, "lr").note


PARSER = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", "--learning-rate", type=float, default=0.1)
parser.add_argument("--wd", "--weight-decay", dest="weight_decay", default=1e-4)
parser.add_argument("-b", "--batch-size", default=64)
parser.add_argument("--opt", default="sgd")
parser.add_argument("--nesterov", action="store_true")
parser.add_argument("--epochs", required=True)
parser.add_argument("--final")
parser.add_argument("--steps-at", nargs="+", default=[1, 2])
parser.add_argument(*more)
args = parser.parse_args()
"""
BY_FLAGS = f"""{PARSER}
import torch
if args.opt.lower() == "sgd":
    optimizer = torch.optim.SGD(m.parameters(), args.lr, 0.9, weight_decay=args.weight_decay,
                                nesterov=args.nesterov)
elif args.opt in ["adam", "adamw"]:
    optimizer = torch.optim.AdamW(m.parameters(), args.lr, weight_decay=args.weight_decay)
else:
    raise ValueError
loader = torch.utils.data.DataLoader(data, batch_size=args.batch_size)
for epoch in range(args.epochs):
    for x in loader:
        optimizer.step()
"""


def test_a_flag_holds_at_its_default(tmp_path):
    found = read(tmp_path, "train.py", BY_FLAGS)
    assert (found.convention, found.value) == ("pytorch-sgd", "1e-4")
    assert (float(found.run.lr), float(found.run.batch_size)) == (0.1, 64)
    assert found.missing == ("epochs",)
    said = "the script's own flags hold at their defaults: --lr, --weight_decay, --nesterov"
    assert any(note.startswith(said) for note in found.notes)


def test_what_is_given_takes_the_place_of_the_script(tmp_path):
    found = read(tmp_path, "train.py", BY_FLAGS, lr="0.4", epochs="90")
    assert (float(found.run.lr), float(found.run.epochs)) == (0.4, 90)
    assert (origins(found)["lr"], found.missing) == ("given", ())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--epochs 20 --learning-rate 0.3", ("pytorch-sgd", "1e-4", 0.3, 20)),
        ("--opt adamw --wd 0.05 --epo 5", ("pytorch-adamw", "0.05", 0.1, 5)),
        ("--nesterov --weight-decay 5e-4 --epochs 3 data", ("pytorch-sgd", "5e-4", 0.1, 3)),
    ],
)
def test_a_command_is_read_by_its_script(tmp_path, flags, said):
    (tmp_path / "main.py").write_text(BY_FLAGS)
    found = read(tmp_path, "run.sh", f"python main.py {flags}\n")
    run = (float(found.run.lr), float(found.run.epochs))
    assert (found.kind, (found.convention, found.value, *run)) == ("python-script", said)
    assert "main.py was read, not run" in found.notes
    assert quantity(found, "lr").where == "main.py: optimizer.lr"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.py", BY_FLAGS),
        ("main.py", "x ="),
        ("main.py", "import torch\n"),
        ("main.py", "from torch.optim import *\na = SGD(p(), lr=1)\nb = SGD(p(), lr=2)\n"),
    ],
)
def test_a_command_whose_script_says_nothing_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "run.sh", "python main.py --lr 0.1\n")


@pytest.mark.parametrize("flags", ["--lr $LR --epochs 3", "--steps-at 1 2"])
def test_a_flag_that_only_the_run_would_tell_is_open(tmp_path, flags):
    text = BY_FLAGS.replace("args.lr, 0.9", "args.lr * args.steps_at, 0.9")
    (tmp_path / "main.py").write_text(text)
    assert read(tmp_path, "run.sh", f"python main.py {flags}\n").run.lr is None


def test_a_flag_twice_added_is_open(tmp_path):
    text = PARSER.replace("args =", "parser.add_argument('--lr', default=1)\nargs =")
    text += "import torch\noptimizer = torch.optim.SGD(m.parameters(), lr=args.lr)\n"
    found = read(tmp_path, "train.py", text)
    assert "args.lr is no flag that can be told" in quantity(found, "lr").note


@pytest.mark.parametrize("line", ["args, rest = parser.parse_known_args()",
                                  "(args, rest) = parser.parse_known_args()"])  # fmt: skip
def test_known_arguments_of_several(tmp_path, line):
    text = PARSER.replace("args = parser.parse_args()", line)
    text += "import torch\noptimizer = torch.optim.SGD(m.parameters(), lr=args.lr)\n"
    assert float(read(tmp_path, "train.py", text).run.lr) == 0.1
    text = text.replace("lr=args.lr", "lr=rest.lr")
    assert read(tmp_path, "train.py", text).run.lr is None


@pytest.mark.parametrize(
    ("test", "is_taken"),
    [
        ("n > 3", True), ("n < 3", False), ("n >= 4", True), ("n <= 3", False), ("n == 4", True),
        ("n != 4", False), ("n is None", False), ("n is not None", True), ("not n", False),
        ("n and word", True), ("n and not n", False), ("not n or n", True), ("empty", False),
        ("word == 'a'", True), ("word in ['a', 'b']", True), ("word not in ('a',)", False),
        ("__name__ == '__main__'", True), ("pair == [1, 2]", True), ("pair", True),
        ("no", False), ("yes", True), ("none", False),
        ("cuda", None), ("word > 3", None), ("word in text", None), ("cuda or cuda", None),
        ("not cuda", None), ("{}", None), ("n < 3 < 5", None),
    ],
)  # fmt: skip
def test_a_branch_that_a_test_rules_out_is_not_taken(tmp_path, test, is_taken):
    head = ("n, word, text, pair = 4, 'a', 'ab', [1, 2]",
            "yes, no, none, empty = True, False, None, ''", f"if {test}:",
            "    optimizer = SGD(m.parameters(), lr=1)", "else:",
            "    optimizer = SGD(m.parameters(), lr=2)")  # fmt: skip
    if is_taken is None:
        with pytest.raises(UnreadableFileError, match="makes several optimizers: give one of"):
            script(tmp_path, *head)
        (tmp_path / "train.py").unlink()
        return
    assert float(script(tmp_path, *head).run.lr) == (1 if is_taken else 2)


def test_a_test_on_what_it_decides_is_not_told(tmp_path):
    lines = ("n = 1", "if n > 1:", "    n = 2", "optimizer = SGD(m.parameters(), lr=n)")
    assert float(script(tmp_path, *lines).run.lr) == 1


def test_a_chain_of_doubled_names_ends(tmp_path):
    names = ["a0 = 1", *(f"a{at} = a{at - 1} + a{at - 1}" for at in range(1, 24))]
    assert script(tmp_path, *names, "optimizer = SGD(p(), lr=a23)").run.lr is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("parse_args()", "parse_args(['--lr', '1'])", "line 13 gives the flags itself"),
        ("parse_args()", "parse_args('--lr 1'.split())", "line 13 gives the flags itself"),
        ("parse_args()", "parse_args(''.split())", ""),
        ("parse_args()", "parse_args([])", ""),
        ("args = parser.parse_args()",
         "def g():\n    return f(parser.parse_args())\ndef f(a):\n    return a\nargs = g()", ""),
        ("parse_args()", "parse_args(sys.argv[1:])", ""),
        ("args =", "parser.set_defaults(lr=1)\nargs =", "args.lr may be set in line 13"),
        ("args =", "parser.set_defaults(**y)\nargs =", "args.lr may be set in line 13"),
        ("args =", "parser.set_defaults(wd=1)\nargs =", ""),
        ("args =", "if False: parser.set_defaults(lr=1)\nargs =", ""),
        ("type=float", "type=lambda x: float(x) / 10", "args.lr is no flag that can be told"),
    ],
)  # fmt: skip
def test_what_else_sets_a_flag_leaves_it_open(tmp_path, old, new, why):
    text = f"import torch\n{PARSER}torch.optim.SGD(m.parameters(), args.lr)\n"
    found = read(tmp_path, "train.py", text.replace(old, new, 1))
    assert (found.run.lr is None) == bool(why)
    assert why in quantity(found, "lr").note
