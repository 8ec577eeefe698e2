"""Who a scanner is: what devices and networks tell, in one spelling, so that it can be compared."""

from __future__ import annotations

UUID_DIGITS = 32


def uuid_of(text: str) -> str:
    """Return the UUID in *text* as 32 hexadecimal digits in small letters, "" without one.

    Devices write it with and without ``urn:uuid:``, hyphens and braces. Fewer digits are no UUID.
    Source: specification escl 1.2.
    """
    rest = text.lower()
    for prefix in ("urn:", "uuid:"):
        rest = rest.removeprefix(prefix)
    digits = "".join(char for char in rest if char in "0123456789abcdef")[:UUID_DIGITS]
    return digits if len(digits) == UUID_DIGITS else ""


def usb_of(text: str) -> str:
    """Return ``VVVV:PPPP`` for the USB ids in *text*, as 03f0c511 or 03f0:c511; "" without."""
    digits = text.lower().replace(":", "")
    if len(digits) != 8 or not all(char in "0123456789abcdef" for char in digits):
        return ""
    return f"{digits[:4]}:{digits[4:]}"
