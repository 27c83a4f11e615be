"""The λ that was configured beside the one that a live optimizer's groups hold."""

import pytest

import decaycalc
from decaycalc.errors import ContradictionError, InvalidValueError
from tests.training.live.frameworks import AdamW, tensor
from tests.training.live.test_scheduler import Falling


def made(*decays, **more):
    groups = [{"params": [tensor(2, 2)], "weight_decay": decay} for decay in decays]
    return AdamW(groups, **more)


def codes(optimizer, **more):
    return {each.code for each in decaycalc.inspect(optimizer, **more).findings}


@pytest.mark.parametrize(
    ("decays", "more"),
    [
        ((0.1, 0.0), {}),  # the constructor was given nothing
        ((0.1, 0.0), {"weight_decay": 0.01}),  # what it has by itself
        ((0.1, 0.0), {"weight_decay": 0.1}),
        ((0.1,), {"weight_decay": 0.0}),  # timm's and others' way: the groups say all
    ],
)
def test_groups_that_hold_what_is_configured_are_left_alone(decays, more):
    assert "DC111" not in codes(made(*decays, **more))


@pytest.mark.parametrize("decays", [(0.01, 0.0), (0.0,)])
def test_a_constructors_number_that_no_group_holds_is_found(decays):
    optimizer = made(*decays, weight_decay=0.1)
    assert "DC111" in codes(optimizer)
    (said,) = [each for each in decaycalc.inspect(optimizer).training.quantities
               if each.name == "configured_weight_decay"]  # fmt: skip
    assert (said.value, said.where) == ("0.1", "the constructor")


def test_a_schedule_of_the_decay_is_meant():
    class Rising(Falling):
        def step(self):
            super().step()
            self.optimizer.param_groups[0]["weight_decay"] = 0.04 + 0.01 * self.last_epoch

    optimizer = made(0.04, weight_decay=0.5)
    scheduler = Rising(optimizer)
    assert "DC111" not in codes(optimizer, scheduler=scheduler, steps=5)


def test_a_file_or_a_published_run_says_what_was_configured(tmp_path):
    optimizer = made(0.01, 0.0, weight_decay=0.05)
    found = decaycalc.inspect(optimizer, configured="gpt-2-124m-nanogpt")
    (stale,) = [each for each in found.findings if each.code == "DC111"]
    assert "weight_decay 0.1 is configured, but the groups hold 0.01, 0" in stale.message
    assert "DC111" not in codes(made(0.1, 0.0), configured="gpt-2-124m-nanogpt")
    path = tmp_path / "args.yaml"
    path.write_text("opt: adamw\nlr: 1e-3\nweight_decay: 0.05\nwarmup_epochs: 5\n")
    (stale,) = [each for each in decaycalc.inspect(optimizer, configured=str(path)).findings
                if each.code == "DC111"]  # fmt: skip
    assert (stale.where, stale.line) == (str(path), 3)


def test_a_configuration_of_another_rule_or_of_no_number_is_refused(tmp_path):
    with pytest.raises(ContradictionError, match="do not follow one rule"):
        decaycalc.inspect(made(0.1), configured="resnet-50-he")
    path = tmp_path / "a.json"
    path.write_text(
        '{"optim": "galore_adamw", "learning_rate": 1e-4, "output_dir": "o",'
        ' "per_device_train_batch_size": 8, "num_train_epochs": 3}'
    )
    with pytest.raises(ContradictionError, match="configures no weight decay"):
        decaycalc.inspect(made(0.1), configured=str(path))
    with pytest.raises(InvalidValueError, match="beside a live optimizer"):
        decaycalc.inspect("resnet-50-he", configured="resnet-50-he")


def test_an_optimizer_of_a_class_without_that_option_was_given_none():
    class Own(AdamW):
        def __init__(self, params):
            super().__init__(params, weight_decay=0.3)

    optimizer = Own([tensor(2, 2)])
    optimizer.param_groups[0]["weight_decay"] = 0.2
    assert "DC111" not in codes(optimizer)
