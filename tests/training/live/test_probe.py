"""The framework as its own oracle: what an optimizer's steps do, beside the catalogue's record."""

import dataclasses
import json
import math
import random
import sys
from struct import pack, unpack

import pytest

import decaycalc
from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import find
from decaycalc.errors import InvalidValueError
from decaycalc.training.live import agreement, torch_trial
from decaycalc.training.live.measured import TrialSetting
from decaycalc.training.live.probe import probe
from decaycalc.training.live.read import training_of
from tests.training.live.frameworks import (
    SGD,
    AdamW,
    Decayed,
    Optimizer,
    Penalised,
    Tensor,
    frozen,
    module,
    one_of_each,
    tensor,
)

__all__ = ["module"]


def made(decay, **attributes):
    """Return a class whose decay takes another share."""
    return type("Homemade", (Decayed,), {"decay": decay, **attributes})


def only(optimizer):
    (group,) = probe(optimizer).groups
    return group


def test_a_decoupled_decay_is_found_and_agrees_with_its_record():
    found = probe(one_of_each())
    assert found.optimizer == "torch.optim.adamw.AdamW"
    assert found.agrees is True
    assert [(each.name, each.n_dims) for each in found.groups] == [
        ("group 0", 1), ("group 0", 2), ("group 1", 1),
    ]  # fmt: skip
    first, _, exempt = found.groups
    assert first.decay_per_step == pytest.approx(6e-6)
    assert first.factor == pytest.approx(1)
    assert (first.measured.acts, first.measured.follows) == ("decoupled", "lr")
    assert first.measured.zero_gradient == pytest.approx(6e-6)
    assert first.measured.no_gradient == 0
    assert first.agreement.expected == pytest.approx(6e-6)
    assert (exempt.decay_per_step, exempt.weight_decay) == (0, 0.1)
    assert decaycalc.probe(one_of_each()).to_dict() == found.to_dict()


def test_without_momentum_coupled_and_decoupled_are_the_same():
    group = only(SGD([tensor(3, 2)], lr=0.1, weight_decay=1e-3))
    assert group.measured.acts == "either"
    assert group.agreement.agrees is True


def test_a_momentum_multiplies_in_the_long_run():
    group = only(SGD([tensor(3, 2)], lr=0.01, weight_decay=0.1, momentum=0.9))
    assert group.measured.acts == "coupled"
    assert group.decay_per_step == pytest.approx(0.0111267858, rel=1e-6)
    assert (group.agreement.convention, group.agreement.agrees) == ("pytorch-sgd", True)


def test_a_planted_factor_of_two_is_found():
    twice = made(lambda _, group: 2 * group["lr"] * group["weight_decay"])
    group = only(twice([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert group.factor == pytest.approx(2)
    assert (group.agreement.agrees, group.agreement.convention) == (None, None)
    claiming = type("AdamW", (twice,), {"__module__": "torch.optim.adamw"})
    found = probe(claiming([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert found.agrees is False
    assert found.groups[0].agreement.reason == "another decay per step"


@pytest.mark.parametrize(
    ("decay", "follows", "times_lr", "factor"),
    [
        (lambda _, group: group["weight_decay"], "constant", False, 1),
        (lambda self, group: group["weight_decay"] * group["lr"] / self.defaults["lr"],
         "multiplier", False, 1),
        (lambda self, group: group["weight_decay"] * group["lr"] ** 2 / self.defaults["lr"],
         "lr-squared", True, 1),
        (lambda _, group: group["weight_decay"] * group["lr"] ** 3, None, False, 1e-9),
    ],
)  # fmt: skip
def test_what_the_decay_is_times_is_found(decay, follows, times_lr, factor):
    group = only(made(decay)([tensor(3, 2)], lr=1e-3, weight_decay=0.01))
    assert group.measured.follows == follows
    assert group.measured.times_lr is times_lr
    assert group.factor == pytest.approx(factor, rel=1e-3)


def test_another_schedule_than_the_records_is_a_disagreement():
    own = made(lambda _, group: group["weight_decay"] * 1e-3, __module__="torch.optim.adamw")
    own.__name__ = "AdamW"
    agreement = only(own([tensor(3, 2)], lr=1e-3, weight_decay=0.1)).agreement
    assert agreement.agrees is False
    assert "follows constant, the record's lr" in agreement.reason


def test_a_coupled_adaptive_decay_takes_no_share():
    group = only(Penalised([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert group.measured.acts == "coupled"
    assert (group.decay_per_step, group.factor) == (None, None)


@pytest.mark.parametrize(
    ("base", "name", "agrees", "words"),
    [
        (Penalised, "Adam", True, ""),
        (Decayed, "Adam", False, "the record has a coupled decay"),
        (Penalised, "AdamW", False, "the steps have a coupled decay"),
    ],
)
def test_where_the_decay_acts_must_be_the_records(base, name, agrees, words):
    kind = type(name, (base,), {"__module__": f"torch.optim.{name.lower()}", "step": base.step})
    agreement = only(kind([tensor(3, 2)], lr=1e-3, weight_decay=0.1)).agreement
    assert agreement.agrees is agrees
    assert words in agreement.reason


def test_a_record_without_a_number_is_not_compared():
    lamb = type("Lamb", (Decayed,), {"__module__": "timm.optim.lamb", "step": Decayed.step})
    found = probe(lamb([tensor(3, 2)]))
    assert found.agrees is None
    assert "trust ratio" in found.groups[0].agreement.reason


def test_a_decay_that_begins_after_some_steps_is_found():
    class Late(Decayed):
        count = 0

        def decay(self, group):
            self.count += 1
            return super().decay(group) if self.count > 5 else 0.0

    group = only(Late([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert group.decay_per_step == pytest.approx(1e-4)
    assert group.measured.zero_gradient == 0


def test_a_decay_that_never_reaches_the_weights_is_none():
    group = only(made(lambda *_: 0.0)([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert (group.decay_per_step, group.measured.follows, group.factor) == (0, None, None)


def test_a_share_that_only_one_lr_has_follows_nothing():
    class Odd(Decayed):
        def step(self):
            if self.param_groups[0]["lr"] == 1e-3:
                return super().step()
            for group, parameter in self.each():
                parameter.add_(Tensor([1.0] * len(parameter.values)), alpha=group["weight_decay"])
            return None

    measured = only(Odd([tensor(3, 2)], lr=1e-3)).measured
    assert (measured.times_lr, measured.follows) == (None, None)


def test_a_decay_after_the_step_takes_its_share_of_the_moved_weight():
    class After(AdamW):
        def step(self):
            for group, parameter in self.each():
                parameter.add_(Tensor([1.0] * len(parameter.values)), alpha=-group["lr"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])

    assert only(After([tensor(3, 2)], lr=0.01)).factor == pytest.approx(1)


def test_an_optimizer_without_an_lr_or_with_one_of_zero_is_probed():
    class Own(Decayed):
        def decay(self, group):
            return (group["lr"] or 1e-2) * group["weight_decay"]

        def step(self):
            for group, parameter in self.each():
                parameter.mul_(1 - self.decay(group))

    none = only(Own([tensor(3, 2)], lr=None, weight_decay=0.1))
    assert (none.measured.follows, none.decay_per_step) == (None, pytest.approx(1e-3))
    assert only(Own([tensor(3, 2)], lr=0.0, weight_decay=0.1)).lr == 1e-3
    own = type("AdamW", (Own,), {"__module__": "torch.optim.adamw", "step": Own.step})
    assert "needs more" in only(own([tensor(3, 2)], lr=None)).agreement.reason


def test_what_needs_a_gradient_is_probed_without_that_part():
    class Needs(AdamW):
        def step(self):
            for group in self.param_groups:
                for parameter in group["params"]:
                    1 / sum(abs(value) for value in parameter.grad.values)
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])

    measured = only(Needs([tensor(3, 2)], lr=0.01)).measured
    assert (measured.zero_gradient, measured.no_gradient) == (None, None)
    assert measured.share == pytest.approx(1e-4)


def test_what_cannot_be_stepped_says_why():
    class Broken(AdamW):
        def step(self):
            raise RuntimeError("needs\na closure")

    class Diverging(AdamW):
        def step(self):
            for _, parameter in self.each():
                parameter.mul_(float("inf"))

    group = only(Broken([tensor(3, 2)]))
    assert "RuntimeError: needs a closure" in group.agreement.reason
    assert (group.measured, group.decay_per_step, group.factor) == (None, None, None)
    assert "diverges" in only(Diverging([tensor(3, 2)])).agreement.reason
    bare = Optimizer([tensor(3, 2)], {"lr": 0.1})
    assert only(bare).agreement.reason == "it has no weight_decay"


class Given(AdamW):
    """A step with arguments of its own; each is needed."""

    def step(self, closure=None, loss=None, hessian=None):
        if (closure is None) == (loss is None):
            raise RuntimeError("needs a loss or a closure")
        if hessian is not None:
            assert [each.shape for each in hessian] == [each["params"][0].shape
                                                        for each in self.param_groups]  # fmt: skip
        super().step()


class Closed(AdamW):
    """As SAM: it clears the gradients, and has a closure set them."""

    def step(self, closure=None):
        if closure is None:
            raise RuntimeError("needs a closure")
        before = self.param_groups[0]["params"][0].grad
        if before is not None:
            before.mul_(0)
        assert closure().values == [1e6]
        super().step()


class Needy(AdamW):
    def step(self, closure):
        closure()
        super().step()


class Narrow(AdamW):
    """It steps in float32 alone."""

    def step(self, *_, **__):
        if self.param_groups[0]["params"][0].dtype != "torch.float32":
            raise RuntimeError("expected float")
        super().step()
        for _, parameter in self.each():
            parameter.values = parameter.float().values


@pytest.mark.parametrize("kind", [Given, Closed, Needy, Narrow])
def test_a_step_is_given_what_its_arguments_ask_for(kind):
    group = only(kind([tensor(3, 2)], lr=0.1, weight_decay=0.2))
    assert group.decay_per_step == pytest.approx(0.02, rel=1e-5)
    assert group.measured.acts == "decoupled"


def test_a_step_that_needs_what_only_a_training_can_tell_says_so():
    class Asking(AdamW):
        def step(self, closure=None, *, attention_logits):
            raise AssertionError(closure, attention_logits)

    reason = only(Asking([tensor(3, 2)])).agreement.reason
    assert "its step needs attention_logits, which only a training can tell" in reason


def test_a_constructor_is_given_what_the_optimizer_has_kept():
    class Counting(AdamW):
        def __init__(self, params, num_data, inner, lr=1e-3, weight_decay=1e-2):
            self.num_data, self.inner = num_data, inner(params, lr=lr, weight_decay=weight_decay)
            super().__init__(self.inner.param_groups)

    optimizer = Counting([tensor(3, 2)], 10, AdamW, lr=0.1, weight_decay=0.2)
    assert only(optimizer).decay_per_step == pytest.approx(0.02)


def test_a_step_that_changes_the_number_of_weights_is_refused():
    class Growing(AdamW):
        def step(self):
            for _, parameter in self.each():
                parameter.values *= 2

    assert "a step changes the number of weights" in only(Growing([tensor(3)])).agreement.reason


def test_a_difference_beyond_float64_is_no_share():
    class Leaping(AdamW):
        def step(self):
            for group, parameter in self.each():
                parameter.values = [-1e308 * group["weight_decay"] for _ in parameter.values]

    found = probe(Leaping([tensor(1)], lr=1e308, weight_decay=1.0))
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_share_beyond_float64_with_the_groups_own_decay_is_null():
    (group,) = probe(AdamW([tensor(3)], weight_decay=0.1)).groups
    far = dataclasses.replace(group, own_weight_decay=1e308, weight_decay=1e-9)
    assert (group.with_own(0.5), far.with_own(0.5)) == (0.5, None)


def test_weights_that_are_gone_lose_no_share():
    class Ending(AdamW):
        def step(self):
            for _, parameter in self.each():
                parameter.mul_(0)

    (group,) = probe(Ending([tensor(3)], weight_decay=0.1)).groups
    assert (group.measured.share, group.measured.zero_gradient) == (None, 1)


@pytest.mark.parametrize("value", [10**400, float("nan"), "x", [1], 1j])
@pytest.mark.parametrize("name", ["lr", "weight_decay"])
def test_a_group_with_what_is_no_number_is_refused(name, value):
    optimizer = AdamW([tensor(3, 2)])
    optimizer.param_groups[0][name] = value
    for answer in (probe, training_of):
        with pytest.raises(InvalidValueError, match=name):
            answer(optimizer)


def test_learning_rates_whose_ratio_is_beyond_float64_are_refused():
    groups = [{"params": [tensor(3)], "lr": lr, "weight_decay": 0} for lr in (1e-200, 1e200)]
    optimizer = AdamW(groups)
    with pytest.raises(InvalidValueError, match="beyond float64's range"):
        decaycalc.inspect(optimizer)


def test_names_and_shapes_that_are_none_are_refused_in_one_line():
    optimizer = AdamW([tensor(3, 2)])
    optimizer.param_groups[0]["param_names"] = [3.5]
    assert training_of(optimizer).tensors[0].name == "3.5"
    optimizer.param_groups[0]["param_names"] = 3.5
    with pytest.raises(InvalidValueError, match="cannot be read: TypeError"):
        training_of(optimizer)
    optimizer.param_groups[0]["params"] = [3.5]
    with pytest.raises(InvalidValueError, match="cannot be probed: AttributeError"):
        probe(optimizer)


@pytest.mark.parametrize(
    ("thing", "words"), [(object(), "no param_groups"), (SGD([]), "has no parameters")]
)
def test_what_is_no_optimizer_is_refused(thing, words):
    with pytest.raises(InvalidValueError, match=words):
        probe(thing)


def test_a_decay_too_small_to_be_seen_is_measured_with_a_larger_one():
    group = only(AdamW([tensor(3, 2)], lr=1e-7, weight_decay=1e-9))
    assert (group.weight_decay, group.own_weight_decay) == (0.1, 1e-9)
    assert group.decay_per_step == pytest.approx(1e-16)
    assert group.to_dict()["zero_gradient"] == pytest.approx(1e-16)
    assert group.to_dict()["expected"] == pytest.approx(1e-16)
    assert group.agreement.agrees is True


def test_an_optimizer_that_counts_in_float32_is_measured_with_a_visible_decay():
    class Rounded(AdamW):
        def step(self):
            super().step()
            for _, parameter in self.each():
                parameter.values = [unpack("f", pack("f", each))[0] for each in parameter.values]

    group = only(Rounded([tensor(3, 2)], lr=1e-3, weight_decay=1e-2))
    assert group.weight_decay == pytest.approx(50)
    assert group.decay_per_step == pytest.approx(1e-5, rel=1e-4)
    assert group.factor == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize(("lr", "momentum"), [(0.1, 0.99), (1e-3, 0.9999)])
def test_under_an_oscillation_or_a_long_buffer_nothing_is_claimed(lr, momentum):
    group = only(SGD([tensor(3, 2)], lr=lr, weight_decay=0.1, momentum=momentum))
    assert (group.decay_per_step, group.agreement.agrees) == (None, None)
    assert "oscillates, or settles too late" in group.agreement.reason
    without = only(SGD([tensor(3, 2)], lr=0.1, weight_decay=0, momentum=0.99))
    assert (without.decay_per_step, without.agreement.agrees) == (0, True)


def test_flags_of_how_a_step_is_carried_out_are_left_out_of_a_copy():
    class Strict(AdamW):
        def __init__(self, params, *, capturable=False, **more):
            super().__init__(params, **more)
            for group in self.param_groups:
                group.setdefault("capturable", capturable)

        def step(self):
            assert not self.param_groups[0]["capturable"]
            super().step()

    assert only(Strict([tensor(3, 2)], capturable=True)).agreement.reason.startswith("the class")


def test_an_lr_that_the_optimizer_keeps_in_a_tensor_stays_one():
    class Cell:
        def __init__(self, value):
            self.value = value

        def fill_(self, value):
            self.value = value

        def __float__(self):
            return self.value

    class Boxed(AdamW):
        def __init__(self, params, lr=1e-3, **more):
            super().__init__(params, lr=lr, **more)
            for group in self.param_groups:
                group["lr"] = Cell(float(group["lr"]))

        def step(self):
            for group, parameter in self.each():
                parameter.mul_(1 - group["lr"].value * group["weight_decay"])

    group = only(Boxed([tensor(3, 2)], lr=1e-3, weight_decay=0.1))
    assert (group.factor, group.measured.follows) == (pytest.approx(1), "lr")


def test_a_schedule_free_optimizer_is_set_to_train():
    class Free(Decayed):
        training = False

        def train(self):
            self.training = True

        def decay(self, group):
            return super().decay(group) if self.training else 0.0

    assert only(Free([tensor(3, 2)], lr=0.01)).factor == pytest.approx(1)


def test_everything_stays_as_it_was(monkeypatch):
    class Generator:
        state = "the user's own"

        def get_state(self):
            return self.state

        def manual_seed(self, seed):
            self.state = seed

        def set_state(self, state):
            self.state = state

    generator = Generator()
    root = Tensor.__module__.partition(".")[0]
    monkeypatch.setattr(sys.modules[root], "default_generator", generator, raising=False)
    optimizer = one_of_each()
    optimizer.param_groups[0]["params"][0].grad = Tensor([1.0] * 12)
    before, drawn = frozen(optimizer), random.getstate()
    probe(optimizer)
    assert frozen(optimizer) == before
    assert random.getstate() == drawn
    assert generator.state == "the user's own"


def expected(key, optimizer, *, lr=1e-3, weight_decay=0.1):
    (group,) = optimizer.param_groups
    trial = torch_trial.trial_of(optimizer, group, group["params"][0])
    setting = TrialSetting(trial=trial, lr=lr, weight_decay=weight_decay)
    return agreement._expected(find(key), setting)


def test_what_a_record_expects_is_its_own_part_of_the_decay():
    one = Optimizer([tensor(2)], {"lr": 1e-3, "lambd": 1e-4, "wd_ratio": 0.1, "eta": (1, 2)})
    assert expected("pytorch-asgd", one) == pytest.approx([1e-4])
    assert expected("timm-adamp", one) == pytest.approx([1e-5, 1e-4])
    wrong = Optimizer([tensor(2)], {"momentum": 2.0, "lr": 1e-3})
    assert expected("pytorch-sgd", wrong) == []


def test_the_command_reports_and_ends_with_one_where_the_catalogue_differs(module, capsys):
    twice = made(lambda _, group: 2 * group["lr"] * group["weight_decay"])
    claiming = type("AdamW", (twice,), {"__module__": "torch.optim.adamw"})
    name = module(
        good=one_of_each,
        fixed=lambda: made(lambda _, group: group["weight_decay"])([tensor(3, 2)], lr=1e-3),
        bad=lambda: claiming([tensor(3, 2)], lr=1e-3, weight_decay=0.1),
        penalty=lambda: Penalised([tensor(3, 2)]),
        lamb=lambda: type("Lamb", (Decayed,), {"__module__": "timm.optim.lamb",
                                               "step": Decayed.step})([tensor(3, 2)]),
        adam=lambda: type("Adam", (Decayed,), {"__module__": "torch.optim.adam",
                                               "step": Decayed.step})([tensor(3, 2)]),
        none=lambda: Optimizer([tensor(3, 2)], {"lr": 0.1}),
    )  # fmt: skip
    assert main(["probe", f"{name}:good"]) == 0
    out = capsys.readouterr().out
    assert "pytorch-adamw agrees" in out
    assert " lr·λ" in out
    assert main(["probe", f"{name}:bad", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["agrees"] is False
    assert main(["probe", f"{name}:bad"]) == 1
    out = capsys.readouterr().out
    assert "differs, expects 0.0001" in out
    assert " 2·lr·λ" in out
    assert main(["probe", f"{name}:adam"]) == 1
    for other, words in (
        ("penalty", "no share"),
        ("lamb", "no number"),
        ("fixed", " λ "),
        ("none", "unknown"),
    ):
        assert main(["probe", f"{name}:{other}"]) == 0
        assert words in capsys.readouterr().out
    assert main(["probe", f"{name}:good", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("name,")


def test_a_momentum_that_is_none_leaves_the_decay_that_is_probed_with_a_number():
    for momentum in (-math.inf, -3.0, math.nan):
        assert only(SGD([tensor(3, 2)], lr=0.1, momentum=momentum)).weight_decay == 0.1


class Lion(Decayed):
    """lion-pytorch's: the lr and a flag of the constructor are kept, by names of their own."""

    __module__ = "lion_pytorch.lion_pytorch"

    def __init__(self, params, lr=1e-3, weight_decay=0.0, decoupled_weight_decay=False,  # noqa: FBT002
                 use_triton=False):  # noqa: FBT002  # fmt: skip
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        self.decoupled_wd, self._init_lr = decoupled_weight_decay, lr
        if use_triton:
            sys.exit("no triton here")

    def decay(self, group):
        share = super().decay(group)
        return share / self._init_lr if self.decoupled_wd else share


class Optimi(Decayed):
    """optimi's: the decay counts from max_lr, the constructor's lr unless it is said."""

    __module__ = "optimi.adamw"

    def __init__(self, params, lr, weight_decay=0.0, max_lr=None, decouple_lr=True):  # noqa: FBT002
        super().__init__(params, lr=lr, weight_decay=weight_decay)
        more = {"max_lr": max_lr or lr, "decouple_lr": decouple_lr}
        self.defaults |= more
        self.param_groups = [{**more, **group} for group in self.param_groups]

    def decay(self, group):
        return super().decay(group) / group["max_lr"]


Optimi.__name__ = "AdamW"
HALVES = ({"params": [tensor(3, 2)]}, {"params": [tensor(3, 2)], "lr": 2e-3})


def shrinks(optimizer):
    return [group["shrink"] for group in decaycalc.inspect(optimizer).to_dict()["groups"]]


@pytest.mark.parametrize(
    ("optimizer", "shares"),
    [
        (Lion(HALVES, weight_decay=0.01, decoupled_weight_decay=True), [0.01, 0.02]),
        (Lion(HALVES, weight_decay=0.01), [1e-5, 2e-5]),
        (Lion(HALVES[1:], weight_decay=0.01, decoupled_weight_decay=True), [0.02]),
        (Optimi(HALVES, lr=1e-3, weight_decay=0.01), [0.01, 0.02]),
        (Optimi(HALVES, lr=1e-3, weight_decay=0.01, max_lr=4e-3), [0.0025, 0.005]),
    ],
)
def test_a_decay_counts_from_the_lr_that_the_optimizer_was_built_with(optimizer, shares):
    # Each share by lion_pytorch.Lion 0.2.5 and optimi.AdamW 0.3.3 with these groups.
    found = probe(optimizer)
    assert [group.decay_per_step for group in found.groups] == pytest.approx(shares)
    assert found.agrees is True
    assert shrinks(optimizer) == pytest.approx(shares)
