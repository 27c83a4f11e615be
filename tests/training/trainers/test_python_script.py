"""Plain Python scripts, by the optimizer that they make."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import SCRIPT, quantity, read, script, shrink

STEP = "optimizer.step()\n"


def test_a_script_says_its_run(tmp_path):
    found = read(tmp_path, "train.py", SCRIPT)
    assert (found.kind, found.convention, found.value) == ("python-script", "pytorch-sgd", "5e-4")
    assert (float(found.run.lr), float(found.run.momentum)) == (0.1, 0.9)
    assert (float(found.run.examples_per_step), float(found.run.epochs)) == (128, 30)
    assert found.schedule == "cosine:per=1epochs"
    assert shrink(found) == pytest.approx(5e-4)
    assert (found.missing, found.notes, found.exempt.mask) == ((), (), "all")
    assert quantity(found, "weight_decay").line == 7


@pytest.mark.parametrize(
    ("made", "convention", "value"),
    [
        ("torch.optim.AdamW(m.parameters(), lr=1e-3)", "pytorch-adamw", "0.01"),
        ("SGD(m.parameters(), 0.1, 0.9, 0, 1e-4)", "pytorch-sgd", "1e-4"),
        ("Adam(m.parameters(), 1e-3, (0.9, 0.99), 1e-8, 1e-5)", "pytorch-adam", "1e-5"),
        ("Adam(m.parameters(), weight_decay=0.1, decoupled_weight_decay=True)",
         "pytorch-adam-decoupled", "0.1"),
        ("torch.optim.LBFGS(m.parameters())", None, None),
        ("getattr(torch.optim, 'AdamW')(m.parameters(), lr=1)", "pytorch-adamw", "0.01"),
    ],
)  # fmt: skip
def test_a_class_is_known_by_its_import(tmp_path, made, convention, value):
    found = script(tmp_path, f"optimizer = {made}", after=STEP)
    assert (found.convention, found.value) == (convention, value)


@pytest.mark.parametrize(
    ("line", "convention"),
    [
        ("import bitsandbytes as bnb\noptimizer = bnb.optim.AdamW8bit(p(), 1e-4, weight_decay=0.1)",
         "bitsandbytes-adamw"),
        ("from lion_pytorch import Lion\noptimizer = Lion(p(), lr=1e-4, weight_decay=0.1)",
         "lion-pytorch"),
        ("from transformers import AdamW\noptimizer = AdamW(p(), lr=1e-4, weight_decay=0.1)",
         "hf-adamw-legacy"),
    ],
)  # fmt: skip
def test_other_libraries(tmp_path, line, convention):
    found = read(tmp_path, "train.py", f"{line}\n{STEP}")
    assert (found.convention, found.value) == (convention, "0.1")


def test_a_class_under_a_name_of_its_own(tmp_path):
    kind = "kind = torch.optim.SGD"
    found = script(tmp_path, kind, "optimizer = kind(m.parameters(), lr=0.5)", after=STEP)
    assert (found.convention, float(found.run.lr)) == ("pytorch-sgd", 0.5)
    lines = ("optimizer = getattr(torch.optim, name)(m.parameters(), lr=1)", "AdamW = f")
    with pytest.raises(UnreadableFileError):
        script(tmp_path, *lines, "optimizer = AdamW(m.parameters(), lr=1)")
    with pytest.raises(UnreadableFileError):
        script(tmp_path, "from torch.optim import SGD", "SGD = f", "SGD(m.parameters(), lr=1)")


def test_an_lr_of_0_is_set_in_the_loop(tmp_path):
    found = script(tmp_path, "optimizer = SGD(m.parameters(), lr=0)", after=STEP)
    assert (found.run.lr, "lr" in found.missing) == (None, True)


def test_an_experiment_of_yolox_is_its_own_table_s(tmp_path):
    text = (
        "from yolox.exp import Exp as MyExp\nimport torch\nclass Exp(MyExp):\n"
        "    def __init__(self):\n        self.max_epoch = 300\n        self.weight_decay = 5e-4\n"
        "        self.basic_lr_per_img = 1e-4\n        self.no_aug_epochs = 15\n"
        "    def get_optimizer(self, batch_size):\n        return torch.optim.SGD(pg, lr=0)\n"
    )
    assert read(tmp_path, "exp.py", text).kind == "yolox"


def test_a_file_that_makes_none_is_none(tmp_path):
    text = "from torch import optim\nlr = 0.1\nimport torch\nx = torch.optim.Optimizer(p, {})\n"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "train.py", text)


def test_an_optimizer_that_is_not_known_is_named(tmp_path):
    lines = ("import paddle", "s = paddle.optimizer.lr.StepDecay(learning_rate=0.1)",
             "o = paddle.optimizer.Adam(parameters=m.parameters())")  # fmt: skip
    said = r"it makes an optimizer that is not known here: paddle\.optimizer\.Adam \(line 5\)"
    with pytest.raises(UnreadableFileError, match=said):
        script(tmp_path, *lines)


def test_several_optimizers_are_chosen_by_number(tmp_path):
    lines = ("g = Adam(a.parameters(), lr=1e-3)", "d = SGD(b.parameters(), lr=1e-2)")
    with pytest.raises(UnreadableFileError, match=r"train\.py:1 \(torch\.optim\.Adam\), .*:2"):
        script(tmp_path, *lines)
    alike = ("g = Adam(a.parameters(), lr=1e-3)", "d = Adam(b.parameters(), lr=1e-3)")
    found = script(tmp_path, *alike)
    note = "it makes 2 optimizers with the same settings, of which this is the first"
    assert (float(found.run.lr), note in found.notes) == (1e-3, True)


GROUPS = """\
no_decay = ["bias", "norm"]
groups = [
    {"params": [p for n, p in m.named_parameters() if not any(d in n for d in no_decay)],
     "weight_decay": 0.1},
    {"params": [p for n, p in m.named_parameters() if any(d in n for d in no_decay)],
     "weight_decay": 0.0},
]
"""


def test_groups_that_are_written_out(tmp_path):
    found = script(tmp_path, GROUPS, "optimizer = AdamW(groups, lr=1e-3, weight_decay=0.3)")
    assert (found.value, found.exempt.rule) == ("0.1", "names with bias or norm")
    assert found.exempt.switch == "groups in line 4"


@pytest.mark.parametrize(
    ("groups", "value", "rule", "own"),
    [
        ("[dict(params=a, weight_decay=5e-4), dict(params=b)]", "5e-4", "b", ()),
        ("[{'params': a}, {'params': b, 'lr': 0.5}]", "0", "nothing", (("0.5", "0"),)),
        ("[{'params': a, 'weight_decay': 0.1}, {'params': b, 'weight_decay': 0.2}]", "0.1",
         "nothing", ((None, "0.2"),)),
        ("[{'params': a, 'weight_decay': 0.1}, {'params': b, 'weight_decay': 0, 'lr': 1}]", "0.1",
         "b", (("1", "0"),)),
        ("[{'params': a, 'weight_decay': WD}, {'params': b}]", None, "b", ()),
        ("[dict(weight_decay=0.1)]", "0.1", "nothing", ()),
        ("[{**a}]", None, "not told: the groups are of [{**a}] (line 3)", ()),
        ("[dict(params=a, weight_decay=0.1), dict(params=[p for n, p in q if n > 'a'])]", "0.1",
         "[p for n, p in q if n > 'a']", ()),
        ("[dict(params=a, weight_decay=0.1), dict(params=[p for n, p in q if any(d for d in e)])]",
         "0.1", "[p for n, p in q if any((d for d in e))]", ()),
        ("[dict(params=a, lr=0.1), dict(params=b, lr=0.3)]", "0", "nothing", (("0.3", "0"),)),
        ("[dict(params=a, lr=1, weight_decay=0), dict(params=b, lr=0.1, weight_decay=0.2)]", "0.2",
         "a", (("1", "0"),)),
    ],
)  # fmt: skip
def test_groups_with_their_own_numbers(tmp_path, groups, value, rule, own):
    found = script(tmp_path, f"optimizer = Adam({groups}, lr=0.1)", after=STEP)
    assert (found.value, found.exempt.rule) == (value, rule)
    extra = [each for each in found.groups if each.name.startswith("line")]
    assert tuple((each.lr, each.weight_decay) for each in extra) == own


def test_an_lr_that_no_group_has_is_not_the_run_s(tmp_path):
    groups = "[dict(params=a, lr=0.1, weight_decay=0), dict(params=b, lr=0.2)]"
    found = script(tmp_path, f"optimizer = AdamW({groups}, lr=1)", after=STEP)
    assert (float(found.run.lr), found.value) == (0.2, "0.01")


def test_an_lr_of_a_group_that_is_not_told_is_said(tmp_path):
    groups = "[dict(params=a, lr=f()), dict(params=b, weight_decay=0)]"
    found = script(tmp_path, f"optimizer = AdamW({groups}, lr=1)", after=STEP)
    said = "lr of the group in line 3 is not told: is computed at run time"
    assert (float(found.run.lr), said in found.notes) == (1, True)
    found = script(tmp_path, "optimizer = AdamW([dict(params=a, lr=f())])", after=STEP)
    assert (found.run.lr, "lr of its group" in quantity(found, "lr").note) == (None, True)


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (("g = [dict(params=a, weight_decay=0.1)]", "g.append(dict(params=b))"),
         "not told: the groups are of g.append(dict(params=b)) (line 4)"),
        (("g = [dict(params=a, weight_decay=0.1)]", "if False: g.append(dict(params=b))",
          "h.append(dict(params=b))"), "nothing"),
        (("g = [dict(params=a, weight_decay=0.1)]", "optimizer.add_param_group(dict(params=b))"),
         "not told: the groups are of add_param_group (line 4)"),
        (("g = [dict(params=a)]", "if False: optimizer.add_param_group(dict(params=b))"),
         "nothing"),
    ],
)  # fmt: skip
def test_groups_that_are_added_to(tmp_path, lines, rule):
    made = "optimizer = SGD(g, lr=0.1, weight_decay=0.2)"
    assert script(tmp_path, *lines, made, after=STEP).exempt.rule == rule


@pytest.mark.parametrize(
    ("given", "value"),
    [("1e-3, (0.9, 0.99), 1e-8, 0.1", "0.1"), ("*options", None), ("1, (0, 0), 1, 0.1, 0", "0.1"),
     ("*options, weight_decay=0.3", "0.3")],
)  # fmt: skip
def test_what_is_given_by_its_place(tmp_path, given, value):
    found = script(tmp_path, f"optimizer = RAdam(m.parameters(), {given})", after=STEP)
    assert found.value == value


@pytest.mark.parametrize(
    ("given", "is_all"),
    [
        ("m.parameters()", True), ("params=m.parameters()", True),
        ("filter(lambda p: p.requires_grad, m.parameters())", True),
        ("[p for p in m.parameters() if p.requires_grad]", True),
        ("(p for p in m.parameters())", True),
        ("list(a.parameters()) + list(b.parameters())", True),
        ("itertools.chain(a.parameters(), b.parameters())", True),
        ("[*a.parameters(), *b.parameters()]", True), ("[]", False), ("groups_of(m)", False),
        ("weights", False), ("list(x)", False),
    ],
)  # fmt: skip
def test_tensors_that_are_handed_over_alike(tmp_path, given, is_all):
    for decay, value in (("", "0"), (", weight_decay=0.2", "0.2")):
        found = script(tmp_path, f"optimizer = SGD({given}, lr=0.1{decay})", after=STEP)
        assert (found.exempt.mask == "all") == is_all
        assert found.value == (value if is_all or decay else None)


def test_no_parameters_at_all(tmp_path):
    assert script(tmp_path, "optimizer = SGD(lr=0.1)", after=STEP).exempt.mask == "all"


def test_parameters_that_stand_for_themselves_end(tmp_path):
    lines = ("def f():", "    global ps", "    ps = ps + list(m.parameters())",
             "    optimizer = SGD(ps, lr=0.1)")  # fmt: skip
    assert script(tmp_path, *lines).value is None


@pytest.mark.parametrize(
    ("loaders", "batch"),
    [
        ("a = DataLoader(x, 32)", 32),
        ("a = DataLoader(x)", 1),
        ("train_dl = DataLoader(x, batch_size=8)\nb = DataLoader(y, batch_size=4)", 8),
        ("b = DataLoader(test_set, batch_size=4)\na = DataLoader(x, batch_size=8)", 8),
        ("a = DataLoader(x, batch_size=8)\nb = DataLoader(y, batch_size=4)", None),
        ("a = DataLoader(x, batch_sampler=s)", None),
        ("a = DataLoader(x, **options)", None),
        ("options = {'batch_size': 16}\na = DataLoader(x, **options)", 16),
        (
            (
                "def train_loader():\n    return DataLoader(x, 5)\n"
                "def val_loader():\n    return DataLoader(x, 6)"
            ),
            5,
        ),
        ("", None),
    ],
)
def test_the_batch_of_the_loader_that_trains(tmp_path, loaders, batch):
    head = "from torch.utils.data import DataLoader"
    assert script(tmp_path, head, "o = SGD(p(), lr=0.1)", loaders).run.batch_size == batch


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("net = torch.nn.parallel.DistributedDataParallel(net)", "world_size"),
        ("accelerator = Accelerator()", "world_size"),
        ("loss = loss / accumulation_steps", "grad_accum"),
        ("with model.no_sync(): pass", "grad_accum"),
        ("f(gradient_accumulation_steps=4)", "grad_accum"),
    ],
)
def test_what_may_make_a_step_larger_leaves_the_batch_open(tmp_path, line, missing):
    lines = ("d = torch.utils.data.DataLoader(x, 32)", "o = SGD(m.parameters(), lr=0.1)", line)
    found = script(tmp_path, *lines)
    assert (found.run.batch_size, missing in found.missing) == (None, True)
    assert script(tmp_path, *lines, **{missing: "4"}).run.examples_per_step == 128


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("loss = loss + sum(p.pow(2).sum() for p in m.parameters())", "a penalty of its own"),
        ("optimizer = LARC(optimizer)", "what the optimizer is wrapped in is not read: LARC"),
        ("optimizer = accelerator.prepare(optimizer)", ""),
        ("for p in m.parameters(): l2 += p.pow(2).sum()", "a penalty of its own"),
        ("for p in m.parameters(): n += p.numel()", ""),
        ("for g in optimizer.param_groups: g['momentum'] = 0.5", "g['momentum'] (line 4)"),
        ("from engine import train\ntrain(m, optimizer)", "another file does with the optimizer"),
        ("from torch import save\nsave(optimizer)", ""),
        ("norm = sum(p.grad.norm(2) for p in m.parameters())", ""),
        ("n = sum(f(g) ** 2 for g in jax.tree.leaves(grads))", ""),
        ("n = sum(f(w ** 2) for w in jax.tree.leaves(params))", "a penalty of its own"),
        ("loss = loss + args.l2_reg * penalty(m)", "args.l2_reg * penalty(m) (line 4)"),
        ("loss = reg_loss * self.reg_param", "a penalty of its own"),
        ("wd = args.weight_decay * 4", ""),
        ("o = Adan(m.parameters(), lr=0.1)", "an optimizer that is not known here: Adan (line 4)"),
        ("o = getattr(torch.optim, name)(params)", "not known here: getattr(torch.optim, name)"),
        ("o = tfa.optimizers.AdamW(learning_rate=0.1)", "not known here: tfa.optimizers.AdamW"),
        ("o = HostedAdam(optimizer, params)", ""),
        ("o = KINDS[name](m.parameters(), lr=0.1)", "not known here: KINDS[name] (line 4)"),
        ("o = kinds[0](m.parameters())", ""),
        ("for p in m.parameters(): p.grad.add_(p.data, alpha=wd)", "a penalty of its own"),
        ("for p in m.parameters(): p.data.mul_(1 - lr * 1e-4)", "a penalty of its own"),
        ("for p in m.parameters(): p.data.mul_(1 - tau)", ""),
        ("o = Adam8bit(8)", ""),
        ("o = AdamW8bit(weight_decay, lr)", "not known here: AdamW8bit (line 4)"),
    ],
)
def test_what_else_a_script_does_is_said(tmp_path, line, said):
    found = script(tmp_path, "optimizer = SGD(m.parameters(), lr=0.1)", line, STEP)
    assert any(said in note for note in found.notes) if said else not found.notes


def test_a_partial_of_a_class_is_that_class(tmp_path):
    lines = ("from functools import partial", "make = partial(SGD, lr=0.1, weight_decay=1e-3)",
             "optimizer = make(m.parameters(), lr=0.5)")  # fmt: skip
    lines = (lines[0], lines[1].replace("SGD", "torch.optim.SGD"), lines[2])
    found = script(tmp_path, *lines, after=STEP)
    assert (found.convention, found.value, float(found.run.lr)) == ("pytorch-sgd", "1e-3", 0.5)
    for unknown in ("torch.optim.SGD, **options", "torch.optim.SGD, m.parameters()"):
        spread = lines[1].replace("torch.optim.SGD", unknown).replace(", weight_decay=1e-3", "")
        assert script(tmp_path, lines[0], spread, lines[2], after=STEP).value is None


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (("optimizer = SGD(m.get_parameters(0.1))",), "the groups may say it"),
        (("optimizer = SGD(m.parameters())", "for g in optimizer.param_groups: g['lr'] = f(t)"),
         "the script sets it in its groups (line 4)"),
        (("optimizer = SGD(m.parameters())", "s = f.lr_scheduler(optimizer)"), None),
    ],
)  # fmt: skip
def test_an_lr_that_is_set_elsewhere_is_not_the_class_s_default(tmp_path, lines, why):
    found = quantity(script(tmp_path, *lines, after=STEP), "lr")
    assert (why in found.note, found.value) == (True, None) if why else found.value == "0.001"


def test_a_loader_of_another_library_has_no_default_batch(tmp_path):
    lines = ("import graphs as g", "d = g.DataLoader(x)", "optimizer = SGD(m.parameters(), lr=1)")
    found = script(tmp_path, *lines, after=STEP)
    assert (found.run.batch_size, quantity(found, "batch_size").note) == (
        None, "the loader is another library's")  # fmt: skip
    lines = ("import torch_geometric as g", *lines[1:])
    assert script(tmp_path, *lines, after=STEP).run.batch_size == 1


def test_what_the_flags_defaults_do_not_reach_is_read_all_the_same(tmp_path):
    lines = ("import argparse", "p = argparse.ArgumentParser()",
             "p.add_argument('--train', action='store_true')", "args = p.parse_args()",
             "if args.train:", "    optimizer = SGD(m.parameters(), lr=0.1)")  # fmt: skip
    assert float(script(tmp_path, *lines, after=STEP).run.lr) == 0.1


def test_a_trainer_that_is_given_an_optimizer_makes_its_schedule(tmp_path):
    made = "optimizer = SGD(m.parameters(), lr=0.1)"
    found = script(tmp_path, made, "Trainer(m, optimizers=(optimizer, None))", after=STEP)
    assert (found.schedule, "the Trainer that is given" in found.notes[0]) == (None, True)
    assert script(tmp_path, made, "f(optimizers=optimizer)", after=STEP).schedule == "constant"


def test_a_decay_that_is_set_anew_is_open(tmp_path):
    lines = ("optimizer = SGD(m.parameters(), lr=0.1, weight_decay=0.1)",
             "args.weight_decay = 3", "for g in optimizer.param_groups: g['weight_decay'] = f(t)",
             STEP)  # fmt: skip
    found = script(tmp_path, *lines)
    assert (found.value, "sets it anew" in quantity(found, "weight_decay").note) == (None, True)


LIGHTNING = """\
import torch
import lightning as L

class Net(L.LightningModule):
    def __init__(self, lr=1e-3, width=8):
        self.save_hyperparameters()

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}}

loader = torch.utils.data.DataLoader(data, batch_size=16)
net = Net(lr=2e-3)
trainer = L.Trainer(max_epochs=50, devices=2, accumulate_grad_batches=4)
"""


def test_a_module_of_lightning(tmp_path):
    found = read(tmp_path, "train.py", LIGHTNING)
    assert (found.value, float(found.run.lr), found.schedule) == (
        "0.01",
        2e-3,
        "cosine:per=1epochs",
    )
    assert (found.run.examples_per_step, found.run.epochs) == (16 * 4 * 2, 50)


@pytest.mark.parametrize(
    ("old", "new", "name", "value"),
    [
        ("max_epochs=50, ", "", "epochs", "1000"),
        ("devices=2, ", "", "world_size", None),
        ("trainer = L.Trainer(max_epochs=50, devices=2, accumulate_grad_batches=4)", "", "epochs",
         None),
        ("trainer = L.Trainer(max_epochs=50, devices=2, accumulate_grad_batches=4)", "",
         "world_size", None),
        ('{"scheduler": scheduler}', '{"scheduler": scheduler, "interval": "step"}',
         "interval", "step"),
        ("net = Net(lr=2e-3)", "", "lr", None),
        ("self.hparams.lr", "self.hparams.height", "lr", None),
    ],
)  # fmt: skip
def test_what_lightning_takes_where_it_is_silent(tmp_path, old, new, name, value):
    found = read(tmp_path, "train.py", LIGHTNING.replace(old, new))
    values = {each.name: each.value for each in found.quantities}
    assert values.get(name) == value


@pytest.mark.parametrize(("often", "value"), [("1", "step"), ("5", None), ("n", None)])
def test_lightning_steps_a_scheduler_as_often_as_it_is_told(tmp_path, often, value):
    new = f'{{"scheduler": scheduler, "interval": "step", "frequency": {often}}}'
    found = read(tmp_path, "train.py", LIGHTNING.replace('{"scheduler": scheduler}', new))
    assert quantity(found, "interval").value == value


ARGUMENTS = """\
from transformers import Trainer, TrainingArguments
args = TrainingArguments("out", learning_rate=2e-5, weight_decay=0.01, num_train_epochs=N)
N = 2
"""


def test_the_arguments_of_the_trainer(tmp_path):
    found = read(tmp_path, "train.py", ARGUMENTS)
    assert (found.kind, found.value, float(found.run.lr)) == ("hf-trainer", "0.01", 2e-5)
    assert (float(found.run.epochs), float(found.run.batch_size)) == (2, 8)


def test_the_lr_of_trl_is_not_the_trainers(tmp_path):
    found = read(tmp_path, "train.py", "import trl\nargs = trl.SFTConfig(weight_decay=0.1)\n")
    assert (found.kind, found.value, found.run.lr) == ("hf-trainer", "0.1", None)


def test_arguments_of_a_name_that_is_not_imported_are_none(tmp_path):
    text = "class TrainingArguments: pass\nx = TrainingArguments()\n"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "train.py", text)
