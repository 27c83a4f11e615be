"""Hydra's composed configurations."""

from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
model:
  optimizer:
    _target_: torch.optim.Adam
    _partial_: true
    lr: 0.002
    weight_decay: 0.0001
data:
  batch_size: 64
trainer:
  max_epochs: 10
"""


def test_what_stands_under_usual_names_is_found_and_unsure(tmp_path):
    found = read(tmp_path, "config.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("hydra", "pytorch-adam", "0.0001")
    assert (found.run.examples_per_step, float(found.run.epochs)) == (64, 10)
    assert "unsure" in quantity(found, "batch_size").note
    assert shrink(found) is None
    assert found.schedule == "constant"


def test_a_scheduler_has_no_text_here(tmp_path):
    text = FILE + "scheduler:\n  _target_: torch.optim.lr_scheduler.StepLR\n"
    assert read(tmp_path, "config.yaml", text).schedule is None


def test_other_files_are_named_as_not_read(tmp_path):
    found = read(tmp_path, "config.yaml", FILE + "defaults:\n  - model: a\n")
    assert any("`defaults:`" in note for note in found.notes)


def test_the_optimizer_may_lie_deep_or_not_be_there(tmp_path):
    deep = "a:\n  b:\n    c:\n      optim:\n        _target_: torch.optim.SGD\n        lr: 1\n"
    found = read(tmp_path, "a.yaml", deep, kind="hydra")
    assert found.convention == "pytorch-sgd"
    none = read(tmp_path, "b.yaml", "a: 1\nb:\n  _target_: x.Y\n  c: {d: {}}\n", kind="hydra")
    assert none.value is None
    endless = "".join(f"{'  ' * depth}k:\n" for depth in range(9)) + "  " * 9 + "x: 1\n"
    assert read(tmp_path, "c.yaml", endless, kind="hydra").value is None


def test_a_schedule_under_another_name_is_not_passed_over(tmp_path):
    text = FILE.replace("    lr: 0.002\n", "    lr: 0.002\n    sched: {name: Noam}\n")
    found = read(tmp_path, "config.yaml", text.replace("max_epochs: 10", "max_epochs: -1"))
    assert (found.schedule, found.run.epochs) == (None, None)
