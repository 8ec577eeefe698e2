"""The order of pages: fronts and backs put together, blank ones left out, several files.

It knows lists, and of a page only whether it is blank. Source: specification python-api-and-cli
12.4.
"""

from __future__ import annotations

from .problem import USAGE, PageWorkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from .spool import SpooledPage

    Item = TypeVar("Item")

COLLATIONS = ("interleave", "reverse-backs", "deinterleave")


def collate(
    items: Sequence[Item], how: str, fronts: int | None = None
) -> tuple[list[Item], str | None]:
    """Return the pages in order, and what is odd about their number, None if nothing is.

    interleave: fronts 1, 3, 5, then backs 2, 4, 6. reverse-backs: fronts 1, 3, 5, then backs 6,
    4, 2, as a stack that was turned over gives them. deinterleave: 1 to 6 become fronts, then
    backs. fronts: how many of the pages are fronts; by default the larger half.
    """
    if how not in COLLATIONS:
        known = ", ".join(COLLATIONS)
        raise PageWorkError(f"no collation {how!r}; there are {known}", exit_code=USAGE)
    pages = list(items)
    if how == "deinterleave":
        note = f"{len(pages)} pages: the last front has no back" if len(pages) % 2 else None
        return pages[0::2] + pages[1::2], note
    count = -(-len(pages) // 2) if fronts is None else min(max(fronts, 0), len(pages))
    first, second = pages[:count], pages[count:]
    if how == "reverse-backs":
        second.reverse()
    note = None
    if len(first) != len(second):
        note = f"{len(first)} fronts and {len(second)} backs: see whether they belong together"
    out: list[Item] = []
    for place in range(max(len(first), len(second))):
        out += first[place : place + 1] + second[place : place + 1]
    return out, note


def check_split(where: str | int | None) -> str | int | None:
    """Return *where* as split_pages takes it: a number of pages, "each" or "blank", or None.

    Raises PageWorkError for anything else.
    """
    if where is None or where in ("each", "blank"):
        return where
    if where == "patch-t":
        raise PageWorkError(
            "split at patch-t sheets is not there yet",
            hint="blank sheets between the documents do it as well: split blank",
            exit_code=USAGE,
        )
    if str(where).isascii() and str(where).isdigit() and int(where) > 0:
        return int(where)
    raise PageWorkError(f"split {where!r} is no number of pages, each or blank", exit_code=USAGE)


def split(
    items: Sequence[Item], where: str | int | None, is_blank: Callable[[Item], bool]
) -> list[list[Item]]:
    """Return the pages of each file. "blank": a blank page ends a file and belongs to none."""
    where = check_split(where)
    if where is None:
        return [list(items)] if items else []
    if where != "blank":
        size = 1 if where == "each" else int(where)
        return [list(items[at : at + size]) for at in range(0, len(items), size)]
    groups: list[list[Item]] = [[]]
    for item in items:
        if is_blank(item):
            groups.append([])
        else:
            groups[-1].append(item)
    return [group for group in groups if group]


def arrange(
    pages: Sequence[SpooledPage],
    *,
    collation: str | None = None,
    fronts: int | None = None,
    where: str | int | None = None,
    skip_blank: bool = False,
) -> tuple[list[list[SpooledPage]], list[str]]:
    """Return the pages of each file, and notes for the user.

    Pages are collated before blank ones are left out: the back of a front may be blank. Where all
    pages are blank there are no files.
    """
    notes: list[str] = []
    ordered = list(pages)
    if collation is not None:
        ordered, note = collate(ordered, collation, fronts)
        notes += [note] if note else []
    groups = split(ordered, where, lambda page: page.is_blank)
    if skip_blank:
        groups = [[page for page in group if not page.is_blank] for group in groups]
    return [group for group in groups if group], notes
