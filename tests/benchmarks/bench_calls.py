"""One conversion from Python in a warm process, beside one of pint's."""

from collections.abc import Callable

import pint

from decaycalc import convert
from tests.benchmarks.measure import Bound, ratio, time_calls

N_CALLS = 2000


def repeated(call: Callable[[float], object]) -> Callable[[], None]:
    """Return a function that calls so often that the clock can tell, each time with a new value."""

    def repeat() -> None:
        for number in range(1, N_CALLS + 1):
            call(number * 1e-6)

    return repeat


def run(*, rounds: int) -> list[Bound]:
    """Return the ratio of a call to pint's `Quantity.to`."""
    quantity = pint.UnitRegistry().Quantity
    lengths = [quantity(number * 1e-6, "inch") for number in range(1, N_CALLS + 1)]

    def convert_lengths() -> None:
        for length in lengths:
            length.to("cm")

    timings = time_calls(
        {
            "plain": repeated(lambda value: convert(value, source="caffe", target="keras-l2")),
            "with quantities": repeated(
                lambda value: convert(
                    value, source="pytorch-sgd", target="keras-sgd", lr=0.1, momentum=0.9)),
            "pint": convert_lengths,
        },
        rounds=rounds,
    )  # fmt: skip
    return [
        ratio(f"{N_CALLS} calls of convert(), {name}", timings[name], timings["pint"], limit=1,
              over="pint's Quantity.to")
        for name in ("plain", "with quantities")
    ]  # fmt: skip
