"""Faults that an emulated USB device commits on demand: their kinds, and when they happen."""

from __future__ import annotations

from typing import NamedTuple

# What a fault does to the transfer that it meets.
IN_KINDS = (
    "short",  # only its first `size` bytes are sent, 0: an empty one
    "surplus",  # `data` are sent after it, in the same transfer
    "replace",  # `data` are sent instead
    "repeat",  # the transfer before it is sent again instead: a stale answer
    "drop",  # it is never sent
    "empty",  # a packet without data is sent before it
    "stall",  # the endpoint halts; it is sent after the halt was cleared
    "babble",  # the controller reports EOVERFLOW, and it is lost
    "slow",  # it is sent `seconds` later
    "hang",  # it is not sent, nor is anything after it, until the bus is reset
    "unplug",  # the device vanishes after its first `size` bytes
)
OUT_KINDS = ("drop", "stall", "slow", "hang", "unplug")
CONTROL_KINDS = ("short", "replace", "stall", "slow", "hang", "unplug")


class Fault(NamedTuple):
    """A fault on *endpoint* (0: control), at the transfers after the next *after*, *times* long."""

    kind: str
    endpoint: int
    after: int = 0
    times: int = 1
    size: int = 0
    data: bytes = b""
    seconds: float = 0.0


def check(fault: Fault) -> Fault:
    """Return *fault*; raise ValueError if its endpoint knows no such thing."""
    kinds = (
        CONTROL_KINDS if not fault.endpoint else IN_KINDS if fault.endpoint & 0x80 else OUT_KINDS
    )
    if fault.kind not in kinds:
        raise ValueError(f"fault {fault.kind!r} on endpoint {fault.endpoint:#04x}: not in {kinds}")
    if fault.after < 0 or fault.times < 1:
        raise ValueError(f"fault {fault.kind!r} after {fault.after} transfers, {fault.times} times")
    return fault


class Faults:
    """The faults still to come, each with a count of the transfers of its endpoint."""

    def __init__(self) -> None:
        self._pending: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Let *fault* meet a transfer from now on."""
        self._pending.append((check(fault), [0]))

    def clear(self) -> None:
        """Forget those that have not happened."""
        self._pending.clear()

    def meet(self, endpoint: int) -> Fault | None:
        """Count a transfer of *endpoint*; return the fault that it meets, the oldest of several."""
        met = None
        for fault, count in list(self._pending):
            if fault.endpoint != endpoint:
                continue
            due = count[0] >= fault.after
            if due and met is not None:
                continue  # it meets the next one
            count[0] += 1
            if due:
                met = fault
            if count[0] >= fault.after + fault.times:
                self._pending.remove((fault, count))
        return met
