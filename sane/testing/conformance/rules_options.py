"""Rules for option descriptors: what a frontend reads before it sets anything.

Source: SANE standard 4.2.9, 4.3.6 and 4.5; c-abi-and-dll 1.7 (descriptor validity).
"""

from __future__ import annotations

import re

from ... import const
from .trial import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .library import Option
    from .trial import Trial

NAME = re.compile(r"[a-z][a-z0-9-]*\Z")
GEOMETRY = ("tl-x", "tl-y", "br-x", "br-y")
KNOWN_CAPS = 0x7F


@rule("4.3.6")
def option_zero(trial: Trial) -> None:
    """Option 0 is the number of options: an INT without a name, read-only."""
    with trial.opened() as device:
        zero = device.option(0)
        if zero is None:
            trial.fail("option 0 has no descriptor")
            return
        trial.expect(zero.name == "", f"its name is {zero.name!r}, not empty")
        trial.expect(zero.type == const.TYPE_INT, f"its type is {zero.type}")
        trial.expect(zero.size == 4, f"its size is {zero.size}")
        trial.expect(
            zero.cap == const.CAP_SOFT_DETECT, f"its cap is {zero.cap:#x}, not SOFT_DETECT"
        )
        status, data = device.get(zero)
        trial.status("reading it", status, const.STATUS_GOOD)
        count = int.from_bytes(data, "little") if len(data) == 4 else -1
        listed = len(device.options())
        trial.expect(count == listed, f"its value is {count}, but {listed} options are there")


@rule("4.3.6")
def descriptor_addresses(trial: Trial) -> None:
    """There is no descriptor outside the range, and the same address inside it."""
    with trial.opened() as device:
        count = len(device.options())
        for index in (-1, count, count + 1, count + 50, 1 << 30):
            trial.expect(device.option(index) is None, f"option {index} has a descriptor")
        first = [option.address for option in device.options()]
        again = [option.address for option in device.options()]
        trial.expect(first == again, "a descriptor moved without a call in between")


@rule("4.2.9")
def descriptor_texts(trial: Trial) -> None:
    """Every descriptor has its texts: a unique name, a title of one line, a description."""
    with trial.opened() as device:
        options = device.options()
    for option in options:
        trial.expect(option.name is not None, f"{option}: the name is NULL")
        trial.expect(option.desc is not None, f"{option}: the description is NULL")
        if trial.expect(bool(option.title), f"{option}: the title is NULL or empty"):
            trial.expect("\n" not in str(option.title), f"{option}: the title has several lines")
        if option.type == const.TYPE_GROUP:
            if option.name:
                trial.note(f"{option}: a group has a name")
        elif option.index and option.name is not None:
            trial.expect(
                bool(NAME.match(option.name)), f"{option}: the name is not [a-z][a-z0-9-]*"
            )
    names = [o.name for o in options if o.name and o.type != const.TYPE_GROUP]
    for name in sorted({name for name in names if names.count(name) > 1}):
        trial.fail(f"{names.count(name)} options are called {name}")


@rule("4.2.9")
def descriptor_numbers(trial: Trial) -> None:
    """Type, unit, size and capabilities of every option go together."""
    with trial.opened() as device:
        for option in device.options():
            trial.expect(0 <= option.type <= 5, f"{option}: type {option.type}")
            trial.expect(0 <= option.unit <= 6, f"{option}: unit {option.unit}")
            check_size(trial, option)
            check_capabilities(trial, option)


def check_size(trial: Trial, option: Option) -> None:
    """Check 4.2.9.6."""
    if option.type == const.TYPE_BOOL:
        trial.expect(option.size == 4, f"{option}: a BOOL of {option.size} bytes")
    elif option.type in (const.TYPE_INT, const.TYPE_FIXED):
        good = option.size > 0 and option.size % 4 == 0
        trial.expect(good, f"{option}: {option.size} bytes are no whole words")
    elif option.type == const.TYPE_STRING:
        trial.expect(option.size > 0, f"{option}: a STRING of {option.size} bytes")


def check_capabilities(trial: Trial, option: Option) -> None:
    """Check 4.2.9.7."""
    trial.expect(not option.cap & ~KNOWN_CAPS, f"{option}: cap {option.cap:#x} has unknown bits")
    if option.type == const.TYPE_GROUP:
        settable = option.cap & (const.CAP_SOFT_SELECT | const.CAP_HARD_SELECT)
        trial.expect(not settable, f"{option}: a group that can be set, cap {option.cap:#x}")
        return
    if option.cap & const.CAP_SOFT_SELECT:
        trial.expect(
            bool(option.cap & const.CAP_SOFT_DETECT),
            f"{option}: SOFT_SELECT without SOFT_DETECT",
        )
        trial.expect(
            not option.cap & const.CAP_HARD_SELECT, f"{option}: SOFT_SELECT and HARD_SELECT"
        )
    elif option.cap & const.CAP_AUTOMATIC:
        trial.fail(f"{option}: AUTOMATIC without SOFT_SELECT")


@rule("4.2.9")
def descriptor_constraints(trial: Trial) -> None:
    """A constraint fits the type, and is not empty."""
    with trial.opened() as device:
        for option in device.options():
            check_constraint(trial, option)


def check_constraint(trial: Trial, option: Option) -> None:
    """Check 4.2.9.8."""
    kind = option.constraint_type
    if not trial.expect(0 <= kind <= 3, f"{option}: constraint type {kind}"):
        return
    if kind == const.CONSTRAINT_NONE:
        return
    numeric = option.type in (const.TYPE_INT, const.TYPE_FIXED)
    fits = numeric if kind != const.CONSTRAINT_STRING_LIST else option.type == const.TYPE_STRING
    trial.expect(fits, f"{option}: constraint type {kind} on value type {option.type}")
    if not trial.expect(option.constraint is not None, f"{option}: the constraint is NULL"):
        return
    constraint = option.constraint or ()
    if not trial.expect(bool(constraint), f"{option}: the list of its values is empty"):
        return
    if kind == const.CONSTRAINT_RANGE:
        low, high, quant = constraint
        trial.expect(low <= high, f"{option}: range from {low} to {high}")
        trial.expect(quant >= 0, f"{option}: quantisation {quant}")
    elif kind == const.CONSTRAINT_STRING_LIST:
        longest = max(len(str(text).encode()) for text in constraint)
        trial.expect(
            longest < option.size, f"{option}: a value of {longest} bytes, room for {option.size}"
        )


@rule("4.5")
def well_known_options(trial: Trial) -> None:
    """The well-known options are what every frontend expects."""
    with trial.opened() as device:
        known = {option.name: option for option in device.options() if option.name}
    for name in ("resolution", "x-resolution", "y-resolution"):
        option = known.get(name)
        if option is not None:
            numeric = option.type in (const.TYPE_INT, const.TYPE_FIXED)
            trial.expect(numeric, f"{option}: type {option.type}, not INT or FIXED")
            trial.expect(option.unit == const.UNIT_DPI, f"{option}: unit {option.unit}, not DPI")
    preview = known.get("preview")
    if preview is not None:
        trial.expect(preview.type == const.TYPE_BOOL, f"{preview}: type {preview.type}, not BOOL")
    corners = [known[name] for name in GEOMETRY if name in known]
    for option in corners:
        good = option.unit in (const.UNIT_PIXEL, const.UNIT_MM)
        trial.expect(good, f"{option}: unit {option.unit}, not PIXEL or MM")
        if option.constraint_type == const.CONSTRAINT_NONE:
            trial.note(f"{option}: without a constraint no frontend learns the size of the bed")
    units = {(option.type, option.unit) for option in corners}
    trial.expect(len(units) <= 1, f"the corners of the scan area differ in (type, unit): {units}")
    if corners and len(corners) < 4:
        trial.note(f"only {', '.join(str(o.name) for o in corners)} of the scan area")
