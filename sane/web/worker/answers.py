"""Answers to the requests of sane.wire.private, which only a worker gives."""

from __future__ import annotations

from ... import const
from ...errors import status_of
from ...wire import messages, private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...backend import Device
    from ...sessions.conversation import Answers, Conversation
    from ...wire.records import Record


def identify(conversation: Conversation, request: private.Identify) -> Record:
    """Say who a device is; one that is not listed has no more than its handle says."""
    info = conversation.listed.get(request.name or "")
    uuid, serial, host, usb = info.identity() if info else ("", "", "", "")
    encoded, conditions, polls = "", None, True
    if request.handle != private.NO_HANDLE:
        device = conversation.device(request.handle).handle.device
        encoded = " ".join(device.encoded)
        conditions = conditions_of(device)
        polls = device.poll_buttons
    return private.IdentityReply(
        const.STATUS_GOOD, uuid, serial, host, usb, encoded, conditions, polls
    )


def conditions_of(device: Device) -> str | None:
    """Return the statuses of what stands in the way of a scan; None if the device does not say."""
    try:
        found = device.conditions()
    except Exception:
        return None  # that it cannot be asked now is told by the next scan
    return None if found is None else " ".join(str(int(status_of(each))) for each in found)


def refuse_identity(conversation: Conversation, request: Any, status: int) -> Record:
    """Return a reply with nothing but *status*."""
    return private.IdentityReply(status, None, None, None, None, None, None, False)


def start_page(conversation: Conversation, request: private.StartPage) -> Record:
    """Begin a page in the device's own format."""
    return conversation.start(conversation.device(request.handle), request.mime or "")


def refuse_page(conversation: Conversation, request: Any, status: int) -> Record:
    """Return a reply with nothing but *status*."""
    return messages.StartReply(status, 0, messages.LITTLE_ENDIAN, None)


ANSWERS: Answers = {
    private.Identify: (identify, refuse_identity),
    private.StartPage: (start_page, refuse_page),
}
