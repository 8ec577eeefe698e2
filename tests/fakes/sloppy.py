"""An emulated device whose author thought of nothing: his names are the bus's, his code fails."""

from __future__ import annotations

from typing import Any

from sane.testing.usb import Endpoint, Interface, UsbDevice

BULK_IN, BULK_OUT = 0x81, 0x02


class Sloppy(UsbDevice):
    """Echoes, and fails on request."""

    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)
    sheets = 1

    trace: Any = "mine"
    alternates: Any = ()

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.value: Any = 7
        self.faults: Any = None
        self.is_gone: Any = True

    def on_out(self, endpoint: int, data: bytes) -> None:
        if data == b"raise":
            raise RuntimeError("a mistake")
        if data == b"attribute":
            self.nothing.there()  # type: ignore[attr-defined]
        if data == b"later":
            self.call_later(1, lambda: 1 // 0)
        if data == b"echo":
            self.send(BULK_IN, data)

    def control(self, setup: Any, data: bytes) -> bytes | None:
        answers: dict[int, bytes] = {}
        return answers[setup.request]

    def on_reset(self) -> None:
        raise ValueError("reset")
