"""Every rule by a run that it finds and one that it leaves alone; codes, selections, comments."""

from collections.abc import Callable

import pytest

from decaycalc.conventions.run import Run
from decaycalc.errors import UnknownNameError
from decaycalc.findings.options import RuleChoice
from decaycalc.findings.record import Level, Subject
from decaycalc.findings.rules import RULES, chosen, comments_of, find_rule, findings
from decaycalc.training.measure import Figures
from decaycalc.training.record import (
    Course,
    Exemption,
    Group,
    GroupedTensor,
    Origin,
    Sourced,
    Training,
)

ADAMW = {"convention": "pytorch-adamw", "value": "0.1"}
SGD = {"convention": "pytorch-sgd", "value": "1e-4"}


def quantity(name, value, origin=Origin.FILE, **more):
    return Sourced(name=name, value=value, origin=origin, **more)


def subject(figures=None, **fields):
    training = Training(source="a", kind="b", title="c", exempt=Exemption(rule="nothing"), **fields)
    return Subject(training=training, figures=figures or Figures())


def tensor(name, *shape, groups=("a",), decays=True):
    return GroupedTensor(name=name, shape=shape, groups=groups, decays=decays)


NET = (
    tensor("fc.weight", 4, 3),
    tensor("fc.bias", 4, groups=("b",), decays=False),
    tensor("norm.weight", 4, groups=("b",), decays=False),
)
MISSING = quantity("world_size", "1", Origin.DEFAULT)
CASES: dict[str, tuple[Callable[[], Subject], Callable[[], Subject]]] = {
    "DC101": (
        lambda: subject(convention="pytorch-adam", value="0.1"),
        lambda: subject(convention="pytorch-adam", value="0"),
    ),
    "DC102": (
        lambda: subject(refusal="the Trainer does not pass weight_decay to galore"),
        lambda: subject(refusal="x has no convention here"),
    ),
    "DC103": (
        lambda: subject(refusal="x has no convention here"),
        lambda: subject(convention="no-such-convention", value="1"),
    ),
    "DC104": (
        lambda: subject(quantities=(quantity("weight_decay", "0", Origin.DEFAULT, where="x"),)),
        lambda: subject(quantities=(quantity("weight_decay", "0"),)),
    ),
    "DC105": (
        lambda: subject(**SGD, run=Run(momentum="0.9")),
        lambda: subject(**ADAMW, run=Run(momentum="0.9")),
    ),
    "DC106": (lambda: subject(run=Run(loss="batch-sum")), lambda: subject(run=Run(loss="mean"))),
    "DC107": (
        lambda: subject(convention="keras-sgd-micro-step", value="1", run=Run(grad_accum=4)),
        lambda: subject(convention="keras-sgd-micro-step", value="1", run=Run(grad_accum=1)),
    ),
    "DC108": (
        lambda: subject(
            quantities=(
                quantity("weight_decay", "5e-4"),
                quantity("value", "5.6e-4", Origin.DERIVED, where="times B/nbs"),
            )
        ),
        lambda: subject(quantities=(quantity("weight_decay", "1"), quantity("value", "1"))),
    ),
    "DC109": (
        lambda: subject(quantities=(quantity("lr", "0.01", Origin.DERIVED, note="is ignored"),)),
        lambda: subject(quantities=(quantity("lr", "0.01", Origin.DERIVED),)),
    ),
    "DC110": (
        lambda: subject(convention="dynet-weight-decay", value="0.1", schedule="cosine"),
        lambda: subject(convention="dynet-weight-decay", value="0.1", schedule="constant"),
    ),
    "DC111": (
        lambda: subject(
            quantities=(quantity("configured_weight_decay", "0.1"),),
            groups=(Group(name="a", weight_decay="0.01"), Group(name="b", weight_decay=None)),
        ),
        lambda: subject(
            quantities=(quantity("configured_weight_decay", "1e-1"),),
            groups=(Group(name="a", weight_decay="0.1"), Group(name="b", weight_decay="0")),
        ),
    ),
    "DC201": (lambda: subject(tensors=(tensor("a", 4), tensor("b", 2, 2))),
              lambda: subject(tensors=NET)),
    "DC202": (
        lambda: subject(tensors=(*NET, tensor("ln.weight", 4))),
        # A flat shard beside the model's own parameters, which no group holds.
        lambda: subject(tensors=(tensor("flat", 9), tensor("b", 4, groups=(), decays=False))),
    ),
    "DC203": (
        lambda: subject(
            groups=(Group(name="a", weight_decay="0.1"), Group(name="b", weight_decay="0")),
            tensors=(tensor("flat", 99, decays=False),),
        ),
        lambda: subject(groups=(Group(name="a", weight_decay="0"),),
                        tensors=(tensor("flat", 99, decays=False),)),
    ),
    "DC204": (lambda: subject(tensors=(tensor("tok_embed.weight", 4, 3), *NET)),
              lambda: subject(tensors=NET)),
    "DC205": (lambda: subject(tensors=(tensor("w", 2, 2, groups=("a", "b")),)),
              lambda: subject(tensors=NET)),
    "DC206": (lambda: subject(tensors=(*NET, tensor("lost", 2, 2, groups=(), decays=False))),
              lambda: subject(tensors=NET)),
    "DC207": (
        lambda: subject(tensors=(*NET, tensor("lora_B.weight", 2, 2, groups=("c",), decays=False))),
        lambda: subject(tensors=(*NET, tensor("wte.weight", 9, 2, groups=("c",), decays=False))),
    ),
    "DC208": (lambda: subject(tensors=(tensor("lora_A.weight", 2, 2),)),
              lambda: subject(tensors=(tensor("lora_A.weight", 2, 2, decays=False),))),
    "DC209": (
        lambda: subject(groups=(Group(name="a", lr="0.1", selector="lr_scale 0.5"),
                                Group(name="b", lr="0.1"))),
        lambda: subject(groups=(Group(name="a", lr="0.1", selector="lr_scale 0.5"),
                                Group(name="b", lr="0.2"))),
    ),
    "DC301": (lambda: subject(Figures(sum_shrink=0.001)), lambda: subject(Figures(sum_shrink=0.2))),
    "DC302": (
        lambda: subject(Figures(timescale_run_fraction=40.0, sum_shrink=0.02)),
        lambda: subject(Figures(timescale_run_fraction=427.0, sum_shrink=0.001)),
    ),
    "DC303": (
        lambda: subject(Figures(timescale_epochs=0.5), run=Run(epochs=3)),
        lambda: subject(Figures(timescale_epochs=0.5), run=Run(epochs=1)),
    ),
    "DC304": (lambda: subject(Figures(survival=1e-9)), lambda: subject(Figures(survival=0.1))),
    "DC401": (
        lambda: subject(Figures(shrink=5e-7), quantities=(quantity("dtype", "bfloat16", line=12),)),
        lambda: subject(Figures(shrink=0.1), quantities=(quantity("dtype", "bfloat16"),)),
    ),
    "DC402": (lambda: subject(Figures(shrink=5e-9)), lambda: subject(Figures(shrink=5e-7))),
    "DC403": (lambda: subject(Figures(shrink=1.4)), lambda: subject(Figures(shrink=1.0))),
    "DC501": (lambda: subject(quantities=(MISSING,)), subject),
    "DC502": (lambda: subject(not_used=("wd2",)), subject),
    "DC503": (lambda: subject(alternatives=(subject().training,)), subject),
    "DC504": (lambda: subject(missing=("lr",)), subject),
    "DC505": (
        lambda: subject(quantities=(quantity("schedule", None, Origin.MISSING, where="sched"),)),
        lambda: subject(quantities=(quantity("schedule", None, Origin.MISSING),)),
    ),
}  # fmt: skip


def codes(run):
    return {finding.code for finding in findings(run)}


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_a_rule_finds_its_run_and_leaves_another_alone(code):
    hit, miss = CASES[code]
    assert code in codes(hit())
    assert code not in codes(miss())


@pytest.mark.parametrize(
    ("total", "share"), [(0.0012, "0.12 %"), (9.39e-3, "0.94 %"), (3e-7, "3e-05 %")]
)
def test_what_a_run_takes_off_is_told_in_per_cent(total, share):
    (found,) = (
        each for each in findings(subject(Figures(sum_shrink=total))) if each.code == "DC301"
    )
    assert f"takes {share} off" in found.message


def test_a_live_schedulers_lr_that_falls_counts_as_a_schedule():
    def falling(*lrs):
        groups = (Group(name="a", course=Course(lrs=lrs)),)
        return subject(convention="dynet-weight-decay", value="0.1", groups=groups)

    assert "DC110" in codes(falling(1.0, 0.5))
    assert "DC110" not in codes(falling(1.0, 1.0))


def test_codes_and_names_are_each_one_rule_s():
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert [rule.code for rule in RULES] == sorted(rule.code for rule in RULES)


def test_a_rule_is_found_by_code_and_name():
    assert find_rule("dc301") is find_rule("next-to-nothing")
    with pytest.raises(UnknownNameError, match="DC301"):
        find_rule("DC3011")


def test_the_gravest_comes_first_and_a_flat_network_says_why():
    found = findings(CASES["DC203"][0]())
    assert found[0].level is Level.ERROR
    assert "flat" in found[0].message
    whole = subject(value="0.1", tensors=(tensor("w", 2, 2, decays=False),))
    assert findings(whole)[0].message == "no tensor decays"


def test_many_tensors_are_named_by_the_first():
    many = tuple(tensor(f"t{at}", 2, 2, groups=(), decays=False) for at in range(5))
    (found,) = findings(subject(tensors=many), select=chosen(["DC206"]))
    assert found.message.endswith("t0, t1, t2 and 2 more")


def test_rules_are_selected_by_beginnings_and_ignored_by_name():
    assert chosen(["DC5", "lora"]) == {"DC501", "DC502", "DC503", "DC504", "DC505", "DC208"}
    run = subject(quantities=(MISSING,), missing=("lr",))
    assert {each.code for each in findings(run, select=chosen(["DC501"]))} == {"DC501"}
    assert {each.code for each in findings(run, ignore=chosen(["DC501"]))} == {"DC504"}
    with pytest.raises(UnknownNameError):
        chosen(["DC9"])


def test_comments_ignore_on_their_line_or_in_the_whole_file():
    text = "# decaycalc: ignore DC501, DC504\nlr: 1  # decaycalc: ignore DC104\n"
    assert comments_of(text) == {0: {"DC501", "DC504"}, 2: {"DC104"}}
    run = subject(
        quantities=(MISSING, quantity("weight_decay", "5", line=2), quantity("value", "6"))
    )
    found = {each.code for each in findings(run, comments=comments_of(text))}
    assert found == {"DC108"}
    on_the_line = {2: frozenset({"DC108"})}
    assert "DC108" not in {each.code for each in findings(run, comments=on_the_line)}


@pytest.mark.parametrize(
    ("level", "fails"), [("error", 1), ("warning", 2), ("note", 3), ("never", 0), (None, 2)]
)
def test_the_level_from_which_a_check_fails(level, fails):
    run = subject(Figures(shrink=1.4), convention="pytorch-adam", value="0.1", missing=("lr",))
    choice = RuleChoice.of((), (), level)
    assert sum(map(choice.fails, findings(run))) == fails
    with pytest.raises(UnknownNameError, match="warning"):
        RuleChoice.of((), (), "warn")
