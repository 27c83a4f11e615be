"""The fields of a model's configuration, checked as they are read."""

from collections.abc import Mapping
from math import isfinite

from decaycalc.errors import UnreadableFileError, shown
from decaycalc.record import Record

LARGEST_SIZE = 10**9
MOST_STAGES = 64
MOST_LAYERS = 10_000


class Fields(Record):
    """A configuration's values by name; `path` says where they stand, for messages."""

    path: str
    values: Mapping[str, object]

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def size(self, name: str, default: int, *, least: int = 1) -> int:
        """Return a whole number of at least `least`; the default where it is absent or null.

        Raises:
            UnreadableFileError: the value is no such number.
        """
        return self._checked(name, self.values[name] if name in self else default, least)

    def size_or_none(self, name: str) -> int | None:
        """Return a whole number of at least 1; None where it is absent, null, 0 or -1.

        Raises:
            UnreadableFileError: the value is another one.
        """
        found = self.size(name, 0, least=-1)
        return found if found > 0 else None

    def size_or_rest(self, name: str, default: int, *, rest: int) -> int:
        """Return a whole number of at least 1, one that follows from others where it is null.

        So it does where it is absent and the class has no `default`, 0.

        Raises:
            UnreadableFileError: the value is no such number.
        """
        return self.size(name, rest if name in self.values else default or rest)

    def sizes(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Return a list of whole numbers of at least 1; the default where it is absent.

        Raises:
            UnreadableFileError: the value is no such list.
        """
        values = self.values.get(name)
        if values is None:
            return default
        if not isinstance(values, list) or not 1 <= len(values) <= MOST_STAGES:
            raise self.wrong(name, values, "a list of sizes")
        return tuple(self._checked(name, value, 1) for value in values)

    def part(self, name: str, usual: Mapping[str, object] | None = None) -> "Fields":
        """Return the fields of a configuration within this one, the `usual` ones if it is absent.

        Raises:
            UnreadableFileError: the value is not such a configuration.
        """
        values = self.values.get(name)
        if values is None:
            return Fields(path=self.path, values=usual or {})
        if not isinstance(values, dict):
            raise self.wrong(name, values, "an object")
        return Fields(path=self.path, values=values)

    def size_or_auto(self, name: str, auto: int) -> int:
        """Return a whole number of at least 1; `auto` where it is absent, null or `auto`.

        Raises:
            UnreadableFileError: the value is no such number.
        """
        return auto if self.values.get(name) == "auto" else self.size(name, auto)

    def whole_numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers of 0 or more; an empty one where it is absent.

        Raises:
            UnreadableFileError: the value is not such a list.
        """
        values = self.values.get(name)
        if values is None:
            return ()
        if not isinstance(values, list) or len(values) > MOST_LAYERS:
            raise self.wrong(name, values, "a list of layers")
        return tuple(self._checked(name, value, 0) for value in values)

    def side(self, name: str, default: int) -> int:
        """Return a square's side, which some models give as a pair.

        Raises:
            UnreadableFileError: the value is neither, or the sides differ.
        """
        value = self.values.get(name)
        if not isinstance(value, list):
            return self.size(name, default)
        sides = set(self.sizes(name, (default,)))
        if len(sides) > 1:
            raise self.wrong(name, value, "equal sides")
        return sides.pop()

    def patches(self, *, patch: int, image: int = 224) -> tuple[int, int]:
        """Return the side of a square patch and how many of them cover an image.

        Raises:
            UnreadableFileError: the value of a side is no size.
        """
        side = self.side("patch_size", patch)
        if isinstance(self.values.get("image_size"), list):
            sides = self.sizes("image_size", (image,))
        else:
            sides = (self.size("image_size", image),)
        return side, (sides[0] // side) * (sides[-1] // side)

    def require_divided(self, heads: int, width: int, *, name: str = "num_attention_heads") -> None:
        """Refuse heads that do not share a width equally, which some classes build all the same.

        Raises:
            UnreadableFileError: they do not.
        """
        if width % heads:
            raise self.wrong(name, heads, f"a divisor of the width {width}")

    def number(self, name: str, default: float) -> float:
        """Return a finite number of 0 or more; the default where it is absent or null.

        Raises:
            UnreadableFileError: the value is no such number.
        """
        value = self.values[name] if name in self else default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(name, value, "a number")
        if not (0 <= value < LARGEST_SIZE and isfinite(value)):
            raise self.wrong(name, value, "a number of 0 or more")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value; the default where it is absent or null.

        Raises:
            UnreadableFileError: the value is neither true nor false.
        """
        value = self.values[name] if name in self else default
        if not isinstance(value, bool):
            raise self.wrong(name, value, "true or false")
        return value

    def require(self, name: str, *, value: bool) -> None:
        """Refuse all but the truth value that is known here, and that holds where it is absent.

        Raises:
            UnreadableFileError: it has the other value, or none.
        """
        if self.flag(name, default=value) is not value:
            raise self.wrong(name, not value, str(value).lower())

    def text(self, name: str, default: str) -> str:
        """Return a text; the default where it is absent or null.

        Raises:
            UnreadableFileError: the value is no text.
        """
        value = self.values[name] if name in self else default
        if not isinstance(value, str):
            raise self.wrong(name, value, "a text")
        return value

    def over(self, usual: Mapping[str, object]) -> "Fields":
        """Return the fields above `usual` ones, which stand where these are absent or null."""
        said = {name: value for name, value in self.values.items() if value is not None}
        return Fields(path=self.path, values={**self.values, **usual, **said})

    def renamed(self, names: Mapping[str, str]) -> "Fields":
        """Return the fields by the names that the model knows them by, from other names of theirs.

        Where both stand, transformers takes the other name's value, which it sets last.
        Source: transformers 4.57.1 configuration_utils.py, `attribute_map` and `__setattr__`.
        """
        said = {own: self.values[name] for name, own in names.items() if name in self}
        return Fields(path=self.path, values={**self.values, **said}) if said else self

    def names_layer(self, index: int, kind: str, *, usual: bool) -> bool:
        """Return whether `layer_types` calls a layer so; `usual` where there is none.

        Raises:
            UnreadableFileError: it is no list, or ends before the layer.
        """
        kinds = self.values.get("layer_types")
        if not kinds:
            return usual
        if not isinstance(kinds, list) or len(kinds) <= index:
            raise self.wrong("layer_types", kinds, "a kind for each layer")
        return bool(kinds[index] == kind)

    def labels(self, *, usual: int = 2) -> int:
        """Return the number of classes of a classifier, `usual` unless told otherwise.

        Raises:
            UnreadableFileError: the field is malformed.
        """
        names = self.values.get("id2label")
        if isinstance(names, dict) and names:
            return len(names)
        return self.size("num_labels", usual)

    def wrong(self, name: str, value: object, expected: str) -> UnreadableFileError:
        """Return the error of a malformed field."""
        return UnreadableFileError(
            self.path, f"{name[:80]} is {shown(value, 80)}, expected {expected}"
        )

    def _checked(self, name: str, value: object, least: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, value, "a whole number")
        if not least <= value <= LARGEST_SIZE:
            raise self.wrong(name, value, f"a whole number from {least} to {LARGEST_SIZE:.0e}")
        return value
