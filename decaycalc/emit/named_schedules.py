"""Schedules by the names that training programs have for them, where they agree step by step."""

from typing import TYPE_CHECKING

from decaycalc.emit.settings import SnippetSettings

if TYPE_CHECKING:
    from decaycalc.schedule import Segment

_USUAL = {"initial": 1.0, "exponent": 1.0, "warmup_power": 1.0, "floor": 0.0, "value": 1.0}


def the_segment(settings: SnippetSettings) -> "Segment | None":
    """Return the schedule's only segment, None where it has several."""
    assert settings.schedule is not None  # noqa: S101  (asked for only where there is one)
    segments = settings.schedule.segments
    return segments[0] if len(segments) == 1 else None


def is_plain(
    segment: "Segment",
    *,
    start: bool = False,
    overlay: bool = False,
    per: int | None = None,
    toward: str = "auto",
    warmup_per: int | None = None,
    delay: int = 0,
    counts: str = "zero",
) -> bool:
    """Return whether a schedule has nothing but a shape and the usual warm-up.

    With `start` the warm-up may begin above 0, with `overlay` it may be laid over the shape;
    `per` is the number of steps that lr is held for; `toward` and `warmup_per` are the warm-up's;
    `delay` is the number of steps that the whole is late, `counts` where a cosine begins.
    """
    settings = segment.settings
    values = settings.values
    return (
        all(values.get(name, _USUAL[name]) == _USUAL[name] for name in _USUAL)
        and settings.text("ramp") == "zero"
        and (overlay or not settings.is_over_run)
        and settings.text("toward") == toward
        and values.get("counts", counts) == counts
        and (start or not settings.number("start"))
        and values.get("after", "hold") == "hold"
        and settings.steps("per") == per
        and settings.steps("warmup_per") == warmup_per
        and segment.delay == delay
        and segment.end == segment.stop
    )


def transformers_schedule(settings: SnippetSettings) -> dict[str, object] | None:
    """Return transformers' name of the schedule with its arguments, None where it has none.

    Source: transformers 5.24.0 optimization.py, get_scheduler.
    """
    if settings.schedule is None:
        return {"lr_scheduler_type": "constant"}
    segment = the_segment(settings)
    if segment is None or not is_plain(segment):
        return None
    named = _name(segment, settings.lr)
    if named is None:
        return None
    kind, arguments = named
    found: dict[str, object] = {"lr_scheduler_type": kind}
    if segment.settings.warmup:
        found["warmup_steps"] = segment.settings.warmup
    if arguments:
        found["lr_scheduler_kwargs"] = arguments
    return found


def _name(segment: "Segment", lr: float) -> tuple[str, dict[str, float]] | None:
    """Return transformers' name of a plain schedule, and what it needs beside the warm-up."""
    name = segment.kind.name
    if name == "constant":
        return "constant_with_warmup", {}
    if name not in {"linear", "cosine"}:
        return None
    final = segment.settings.number("final")
    if not final:
        return name, {}
    if name == "cosine":
        return "cosine_with_min_lr", {"min_lr_rate": final}
    # Its polynomial ends below its start or not at all.
    return ("polynomial", {"power": 1.0, "lr_end": final * lr}) if final < 1 else None
