"""Announces scanners by DNS-SD, each for HTTP and for HTTPS, and takes it back.

What TXT records say is the eSCL part's; how it is published is sane.discovery's, which blocks: each
announcement has a thread that sleeps on a pipe. Source: specification escl 7.3.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from ..discovery.announce import Announcement, NoPublisher, announce

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

TYPES = {"http": "_uscan._tcp", "https": "_uscans._tcp"}
GOODBYE_SECONDS = 3.0  # for a publisher to say that the service is gone


class Announcer:
    """Keeps announcements as they are wanted."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._running: dict[tuple[str, str], Running] = {}

    def keep(self, wanted: Mapping[tuple[str, str], Announcement]) -> None:
        """Announce all of *wanted*, by scanner and scheme, and nothing else."""
        gone = []
        for key, running in list(self._running.items()):
            if key not in wanted or facts(wanted[key]) != facts(running.service):
                gone.append(self._running.pop(key))
        for running in gone:
            running.release()
        for running in gone:
            running.wait()
        for key, service in wanted.items():
            if key not in self._running:
                self._running[key] = Running(service, self._log)

    def close(self) -> None:
        """Take everything back; clients are told."""
        self.keep({})


class Running:
    """One announcement and its thread."""

    def __init__(self, service: Announcement, log: logging.Logger) -> None:
        self.service = service
        self._log = log
        held, self._leash = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._run, args=(held,), daemon=True)
        self._thread.start()

    def _run(self, held: int) -> None:
        try:
            announce(self.service, held, lambda text: self._log.debug("%s", text))
        except NoPublisher as exc:
            self._log.warning("%s is not announced by DNS-SD: %s", self.service.name, exc)
        except Exception as exc:  # whatever the publisher meets costs the announcement only
            self._log.error("%s is not announced: %s", self.service.name, exc)
        finally:
            os.close(held)

    def release(self) -> None:
        """Tell the thread to take it back."""
        os.close(self._leash)

    def wait(self) -> None:
        """Wait until it is taken back."""
        self._thread.join(GOODBYE_SECONDS)


def facts(service: Announcement) -> tuple[str, str, int, list[str]]:
    """Return what tells one announcement from another."""
    return service.name, service.type, service.port, service.records()
