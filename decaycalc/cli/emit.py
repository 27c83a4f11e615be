"""A run as a framework's code: `--emit` of every command that has it."""

from typing import TYPE_CHECKING, Any

from decaycalc.cli.grouped import remarked
from decaycalc.cli.options import take_architecture
from decaycalc.cli.request import Request, counted, require_source
from decaycalc.cli.shown import Shown
from decaycalc.conversion.plan import Match
from decaycalc.errors import MissingQuantityError, UsageError
from decaycalc.training.record import TYPED

if TYPE_CHECKING:
    from decaycalc.emit.code import Snippet
    from decaycalc.report.document_types import EmittedJson
    from decaycalc.training.record import Training


def emitted(request: Request, training: "Training", framework: str) -> Shown:
    """Return the code that `convert --emit` asks for.

    Raises:
        UsageError: several targets.
        As `snippet_of`.
    """
    from decaycalc.conversion.assumptions import require_said
    from decaycalc.training.groups import by_pattern

    if len(request.targets) > 1:
        raise UsageError("--emit writes code for one --to at a time")
    require_entering(request)
    if request.arch is not None:
        network = take_architecture(request)["architecture"]
        training = counted(training, network, request.decay_mask)
    snippet = snippet_of(
        training,
        framework,
        target=request.targets[0] if request.targets else None,
        target_run=request.target_run,
        mask=request.decay_mask,
        groups=by_pattern(training, request.groups),
        match=Match(request.match),
    )
    if request.strict:
        require_said("a strict snippet", snippet.assumptions)
    return remarked(shown_code(snippet, "convert", training.told), training)


def require_entering(request: Request) -> None:
    """Refuse what says how an answer is shown, or how large a penalty is: code holds neither.

    Raises:
        UsageError: it was given.
    """
    for name in ("everything", "explain", "dtype", "rounding", "init", "classes"):
        if getattr(request, name):
            flag = "--all" if name == "everything" else f"--{name}"
            raise UsageError(f"{flag} does not enter --emit's code")


def snippet_of(training: "Training", framework: str, **more: Any) -> "Snippet":
    """Return a run's code; `more` are what `emit` takes beside the run.

    Raises:
        MissingQuantityError: no VALUE.
        DecaycalcError: what `emit` refuses.
    """
    from decaycalc.emit.code import emit

    source = require_source(training.record)
    if training.value is None:
        raise MissingQuantityError("--emit", ("value",))
    return emit(
        framework,
        training.value,
        source=source,
        run=training.run,
        schedule=training.schedule,
        decay_schedule=training.decay_schedule,
        exempt=None if training.kind == TYPED else training.exempt,
        **{"betas": training.betas, "eps": training.eps, **more},
    )


def shown_code(snippet: "Snippet", name: str, notes: tuple[str, ...]) -> Shown:
    """Return a snippet in all its shapes: bare code but for JSON."""
    body: EmittedJson = {"snippet": snippet.to_dict()}
    return Shown(
        name=name,
        body=lambda: body,
        tables=lambda: snippet_table(snippet),
        rows=lambda: [body["snippet"]],
        text=lambda: snippet.code,
        notes=tuple(entry.text for entry in snippet.assumptions),
        warnings=(*notes, *snippet.notes),
    )


def snippet_table(snippet: "Snippet") -> Any:
    """Return a snippet as a table, for Markdown."""
    from decaycalc.report.table import simple_table

    lines = tuple((line,) for line in snippet.code.splitlines())
    return (simple_table(title=f"Code for {snippet.framework}", headers=("code",), rows=lines),)
