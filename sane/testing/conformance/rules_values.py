"""Rules for sane_control_option: reading, setting, and what a change says of itself.

Source: SANE standard 4.3.7; c-abi-and-dll 1.7 (control_option and its hazards).
"""

from __future__ import annotations

import ctypes

from ... import const
from .trial import GARBAGE_INFO, Skipped, rule, value_of, word_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .library import Option
    from .trial import Opened, Trial

GET, SET, AUTO = const.ACTION_GET_VALUE, const.ACTION_SET_VALUE, const.ACTION_SET_AUTO
MOST_VALUES = 12  # of a list of legal values are tried
NOT_NOW = (  # of a device that would otherwise
    *(const.STATUS_DEVICE_BUSY, const.STATUS_JAMMED, const.STATUS_NO_DOCS),
    *(const.STATUS_COVER_OPEN, const.STATUS_ACCESS_DENIED),
)
REFUSED = (const.STATUS_INVAL, const.STATUS_UNSUPPORTED)
INFO_BITS = 7


@rule("4.3.7")
def get_fits(trial: Trial) -> None:
    """An active option can be read; its value stays within its size."""
    with trial.opened() as device:
        for option in device.options():
            if not option.is_readable:
                continue
            status, data, intact, info = device.guarded_get(option)
            if not trial.status(f"reading {option}", status, const.STATUS_GOOD):
                continue
            trial.expect(intact, f"{option}: more than its {option.size} bytes were written")
            if option.type == const.TYPE_STRING:
                trial.expect(b"\0" in data, f"{option}: the text has no end within its size")
            if info not in (0, GARBAGE_INFO):
                trial.note(f"{option}: reading stores info {info:#x}")
            status = device.call("control_option", option.index, GET, data, None)
            trial.status(f"reading {option} without info", status, const.STATUS_GOOD)


@rule("4.3.7")
def value_is_legal(trial: Trial) -> None:
    """The value that is there is a legal one."""
    with trial.opened() as device:
        for option in device.options():
            if option.is_readable and option.size > 0:
                status, data = device.get(option)
                if status == const.STATUS_GOOD:
                    check_legal(trial, option, data)


def check_legal(trial: Trial, option: Option, data: bytes) -> None:
    """Note a finding if *data* is outside the option's constraint."""
    if option.type == const.TYPE_STRING:
        text = value_of(option, data).decode("utf-8", "replace")
        if option.constraint_type == const.CONSTRAINT_STRING_LIST and option.constraint:
            trial.expect(text in option.constraint, f"{option}: {text!r} is not in its list")
        return
    values = words(data)
    if option.type == const.TYPE_BOOL:
        trial.expect(values[0] in (0, 1), f"{option}: a BOOL of {values[0]}")
    elif option.constraint and option.constraint_type == const.CONSTRAINT_RANGE:
        low, high, quant = option.constraint
        bad = [v for v in values if not low <= v <= high or (quant > 0 and (v - low) % quant)]
        trial.expect(not bad, f"{option}: {bad[:3]} not in {low} to {high} in steps of {quant}")
    elif option.constraint and option.constraint_type == const.CONSTRAINT_WORD_LIST:
        bad = [value for value in values if value not in option.constraint]
        trial.expect(not bad, f"{option}: {bad[:3]} not in its list")


def words(data: bytes) -> list[int]:
    """Return the words of a value."""
    return list((ctypes.c_int * (len(data) // 4)).from_buffer_copy(data))


@rule("4.3.7")
def refusals(trial: Trial) -> None:
    """What cannot be read or set is refused, and says nothing."""
    with trial.opened() as device:
        options = device.options()
        for index in (-1, len(options), len(options) + 50):
            for action in (GET, SET, AUTO):
                status = control(device, index, action)
                trial.expect(status != 0, f"action {action} on option {index} succeeded")
        for option in options:
            for action, text in forbidden(option):
                status = control(device, option.index, action, option.size)
                trial.status(f"{text} {option}", status, *REFUSED)


@rule("4.3.7")
def no_value(trial: Trial) -> None:
    """Reading and setting without a place for the value are refused."""
    with trial.opened() as device:
        for option in device.options():
            if not option.is_readable:
                continue
            for action in (GET, SET) if option.is_settable else (GET,):
                status = device.call("control_option", option.index, action, None, None)
                trial.status(f"action {action} on {option} without a value", status, *REFUSED)


@rule("4.3.7")
def unknown_action(trial: Trial) -> None:
    """An action that does not exist is refused."""
    with trial.opened() as device:
        options = device.options()
        accepted = [o for o in options if control(device, o.index, 17, o.size) == 0]
        if accepted:
            trial.fail(f"action 17 succeeded on {len(accepted)} options, as on {accepted[0]}")


def control(device: Opened, index: int, action: int, size: int = 4) -> int:
    """Call with room for a value and no info."""
    value = ctypes.create_string_buffer(max(size, 4))
    status: int = device.call("control_option", index, action, value, None)
    return status


def forbidden(option: Option) -> list[tuple[int, str]]:
    """Return the actions that a frontend may not take on *option* now, with their words."""
    if option.type == const.TYPE_GROUP:
        return [(GET, "reading the group"), (SET, "setting the group")]
    if not option.is_active:
        return [(GET, "reading inactive"), (SET, "setting inactive")]
    found = []
    if option.type == const.TYPE_BUTTON:
        found.append((GET, "reading the button"))
    elif not option.cap & const.CAP_SOFT_DETECT:
        found.append((GET, "reading undetectable"))
    if not option.is_settable:
        found.append((SET, "setting read-only"))
    if not (option.is_settable and option.cap & const.CAP_AUTOMATIC):
        found.append((AUTO, "automatic for"))
    return found


@rule("4.3.7")
def set_legal(trial: Trial) -> None:
    """Every legal value can be set and is kept, in a buffer no longer than itself."""
    with trial.opened() as device:
        for option in device.options():
            original = device.get(option) if option.is_readable else (-1, b"")
            for value in legal_values(option):
                check_set(trial, device, option, value)
            now = device.option(option.index)
            if original[0] == 0 and now is not None and now.is_settable:
                device.set(now, original[1])


def legal_values(option: Option) -> list[bytes]:
    """Return some values that the constraint of *option* allows, as ABI bytes."""
    if not option.is_settable or option.type == const.TYPE_BUTTON or option.size <= 0:
        return []
    if option.constraint_type == const.CONSTRAINT_STRING_LIST:
        return [str(t).encode() + b"\0" for t in (option.constraint or ())[:MOST_VALUES]]
    if option.type == const.TYPE_STRING:
        return []
    count = option.size // 4
    chosen: list[int] = []
    if option.type == const.TYPE_BOOL:
        chosen = [0, 1]
    elif option.constraint and option.constraint_type == const.CONSTRAINT_RANGE:
        low, high, quant = option.constraint
        step = max(quant, 1)
        steps = (high - low) // step
        chosen = [low, low + steps // 2 * step, low + steps * step]
    elif option.constraint and option.constraint_type == const.CONSTRAINT_WORD_LIST:
        chosen = list(option.constraint[:MOST_VALUES])
    return [word_bytes(*[word] * count) for word in dict.fromkeys(chosen)]


def check_set(trial: Trial, device: Opened, option: Option, value: bytes) -> None:
    """Set one legal value and look at all that changed."""
    now = device.option(option.index)
    if now is None or not now.is_settable or now.state() != option.state():
        return  # an earlier value changed this option itself
    shown = value_of(option, value) if option.type == const.TYPE_STRING else words(value)[:1]
    what = f"setting {option} to {shown!r}"
    before, states = device.values(), device.states()
    parameters = device.parameters()
    status, info, written, intact = device.set(option, value)
    if status in NOT_NOW:
        trial.note(f"{what}: not now, {trial.library.text(status)}")
        return
    if not trial.status(what, status, const.STATUS_GOOD):
        return
    trial.expect(intact, f"{what}: written back behind the value that was given")
    if not trial.expect(not info & ~INFO_BITS, f"{what}: info {info:#x} was not assigned"):
        return
    exact = value_of(option, written) == value_of(option, value)
    if exact:
        trial.expect(not info & const.INFO_INEXACT, f"{what}: INEXACT, but nothing differs")
    else:
        trial.expect(bool(info & const.INFO_INEXACT), f"{what}: changed without INEXACT")
        trial.note(f"{what}: a legal value was changed")
    check_kept(trial, device, option, written, what)
    changed = changed_options(trial, device, (before, states), what) - {option.index}
    if changed and not info & const.INFO_RELOAD_OPTIONS:
        trial.fail(f"{what}: options {sorted(changed)[:5]} changed without RELOAD_OPTIONS")
    elif info & const.INFO_RELOAD_OPTIONS and not changed:
        trial.note(f"{what}: RELOAD_OPTIONS, but no other option changed")
    if bytes(parameters[1]) != bytes(device.parameters()[1]):
        good = bool(info & const.INFO_RELOAD_PARAMS)
        trial.expect(good, f"{what}: the parameters changed without RELOAD_PARAMS")


def check_kept(trial: Trial, device: Opened, option: Option, written: bytes, what: str) -> None:
    """Check that reading gives what setting left."""
    now = device.option(option.index)
    if now is None or not now.is_readable or now.size < option.size:
        return
    status, data = device.get(now)
    if trial.status(f"reading {option} after it was set", status, const.STATUS_GOOD):
        same = value_of(option, data)[: option.size] == value_of(option, written)
        trial.expect(same, f"{what}: reading gives another value than setting left")


def changed_options(
    trial: Trial,
    device: Opened,
    before: tuple[dict[int, bytes], dict[int, tuple[object, ...]]],
    what: str,
) -> set[int]:
    """Return the options that look different now; their number must not."""
    values, states = before
    now = device.states()
    trial.expect(len(now) == len(states), f"{what}: the number of options changed")
    changed = {index for index, state in now.items() if state != states.get(index)}
    after = device.values()
    again = device.values()  # a sensor changes by itself
    for index, value in after.items():
        if values.get(index, value) != value and again.get(index) == value:
            changed.add(index)
    return changed


@rule("4.3.7")
def set_out_of_range(trial: Trial) -> None:
    """A number out of range is rounded with INEXACT, or refused; never kept as it is."""
    with trial.opened() as device:
        for option in device.options():
            wrong = illegal_words(option)
            if not option.is_settable or not wrong:
                continue
            original = device.get(option)[1]
            for word in wrong:
                value = word_bytes(*[word] * (option.size // 4))
                status, info, written, intact = device.set(option, value)
                what = f"setting {option} to {word}"
                trial.expect(intact, f"{what}: written back behind the value that was given")
                if status == const.STATUS_GOOD:
                    trial.expect(bool(info & const.INFO_INEXACT), f"{what}: kept without INEXACT")
                    again = device.set(option, written)
                    trial.status(f"{what}: setting the rounded value", again[0], 0)
                    stays = not again[1] & const.INFO_INEXACT
                    trial.expect(stays, f"{what}: the rounded value is rounded again")
                else:
                    trial.status(what, status, *REFUSED)
            device.set(option, original)


def illegal_words(option: Option) -> list[int]:
    """Return words that the constraint of *option* does not allow."""
    if option.type not in (const.TYPE_INT, const.TYPE_FIXED) or not option.constraint:
        return []
    if option.constraint_type == const.CONSTRAINT_RANGE:
        low, high, _ = option.constraint
    else:
        low, high = min(option.constraint), max(option.constraint)
    limit = 1 << 31
    return [word for word in (low - 1, high + 1) if -limit <= word < limit]


@rule("4.3.7")
def set_nonsense(trial: Trial) -> None:
    """A BOOL of 2 and a text outside the list are refused, and change nothing."""
    with trial.opened() as device:
        for option in device.options():
            if not option.is_settable or not option.is_readable:
                continue
            if option.type == const.TYPE_BOOL:
                value = word_bytes(2)
            elif option.constraint_type == const.CONSTRAINT_STRING_LIST:
                value = b"~no such\0"
            else:
                continue
            before = device.get(option)
            status = device.set(option, value)[0]
            trial.status(f"setting {option} to {value!r}", status, *REFUSED)
            after = device.get(option)
            same = value_of(option, before[1]) == value_of(option, after[1])
            trial.expect(same, f"{option}: refused, and yet the value changed")


@rule("4.3.7")
def set_aliased(trial: Trial) -> None:
    """A value may lie in the descriptor's own constraint, as simple-scan passes it."""
    with trial.opened() as device:
        tried = 0
        for option in device.options():
            if not option.is_settable or option.constraint_type != const.CONSTRAINT_RANGE:
                continue
            if option.size != 4 or not option.constraint_address:
                continue
            original = device.get(option)[1]
            address = option.constraint_address + 4  # range.max
            status = device.call("control_option", option.index, SET, address, None)
            trial.status(f"setting {option} from its own range.max", status, const.STATUS_GOOD)
            now = device.option(option.index)
            same = now is not None and now.constraint == option.constraint
            trial.expect(same, f"{option}: its range changed")
            device.set(option, original)
            tried += 1
    if not tried:
        raise Skipped("no option with a range")


@rule("4.3.7")
def set_auto(trial: Trial) -> None:
    """An AUTOMATIC option chooses a legal value, without value and info, too."""
    tried = 0
    with trial.opened() as device:
        for option in device.options():
            if not (option.is_settable and option.cap & const.CAP_AUTOMATIC):
                continue
            status = device.call("control_option", option.index, AUTO, None, None)
            trial.status(f"automatic for {option}", status, const.STATUS_GOOD)
            status, data = device.get(option)
            if status == const.STATUS_GOOD:
                check_legal(trial, option, data)
            tried += 1
    if not tried:
        raise Skipped("no option is AUTOMATIC")


@rule("4.3.7")
def buttons(trial: Trial) -> None:
    """A button works with NULL, and with info in its place."""
    if not trial.settings.buttons:
        raise Skipped("buttons act on the device: --buttons presses them")
    with trial.opened() as device:
        for option in device.options():
            if option.type == const.TYPE_BUTTON and option.is_settable:
                info = ctypes.c_int(0)
                both = ctypes.byref(info)
                for value in (None, both):
                    status = device.call("control_option", option.index, SET, value, both)
                    trial.status(f"pressing {option}", status, const.STATUS_GOOD)


@rule("4.5")
def preview_changes_nothing(trial: Trial) -> None:
    """Preview changes no other option's value."""
    with trial.opened() as device:
        preview = device.named("preview")
        if preview is None:
            raise Skipped("no option preview")
        before = device.values()
        device.set(preview, word_bytes(1))
        after, again = device.values(), device.values()  # a sensor changes by itself
        device.set(preview, word_bytes(0))
        for index, value in before.items():
            if index == preview.index or after.get(index) != again.get(index):
                continue
            if after.get(index, value) != value:
                trial.fail(f"preview changed option {index}")


@rule("4.5")
def corners_in_any_order(trial: Trial) -> None:
    """The corners of the scan area can be set in any order."""
    with trial.opened() as device:
        names = [name for name in ("br-x", "br-y", "tl-x", "tl-y") if device.named(name)]
        if len(names) < 4:
            raise Skipped("no scan area")
        for order in (names, names[::-1]):
            for name in order:
                device.choose(name, 0)
                option = device.named(name)
                if option is None or not option.constraint:
                    continue
                if option.constraint_type == const.CONSTRAINT_RANGE:
                    value = option.constraint[1]
                else:
                    value = max(option.constraint)
                status = device.set(option, word_bytes(value))[0]
                trial.status(f"setting {name} to its largest value", status, const.STATUS_GOOD)
        status, _ = device.parameters()
        trial.status("sane_get_parameters", status, const.STATUS_GOOD)
