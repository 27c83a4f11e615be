"""A test of every record, run one family of the catalogue after another.

Thousands of tests of a fraction of a millisecond each cost pytest more than what they test.
"""

from collections.abc import Callable, Iterable

import pytest

from decaycalc.conventions.catalogue import FAMILIES, family
from decaycalc.conventions.record import Convention

FAMILY_OF = {record.key: name for name in FAMILIES for record in family(name)}


def of_each(things: Iterable[str | Convention]) -> Callable[[Callable], Callable]:
    """Return the decorator that runs a test on each of these records, or keys of records.

    A failure tells whose it is; a record that the test skips is passed over alone.
    """
    members: dict[str, list] = {}
    for thing in things:
        key = thing if isinstance(thing, str) else thing.key
        members.setdefault(FAMILY_OF[key], []).append((key, thing))

    def decorate(test: Callable) -> Callable:
        @pytest.mark.parametrize("name", members)
        def run(name: str) -> None:
            for key, thing in members[name]:
                try:
                    test(thing)
                except pytest.skip.Exception:
                    continue
                except BaseException as error:
                    error.add_note(f"the record is {key}")
                    raise

        run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
        return run

    return decorate
