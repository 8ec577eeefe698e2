"""What the command line and the configuration together ask of a scan; the command line wins.

It turns the values of a configuration into words, so that there is one check for both. Source:
specification 12.5.
"""

from __future__ import annotations

import argparse
import os
import re

from ...pagework.profiles import Configuration
from . import scan_options
from .exits import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...api.scanner import Scanner

FOR_OTHERS = ("destination",)  # keys of profiles that `pysane share` uses


class Wishes:
    """A command line, and the configuration behind it."""

    def __init__(self, given: argparse.Namespace, words: Sequence[str]) -> None:
        """Read the configuration; raises PageWorkError for a mistake in it."""
        self._words = list(words)
        self._parser = scan_options.parser()
        self._configuration = Configuration.load(given.config, os.environ, self._check)
        self._profile: str | None = "" if given.no_profile else given.profile

    def settled(self, scanner: Scanner | None = None) -> argparse.Namespace:
        """Return all options; with a scanner, those of its sections too.

        Beside the options of the parser there are driver_options, (name, value) pairs of the
        configuration, and the commands after_page and after_file.
        """
        found = self._configuration.settings(
            self._profile,
            device="" if scanner is None else scanner.name,
            model="" if scanner is None else self._model(scanner),
        )
        driver_options = found.pop("options", {})
        for key in FOR_OTHERS:
            found.pop(key, None)
        words = [word for key, value in found.items() for word in words_of(key, value)]
        options = self._parser.read([*words, *self._words])
        options.driver_options = list(driver_options.items())
        hooks = self._configuration.hooks
        options.after_page, options.after_file = hooks.get("after_page"), hooks.get("after_file")
        return options

    def _check(self, key: str, value: Any) -> None:
        """Raise ValueError if the command line does not take *value* for the option *key*."""
        try:
            if key not in FOR_OTHERS:
                self._parser.read(words_of(key, value))
        except Failure as exc:
            raise ValueError(re.sub(r"^argument \S+: ", "", exc.message)) from exc

    @property
    def has_devices(self) -> bool:
        """Tell whether some settings depend on the device."""
        return any(file.data.get("devices") for file in self._configuration.files)

    def _model(self, scanner: Scanner) -> str:
        """Return the model, for which a device that was opened by its name has to be listed."""
        if scanner.info.model or not self.has_devices:
            return scanner.info.model
        from ... import devices

        return next((one.model for one in devices() if one.name == scanner.name), "")


def words_of(key: str, value: Any) -> list[str]:
    """Return a value of the configuration as words of the command line."""
    option = f"--{key}"
    if value is False:
        return []
    if value is True:
        return ["--verbose"] if key == "verbose" else [option]
    if key == "verbose":
        return [option] * int(value)
    if isinstance(value, list | tuple):
        value = ",".join(f"{part:g}" for part in value)
    return [f"{option}={value}"]


def without_configuration(options: argparse.Namespace) -> argparse.Namespace:
    """Return options of the command line alone, as `Wishes.settled` returns all."""
    options.driver_options = []
    options.after_page = options.after_file = None
    return options
