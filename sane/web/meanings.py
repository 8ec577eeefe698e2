"""What the entries of pysane-share.toml mean together: names that exist, keys that fit their kind.

config.py knows sections and single values; this asks the parts that use them.
"""

from __future__ import annotations

from . import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .config import ProfileSettings, ShareSettings

    Problem = tuple[tuple[str, ...], str]  # section, number of the entry, key; and what is wrong


def problems_of(settings: ShareSettings) -> Iterator[Problem]:
    """Yield what is wrong, and where."""
    from .accounts import problems as account_problems
    from .delivery import kinds

    if settings.https.key and not settings.https.certificate:
        yield ("https", "key"), "https.key: it belongs to https.certificate, which is missing"
    yield from _twice(settings)
    yield from account_problems(settings)
    for at, each in enumerate(settings.destination):
        try:
            kinds.check(each.kind, each.settings)
        except kinds.Wrong as exc:
            path = ("destination", str(at), "settings", exc.key)
            yield path, f"destination {each.name}: {exc}"
    for at, profile in enumerate(settings.profile):
        yield from _profile_problems(("profile", str(at)), profile)
    destinations = {each.name for each in settings.destination}
    wanting: list[tuple[str, tuple[Any, ...]]] = [
        ("profile", settings.profile),
        ("button", settings.button),
    ]
    for kind, those in wanting:
        for at, who in enumerate(those):
            if who.destination and who.destination not in destinations:
                known = ", ".join(sorted(destinations)) or "none"
                name = getattr(who, "name", "") or who.button
                text = f"{name}: there is no destination {who.destination}; there are: {known}"
                yield (kind, str(at), "destination"), text


def _twice(settings: ShareSettings) -> Iterator[Problem]:
    entries: tuple[tuple[str, Any], ...] = (
        ("token", settings.token),
        ("destination", settings.destination),
        ("profile", settings.profile),
    )
    for kind, those in entries:
        names: set[str] = set()
        for at, each in enumerate(those):
            if not each.name or each.name in names:
                text = f"{kind}: the name {each.name!r} is empty, or there twice"
                yield (kind, str(at), "name"), text
            names.add(each.name)


def _profile_problems(path: tuple[str, ...], profile: ProfileSettings) -> Iterator[Problem]:
    """Yield what in a profile is not as REST takes it; options are the administrator's alone."""
    from .api.problem import ApiError
    from .api.schema import check
    from .api.tables import SCHEMAS, ref

    settings = {key: value for key, value in profile.settings.items() if key != "options"}
    for part, name, table in ((settings, "settings", "Settings"), (profile.work, "work", "Work")):
        try:
            check(part, ref(table), SCHEMAS, name)
        except ApiError as exc:
            key = exc.field.partition("[")[0].split(".")
            yield (*path, *key), f"profile {profile.name}: {exc.text}"
    try:
        values.option_values(profile.settings.get("options", {}))
    except ValueError as exc:
        yield (*path, "settings", "options"), f"profile {profile.name}: settings.options: {exc}"
    if "area" in settings and "paper" in settings:
        text = f"profile {profile.name}: settings: area and paper are both given"
        yield (*path, "settings", "area"), text
