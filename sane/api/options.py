"""The options of a scanner together: by name, in groups, kept and set back.

It knows Option and its order; it knows neither modes nor sources.
"""

from __future__ import annotations

from _collections_abc import Mapping

from .. import const
from ..controls import Option
from ..errors import SaneError, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .machine import Machine
    from .scanner import Scanner

FIRST = ("source", "mode", "depth", "resolution")  # others depend on these
PASSES = 3  # an option may be there only when another has its value again


class Options(Mapping[str, Option]):
    """The options of a scanner by name, without groups.

    options["tl-x"] is an Option, options["tl-x"] = 10 sets its value, options.tl_x is the value,
    and options.tl_x = 10 sets it, too. In names, "_" stands for "-". A name that the device does
    not have is a KeyError, as an attribute an AttributeError.
    """

    __slots__ = ("_machine", "_scanner")

    _machine: Machine
    _scanner: Scanner  # which is open as long as its options are in use

    def __init__(self, scanner: Scanner, machine: Machine) -> None:
        object.__setattr__(self, "_scanner", scanner)
        object.__setattr__(self, "_machine", machine)

    def __getitem__(self, name: str) -> Option:
        named = name.replace("_", "-") if isinstance(name, str) else ""
        row = self._machine.rows().get(named)
        if row is None:
            raise KeyError(name)
        return Option(row, self._scanner)

    def __setitem__(self, name: str, value: Any) -> None:
        self[name].value = value

    def __iter__(self) -> Iterator[str]:
        return iter(self._machine.rows())

    def __len__(self) -> int:
        return len(self._machine.rows())

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return self._named(attribute).value

    def __setattr__(self, attribute: str, value: Any) -> None:
        if hasattr(type(self), attribute):
            raise AttributeError(
                f"options.{attribute} is no option; for an option of this name: "
                f"options[{attribute.replace('_', '-')!r}] = ..."
            )
        self._named(attribute).value = value

    def _named(self, attribute: str) -> Option:
        try:
            return self[attribute]
        except KeyError:
            raise AttributeError(self._machine.no_option(attribute)) from None

    def __dir__(self) -> list[str]:
        names = (name.replace("-", "_") for name in self)
        return [*super().__dir__(), *(name for name in names if name.isidentifier())]

    def __repr__(self) -> str:
        return f"<options of {self._scanner!r}: {', '.join(self)}>"

    @property
    def groups(self) -> Iterator[tuple[str, list[Option]]]:
        """The options in groups: each a title and a list, the first without title if need be."""
        title, members = "", list[Option]()
        for row in self._machine.all_rows():
            if row[4] == const.TYPE_GROUP:
                if members:
                    yield title, members
                title, members = row[2], []
            elif row[1]:
                members.append(Option(row, self._scanner))
        if members:
            yield title, members

    def snapshot(self) -> dict[str, Any]:
        """Return the values of all options that can be read and set now, by name."""
        found = {}
        for name, option in self.items():
            if option.is_readable() and option.is_settable() and option.is_active():
                try:
                    found[name] = option.value
                except (AttributeError, SaneError):  # it went away, or the device does not tell
                    continue
        return found

    def restore(self, values: Mapping[str, Any]) -> None:
        """Set options to *values*, as snapshot gave them, those first that others depend on.

        What has the value already is not touched. Raises Unsupported naming those that the device
        does not take; the others are set.
        """
        left = put_back(self, values)
        if left:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in left.items())
            raise Unsupported(f"not as before: {reasons}", device=self._machine.name)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return all that is known of each option, in types that JSON has."""
        return {
            option.name or "": _told(option, title)
            for title, group in self.groups
            for option in group
        }


def put_back(options: Options, values: Mapping[str, Any]) -> dict[str, str]:
    """Set *options* to *values*, see restore; return why those that are not, could not be."""
    names = [*(name for name in FIRST if name in values)]
    names += [name for name in values if name not in FIRST]
    left: dict[str, str] = {}
    for _ in range(PASSES):
        before, left = left, {}
        for name in names:
            reason = _put(options, name, values[name])
            if reason:
                left[name] = reason
        if not left or left == before:
            break
    return left


def _put(options: Options, name: str, value: Any) -> str:
    """Set an option that has another value; return why that is not possible, or ""."""
    try:
        option = options[name]
        if option.value != value:
            option.value = value
        found = options[name].value
    except KeyError:
        return "the device has no such option"
    except (AttributeError, SaneError, TypeError, ValueError) as exc:
        return str(exc)
    return "" if found == value else f"{found!r} in place of {value!r}"


def _told(option: Option, group: str) -> dict[str, Any]:
    value = None
    if option.is_readable() and option.is_active():
        try:
            value = option.value
        except (AttributeError, SaneError):
            value = None
    limits = option.range
    return {
        "title": option.title,
        "desc": option.desc,
        "group": group,
        "type": option.kind,
        "unit": option.unit_name,
        "length": option.length,
        "active": bool(option.is_active()),
        "settable": bool(option.is_settable()),
        "readable": option.is_readable(),
        "automatic": option.is_automatic(),
        "advanced": option.is_advanced(),
        "range": None if limits is None else [limits.min, limits.max, limits.quant],
        "choices": option.choices,
        "value": value,
    }
