# mypy: ignore-errors
# It is written for the package that it is dropped into.
"""A scanner whose lists of choices are long, and other ones each time "round" is set."""

from ..backend import INFO_RELOAD_OPTIONS, Device, DeviceInfo, Parameters, Range, option
from ..backend import Backend as _Backend

CHOICES = 100_000


class Swelling(Device):
    """It cannot scan."""

    round = option.Int("Round", "Sets the choices.", Range(0, 1 << 20), reloads=INFO_RELOAD_OPTIONS)
    choice = option.Int("Choice", "One of many numbers.", tuple(range(CHOICES)))

    @choice.constrained("round")
    def _choices(self):
        return tuple(range(self.round, self.round + CHOICES))

    def parameters(self) -> Parameters:
        return Parameters(0, 1, 1)


class Backend(_Backend):
    """One device."""

    def list_devices(self, local_only: bool):
        return [DeviceInfo("one", "V", "M", "T")]

    def open(self, name: str) -> Device:
        return Swelling()
