"""Grouped answers: a question's answer, with what each group of its run gets beside it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from decaycalc import answers
from decaycalc.answers import Answer, Question
from decaycalc.conversion.convert import Conversion, check_value
from decaycalc.errors import InvalidValueError, MissingQuantityError
from decaycalc.inspection import GroupDecay, group_decays
from decaycalc.record import replace
from decaycalc.training.chosen import typed
from decaycalc.training.groups import grouped, other_run
from decaycalc.training.reading.numbers import decimal_text

if TYPE_CHECKING:
    from decaycalc.training.record import ConvertedGroupJson, GroupNumberJson, Training


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAnswer:
    """A group's decay, and its number in each target that is asked for; an exempt one has none."""

    decay: GroupDecay
    conversions: tuple[Conversion, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said where its decay does not just shrink a weight."""
        return self.decay.warnings

    def to_dict(self) -> "ConvertedGroupJson":
        """Return the group as JSON's `groups` of `convert` holds it."""
        return {**self.decay.to_dict(), "conversions": self.numbers()}

    def numbers(self) -> "list[GroupNumberJson]":
        """Return the group's numbers elsewhere as JSON holds them."""
        return [
            {"convention": to.convention.key, "value": to.value, "lr": to.lr}
            for to in self.conversions
        ]


def grouped_answer(question: Question) -> Answer:
    """Return everything that is to be said about a weight decay, of each group where it has any.

    Raises:
        MissingQuantityError: groups without a value to multiply.
        DecaycalcError: as `answers.answer_of`; or a rule that is malformed, or fits no tensor.
    """
    reply = answers.answer_of(question)
    found = group_answers(question, training_of(question))
    warnings = (text for each in found for text in each.warnings)
    return replace(reply, groups=found, warnings=(*reply.warnings, *warnings))


def training_of(question: Question) -> "Training":
    """Return the run that a question is about, with a value that its groups may multiply.

    Raises:
        MissingQuantityError: it has none.
    """
    if question.value is None:
        raise MissingQuantityError("a group", ("value",))
    value = decimal_text(check_value(question.value, question.source))
    return typed(
        value=value,
        source=question.source,
        run=question.run,
        schedule=question.schedule,
        decay_schedule=question.decay_schedule,
    )


def group_answers(question: Question, training: "Training") -> tuple[GroupAnswer, ...]:
    """Return what each group gets that a question's rules make of a run.

    Raises:
        DecaycalcError: a rule that is malformed, or fits no tensor.
    """
    decays = _group_decays(question, training)
    return tuple(group_answer(question, training, each) for each in decays)


def _group_decays(question: Question, training: "Training") -> tuple[GroupDecay, ...]:
    """Return the decays of the groups that a question's rules make of a run."""
    network, mask = question.architecture, question.mask
    return group_decays(grouped(training, question.groups, architecture=network, mask=mask))


def group_answer(question: Question, training: "Training", each: GroupDecay) -> GroupAnswer:
    """Return a group of a run with its number in each target.

    Raises:
        DecaycalcError: it has none there.
    """
    is_exempt = not each.figures.shrink and each.weight_decay == 0
    if not question.targets or is_exempt:
        return GroupAnswer(decay=each, conversions=())
    found = answers.answer_of(_own_question(question, training, each))
    return GroupAnswer(decay=each, conversions=found.conversions)


def _own_question(question: Question, training: "Training", each: GroupDecay) -> Question:
    """Return the question that is asked of a group alone."""
    own = each.training
    there = other_run(training, own, question.target_run)
    return replace(question, run=own.run, value=own.value, target_run=there, groups=())


def answer_of_group(question: Question) -> tuple[GroupDecay, Answer]:
    """Return the group that a question's one rule makes, and the answer for it alone.

    Raises:
        InvalidValueError: there are several rules.
        DecaycalcError: as `answers.answer_of`.
    """
    if len(question.groups) > 1:
        raise InvalidValueError("group", list(question.groups), "must be one rule")
    training = training_of(question)
    decays = _group_decays(question, training)
    # A rule that changes nothing makes no group: its tensors have the run's own numbers.
    named = {each.group.name: each for each in reversed(decays)}
    own = named.get(question.groups[0].rpartition(":")[0], decays[0])
    return own, answers.answer_of(_own_question(question, training, own))
