"""The port on which a frame is fetched (net-protocol 5)."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from sane.errors import DeviceIOError
from sane.sessions.dataport import DataPort


class Listening:
    """A listening socket on which accept fails with an error number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def setblocking(self, is_blocking: bool) -> None: ...

    def _accept(self) -> tuple[int, str]:
        raise OSError(self.number, os.strerror(self.number))


def port(number: int) -> DataPort:
    sock: Any = Listening(number)
    owner: Any = None
    return DataPort(sock, 7, owner)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ECONNABORTED])
def test_who_came_and_went_is_nobody(number: int) -> None:
    assert port(number).accept() is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
def test_a_process_that_can_take_no_connection_says_so(number: int) -> None:
    """It would be asked again at once, and again, until the client gives up."""
    with pytest.raises(DeviceIOError, match=f"data port 7: {os.strerror(number)}"):
        port(number).accept()
