"""The course of the program: two passes over the command line, the device between them, the scan.

It knows the order of things; each is done by a module of its own. Source: python-api-and-cli 11;
the calls and their order: c-abi-and-dll 6.1.
"""

from __future__ import annotations

import os

from ...backend import Context
from ...config import Environment
from ...const import STATUS_TEXTS
from ...dll.registry import registry_for
from ...errors import SaneError, status_of
from . import usage
from .arguments import LETTERS, LONGS, FirstPass, Settings
from .getopt import Words
from .messages import Exit
from .options import DeviceOptions, failed
from .passwords import Passwords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...dll.registry import Registry, Single
    from ...handle import Handle
    from ...listed import DeviceInfo
    from .jobs import Job
    from .messages import Messages
    from .names import Pattern


class Program:
    """One run."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._passwords = Passwords(messages)
        context = Context(Environment.current(), self._passwords)
        self._registry: Registry | Single = registry_for("", context)
        self._handle: Handle | None = None
        self._settings = Settings()
        self._name = ""  # of the device

    def close(self) -> None:
        """Close the device and end the backends."""
        if self._handle is not None:
            self._tell("Closing device\n")
            self._handle.close()
        self._tell("Calling sane_exit\n")
        self._registry.exit()
        self._tell(f"{self._messages.name}: finished\n")

    def _tell(self, text: str) -> None:
        if self._settings.verbose > 1:
            self._messages.raw(text)

    def run(self, words: Sequence[str]) -> int:
        """Do what the command line says; return the exit status. Raises Exit, and OSError."""
        settings = self._settings
        FirstPass(settings, self._messages, self._list, self._version).read(words)
        self._passwords.md5_only = settings.md5_only
        pattern = self._pattern(settings)
        if settings.help:
            self._messages.show(usage.USAGE.format(program=self._messages.name))
        handle = self._handle = self._open(settings)
        if handle is None:
            self._show_hint()
            return 0
        options = DeviceOptions(handle, self._messages, bool(settings.verbose))
        self._second_pass(words, options)
        options.set_area()
        if settings.help or settings.all_options:
            return self._show(options, settings)
        if settings.dont_scan:
            return 0
        return self._scan(handle, options, settings, pattern)

    # Before the device

    def _version(self) -> None:
        self._messages.show(usage.version(self._messages.name))
        raise Exit(0)

    def _devices(self) -> list[DeviceInfo]:
        try:
            return self._registry.get_devices(False)
        except SaneError as exc:
            text = STATUS_TEXTS[status_of(exc)]
            raise self._messages.fail(f"sane_get_devices() failed: {text}") from exc

    def _list(self, pattern: str | None) -> None:
        from .listing import formatted, sentences

        devices = self._devices()
        if pattern is None:
            text = sentences(devices, os.environ.get("SANE_DEFAULT_DEVICE"))
        else:
            text = formatted(devices, pattern, self._messages)
        self._messages.show(text)
        raise Exit(0)

    def _pattern(self, settings: Settings) -> Pattern | None:
        """Return how batch mode names files; a pattern that cannot ends the program (C4)."""
        if not settings.batch:
            return None
        from .names import BadPattern, Pattern

        try:
            pattern = Pattern(settings.batch_format or "")
        except BadPattern as exc:
            raise self._messages.fail(str(exc)) from exc
        if not pattern.has_number:
            self._messages.say(
                f"--batch={settings.batch_format}: no number in it, each page replaces the last one"
            )
        return pattern

    def _open(self, settings: Settings) -> Handle | None:
        """Open the device; None, with the reason said, where --help goes on without one."""
        name = settings.device
        if name is None:
            name = os.environ.get("SANE_DEFAULT_DEVICE")
        if name is None:
            devices = self._devices()
            if not devices:
                self._messages.say("no SANE devices found")
                if settings.help:
                    raise Exit(0)
                raise Exit(1)
            name = devices[0].name
        self._name = name
        try:
            return self._registry.open(name)
        except Exception as exc:  # the registry has reported it
            text = STATUS_TEXTS[status_of(exc)]
            self._messages.say(f"open of device {name} failed: {text}")
            if name.startswith("/"):
                self._messages.raw(usage.PATHS.format(program=self._messages.name))
        if not settings.help:
            raise Exit(1)
        return None

    # With the device

    def _second_pass(self, words: Sequence[str], options: DeviceOptions) -> None:
        """Set the options of the device, in the order given; the first mistake ends the program."""

        def complain(text: str) -> None:
            raise self._messages.mistake(text)

        longs = [*options.longs(), *LONGS]
        parser = Words(words, LETTERS | options.letters(), longs, complain)
        for key, value in parser.options():
            if isinstance(key, int) or key in options.geometry:
                options.take(key, value)
        if parser.operands:
            raise self._messages.fail(
                f"argument without option: `{parser.operands[-1]}'; "
                f"try {self._messages.program} --help"
            )

    def _show(self, options: DeviceOptions, settings: Settings) -> int:
        from .table import table

        self._messages.show(table(options, self._name, settings.all_options))
        if settings.help:
            self._show_hint()
        return 0

    def _show_hint(self) -> None:
        from .listing import names

        text = usage.HINT.format(program=self._messages.name)
        self._messages.show(text + names(self._devices()))

    def _scan(
        self,
        handle: Handle,
        options: DeviceOptions,
        settings: Settings,
        pattern: Pattern | None,
    ) -> int:
        from .interrupt import Interrupt
        from .jobs import Batch, Job
        from .reading import Scanner

        try:
            scanner = Scanner(handle, settings, self._messages)
        except OSError as exc:
            raise self._messages.fail(f"option --buffer-size: {exc.strerror}") from exc
        dpi = options.resolution() if settings.format != "pnm" else 0
        try:
            if pattern is not None:
                job: Job = Batch(scanner, settings, self._messages, dpi, pattern)
            else:
                job = Job(scanner, settings, self._messages, dpi)
        except ImportError as exc:
            text = f"this PySANE makes no {settings.format}: {exc}"
            raise self._messages.fail(text) from exc
        if not (pattern or settings.tests or job.open_target()):
            return 1
        scanner.interrupt = Interrupt(self._messages, handle.cancel_request.set, job.abandon)
        try:
            if settings.tests:
                from .selftest import SelfTest

                return SelfTest(handle, scanner, self._messages).run()
            return job.run()
        except BaseException:
            job.abandon()
            raise
        finally:
            self._cancel(handle)

    def _cancel(self, handle: Handle) -> None:
        try:
            handle.cancelled()
        except BaseException as exc:
            failed(handle, "cancel", exc)
