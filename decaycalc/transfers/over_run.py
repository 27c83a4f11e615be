"""What the moved decays leave of a weight over the new run, by the run's schedules."""

from decaycalc.errors import DecaycalcError
from decaycalc.record import replace
from decaycalc.training.chosen import typed
from decaycalc.training.record import Training
from decaycalc.transfers.records import RuleNumbers, Transfer


def moved_training(training: Training, moved: Transfer, rule: RuleNumbers) -> Training:
    """Return the new run by one rule: its convention, number and lr, its own schedules kept."""
    target = moved.move.destination
    run = replace(moved.target_run, lr=rule.lr)
    return replace(training, own=target, value=repr(rule.value), run=run)


def follow_schedules(
    moved: Transfer, *, schedule: str | None = None, decay_schedule: str | None = None
) -> Transfer:
    """Return a transfer whose rules follow these schedules over the new run.

    Raises:
        DecaycalcError: the decay cannot follow them.
    """
    own = typed(run=moved.move.run, schedule=schedule, decay_schedule=decay_schedule)
    return over_the_run(moved, own, asked=True)


def over_the_run(moved: Transfer, training: Training, *, asked: bool) -> Transfer:
    """Return a transfer whose rules have the sum of the decays and what is left over the new run.

    They stay open without a schedule of the lr or of the decay, and where a rule's lr is open.
    `asked` is whether a schedule was given: a published run's or a file's that does not fit the new
    run leaves them open too.

    Raises:
        DecaycalcError: a schedule was given, and the decay cannot follow it over the new run.
    """
    if training.schedule is None and training.decay_schedule is None:
        return moved
    rules = []
    for rule in moved.rules:
        if rule.lr is None and training.run.lr is not None:
            rules.append(rule)  # its lr is not known, as the batch it scales with is not
            continue
        try:
            total, left = _followed(moved_training(training, moved, rule))
        except DecaycalcError:
            if asked:
                raise
            return moved
        rules.append(replace(rule, sum_shrink=total, survival=left))
    return replace(moved, rules=tuple(rules))


def _followed(training: Training) -> tuple[float, float]:
    """Return the sum of a run's decays, and the share that they leave of an undriven weight."""
    # Imported here: numpy is a third of a start, and most moves name no schedule.
    from decaycalc.survival.scheduled import follow_decay  # noqa: PLC0415

    assert training.record is not None  # noqa: S101  (there is a number to follow)
    followed = follow_decay(
        training.value or 0, source=training.record, run=training.run,
        schedule=training.schedule or "constant", decay_schedule=training.decay_schedule,
        n_points=2,
    )  # fmt: skip
    return followed.decay.sum_shrink, followed.decay.survival
