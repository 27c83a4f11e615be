"""What keeps a trial apart from the user's process: its generators, its output, JAX's float64."""

import random
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from io import StringIO
from typing import Any


@contextmanager
def kept_random(framework: Any = None) -> Iterator[None]:
    """Draw the same numbers in every trial, and leave the user's generators as they were.

    What a copy prints is dropped: some say at each construction what they are. The generators are
    Python's own, and torch's where `framework` has one such (`default_generator`).
    """
    generator = getattr(framework, "default_generator", None)
    before = random.getstate()
    state = None if generator is None else generator.get_state()
    try:
        random.seed(0)
        if generator is not None:
            generator.manual_seed(0)
        with redirect_stdout(StringIO()):
            yield
    finally:
        random.setstate(before)
        if generator is not None:
            generator.set_state(state)


def in_doubles() -> AbstractContextManager[Any]:
    """Return a context in which JAX has float64; where no JAX is in the process, none is needed."""
    jax: Any = sys.modules.get("jax")
    if jax is None:
        return nullcontext()
    # Before jax 0.8 it was experimental; what it is now may not be asked for its truth.
    holder = jax if hasattr(jax, "enable_x64") else jax.experimental
    wide: AbstractContextManager[Any] = holder.enable_x64(True)  # noqa: FBT003  (jax has no name for it)
    return wide
