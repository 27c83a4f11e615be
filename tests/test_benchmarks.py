"""The benchmarks, which are run by hand, still fit the code they measure."""

from importlib import import_module

import pytest

from tests.benchmarks.__main__ import names, show
from tests.benchmarks.measure import Ratio, Timing


def test_there_are_benchmarks() -> None:
    assert {"arrays", "bulk", "checkpoint", "schedule", "startup"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_benchmark_can_be_loaded_and_run(name: str) -> None:
    assert callable(import_module(f"tests.benchmarks.bench_{name}").run)


def test_a_promise_is_held_up_to_its_limit_either_way_round() -> None:
    fast, slow = Timing(wall=1.0, cpu=1.0), Timing(wall=3.0, cpu=2.0)
    costs = Ratio(name="ours", ours=slow, floor=fast, floor_name="bare", limit=2.9)
    gains = Ratio(name="peer", ours=fast, floor=slow, floor_name="peer", limit=3.0, at_least=True)
    assert (costs.wall, costs.cpu, costs.is_held) == (3, 2, False)
    assert (gains.wall, gains.cpu, gains.is_held) == (3, 2, True)
    assert list(show("start-up", [costs, gains]).columns[-1].cells) == ["NO", "yes"]
