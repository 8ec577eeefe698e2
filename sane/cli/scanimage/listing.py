"""Lists of devices: -L, -f FORMAT, and the one at the end of --help.

It knows the listed devices and how lists are written. Source: python-api-and-cli 11.2.
"""

from __future__ import annotations

from .usage import NOTHING_FOUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...listed import DeviceInfo
    from .messages import Messages

WIDTH = 79


def sentences(devices: Sequence[DeviceInfo], default: str | None) -> str:
    """Return what -L prints; *default*: SANE_DEFAULT_DEVICE."""
    lines = [
        f"device `{device.name}' is a {device.vendor} {device.model} {device.type}\n"
        for device in devices
    ]
    if not devices:
        lines.append(NOTHING_FOUND)
    if default is not None:
        lines.append(f"default device is `{default}'\n")
    return "".join(lines)


def formatted(devices: Sequence[DeviceInfo], pattern: str, messages: Messages) -> str:
    """Return *pattern* for each device, with what its % mean; complains of unknown ones."""
    return "".join(
        _one(pattern, _meanings(device, number), messages) for number, device in enumerate(devices)
    )


def _meanings(device: DeviceInfo, number: int) -> dict[str, str]:
    return {
        **{"d": device.name, "v": device.vendor, "m": device.model, "t": device.type},
        **{"i": str(number), "n": "\n", "%": "%"},
    }


def _one(pattern: str, meanings: dict[str, str], messages: Messages) -> str:
    out = ""
    rest = pattern
    while True:
        before, percent, behind = rest.partition("%")
        if percent and not behind:  # at the very end; the original drops a character before it
            return out + rest[1:]
        out += before
        if not percent:
            return out
        meaning = meanings.get(behind[0])
        if meaning is None:
            messages.say(f"unknown format specifier %{behind[0]}")
            meaning = "%"
        out += meaning
        rest = behind[1:]


def names(devices: Sequence[DeviceInfo]) -> str:
    """Return the names, in indented lines."""
    lines = ["   "]
    for device in devices:
        if len(lines[-1]) + 1 + len(device.name) > WIDTH:
            lines.append("   ")
        lines[-1] += f" {device.name}"
    return "\nList of available devices:\n" + "\n".join(lines) + "\n"
