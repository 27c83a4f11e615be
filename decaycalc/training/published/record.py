"""Recipe: one published training run with its weight decay, as its source states it."""

from decaycalc.algebra.quantity import Number
from decaycalc.conventions.run import Loss, Run
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record


class Recipe(Record):
    """One published training run.

    Numbers are decimals as the source types them; what it does not state is None. `batch_size`
    is B, the examples of one optimizer step, and `dataset_size` N, both in `unit`. `schedule` is
    the text of `--schedule`, None where the run waited for a plateau or the source is silent;
    `decay_schedule` is that of `--decay-schedule`, None where the decay stays.
    `read_as` names the convention by whose rule the decay is compared where the recipe's own has
    no scalar (LAMB); the note then says so. `checked` is the file and the commit that the numbers
    were read in again, the part of a paper that was read in a copy of its text, or "paper, not
    opened" (or card, page) where it was not. `note` also
    tells what the fields cannot hold. `mask` is the decay mask that exempts what
    `exempt` says, None where none does.
    """

    name: str
    title: str
    convention: str | None
    source: str
    value: str | None = None
    read_as: str | None = None
    lr: str | None = None
    momentum: str | None = None
    dampening: str | None = None
    nesterov: bool = False
    batch_size: int | None = None
    dataset_size: int | None = None
    unit: str = "examples"
    epochs: str | None = None
    steps: int | None = None
    drop_last: bool = False
    loss: Loss | Number = Loss.MEAN
    schedule: str | None = None
    decay_schedule: str | None = None
    betas: tuple[str, str] | None = None
    eps: str | None = None
    exempt: str | None = None
    mask: str | None = None
    n_parameters: int | None = None
    note: str = ""
    checked: str = "paper, not opened"

    def __post_init__(self) -> None:
        """Check the record against itself, its run included.

        Raises:
            InvalidValueError: a recipe without a source or with a name that is no slug.
        """
        if not self.source:
            raise InvalidValueError("source", self.source, f"must be stated in {self.name!r}")
        if (
            not self.name.replace("-", "").replace(".", "").isalnum()
            or self.name.lower() != self.name
        ):
            raise InvalidValueError("recipe name", self.name, "must be lower case with hyphens")

    def run(self) -> Run:
        """Return the recipe's run.

        Raises:
            InvalidValueError: a quantity out of its domain.
            ContradictionError: quantities that cannot hold together.
        """
        return Run(
            lr=self.lr,
            momentum=self.momentum,
            dampening=self.dampening,
            nesterov=self.nesterov or None,
            batch_size=self.batch_size,
            dataset_size=self.dataset_size,
            epochs=self.epochs,
            steps=self.steps,
            drop_last=self.drop_last,
            loss=None if self.loss is Loss.MEAN else self.loss,
        )
