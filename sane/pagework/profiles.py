"""Configuration of the programs that scan: defaults, devices, profiles, variables, what wins.

It knows files and their sections; what a key means is keys.py's and the programs'. Source:
specification python-api-and-cli 12.5.
"""

from __future__ import annotations

import os

from .keys import checked, from_text, meant
from .problem import CONFIG, OUTPUT, USAGE, PageWorkError, output_error
from .toml import TomlFile, table_text, without_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Check = Callable[[str, Any], None]

SYSTEM_FILE = "/etc/sane.d/pysane-cli.toml"
FOLDER_FILE = ".pysane.toml"  # of the working directory, only where the user says so
VARIABLES = "PYSANE_SCAN_"
SECTIONS = ("defaults", "devices", "profiles", "hooks")
HOOKS = ("after_page", "after_file")
OPTIONS, EXTENDS = "options", "extends"


class Configuration:
    """What the files say. settings(): what counts for a profile and a device.

    files: later ones win. check(key, value) raises ValueError for a value that the program cannot
    use. Raises PageWorkError (exit code 78) that names the file and the line of an unknown key or a
    wrong value, anywhere in the files.
    """

    def __init__(
        self,
        files: list[TomlFile],
        variables: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> None:
        self.files = files
        self._check = check
        self._variables = dict(variables or {})
        self.hooks: dict[str, str] = {}
        self._defaults: dict[str, Any] = {}
        self._devices: list[tuple[str, dict[str, Any]]] = []
        self._profiles: dict[str, tuple[TomlFile, dict[str, Any]]] = {}
        for file in files:
            self._add(file)

    @classmethod
    def load(
        cls,
        config: str | None = None,
        environment: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Configuration:
        """Return what the usual files say, those that are there, and the variables PYSANE_SCAN_*.

        config: one more file, which must be there; "." is .pysane.toml of the working directory.
        """
        variables = os.environ if environment is None else environment
        named = [FOLDER_FILE if config == "." else config] if config else []
        if variables.get("PYSANE_CONFIG"):
            named.append(variables["PYSANE_CONFIG"])
        found = [TomlFile.read(path) for path in (SYSTEM_FILE, user_file(variables))]
        found += [TomlFile.read(path, must_exist=True) for path in named]
        return cls([file for file in found if file is not None], variables, check)

    @property
    def names(self) -> list[str]:
        """The profiles' names, sorted."""
        return sorted(self._profiles)

    def file_of(self, profile: str) -> str:
        """Return the path of the file that a profile stands in; raises PageWorkError."""
        return self._profile(profile, "profile")[0].path

    def settings(
        self, profile: str | None = None, *, device: str = "", model: str = ""
    ) -> dict[str, Any]:
        """Return the values by key, with "options" for the driver's; the command line wins over it.

        defaults, then the devices whose pattern fits *device* (a name) or *model*, then the
        profile and what it extends, then the variables. profile: None takes the key "profile" of
        the defaults, "" takes none.
        """
        out: dict[str, Any] = {}
        _merge(out, self._defaults)
        for pattern, values in self._devices:
            if _matches(pattern, device) or _matches(pattern, model):
                _merge(out, values)
        variables = self._from_variables()
        chosen = variables.get("profile", out.get("profile")) if profile is None else profile
        if chosen:
            _merge(out, self.profile(chosen))
            out["profile"] = chosen
        _merge(out, variables)
        return out

    def profile(self, name: str) -> dict[str, Any]:
        """Return a profile's values, with those that it extends; raises PageWorkError."""
        chain: list[str] = []
        out: list[dict[str, Any]] = []
        where = "profile"
        while True:
            file, values = self._profile(name, where)
            if name in chain:
                circle = " extends ".join([*chain[chain.index(name) :], name])
                raise PageWorkError(f"{where} {circle}", exit_code=CONFIG)
            chain.append(name)
            out.append({key: value for key, value in values.items() if key != EXTENDS})
            if not values.get(EXTENDS):
                break
            where = f"{file.where('profiles', name, EXTENDS)}: profile"
            name = values[EXTENDS]
        merged: dict[str, Any] = {}
        for values in reversed(out):
            _merge(merged, values)
        return merged

    def _profile(self, name: str, where: str) -> tuple[TomlFile, dict[str, Any]]:
        if name not in self._profiles:
            known = f"there are {', '.join(self.names)}" if self._profiles else "there are none"
            message = f"{where} {name!r} is not there{meant(name, self._profiles)}"
            raise PageWorkError(message, hint=known, exit_code=CONFIG)
        return self._profiles[name]

    # Reading

    def _add(self, file: TomlFile) -> None:
        for section, values in file.data.items():
            where = file.where(section)
            if section not in SECTIONS:
                message = f"{where}: unknown section or key {section!r}{meant(section, SECTIONS)}"
                raise PageWorkError(message, exit_code=CONFIG)
            if not isinstance(values, dict):
                raise PageWorkError(f"{where}: {section} is no section", exit_code=CONFIG)
            if section == "defaults":
                _merge(self._defaults, self._checked(file, (section,), values))
            elif section == "hooks":
                self.hooks.update(_hooks(file, values))
            else:
                for name, table in values.items():
                    self._add_named(file, section, name, table)

    def _add_named(self, file: TomlFile, section: str, name: str, table: object) -> None:
        if not isinstance(table, dict):
            where = file.where(section, name)
            raise PageWorkError(f"{where}: {section}.{name} is no section", exit_code=CONFIG)
        is_profile = section == "profiles"
        values = self._checked(file, (section, name), table, extends=is_profile)
        if is_profile:
            self._profiles[name] = file, values
        else:
            self._devices.append((name, values))

    def _from_variables(self) -> dict[str, Any]:
        out = {}
        for name, text in sorted(self._variables.items()):
            if name.startswith(VARIABLES):
                key = name.removeprefix(VARIABLES).lower().replace("_", "-")
                out[key] = self._usable(key, from_text(key, text, name), name)
        return out

    def _checked(
        self,
        file: TomlFile,
        path: tuple[str, ...],
        table: dict[str, Any],
        *,
        extends: bool = False,
    ) -> dict[str, Any]:
        """Return the values of a table; raises PageWorkError for what is not known or fits not."""
        out: dict[str, Any] = {}
        for key, value in table.items():
            where = file.where(*path, key)
            if key == OPTIONS:
                if not isinstance(value, dict):
                    raise PageWorkError(f"{where}: options is no table", exit_code=CONFIG)
                out[key] = dict(value)
            elif key == EXTENDS and extends:
                if not isinstance(value, str):
                    raise PageWorkError(f"{where}: extends is no name", exit_code=CONFIG)
                out[key] = value
            else:
                out[key] = self._usable(key, checked(key, value, where), where)
        return out

    def _usable(self, key: str, value: Any, where: object) -> Any:
        """Return *value* if the program can use it; raises PageWorkError."""
        try:
            if self._check is not None:
                self._check(key, value)
        except ValueError as exc:
            raise PageWorkError(f"{where}: {key}: {exc}", exit_code=CONFIG) from exc
        return value


def _hooks(file: TomlFile, table: dict[str, Any]) -> dict[str, str]:
    for name, command in table.items():
        where = file.where("hooks", name)
        if name not in HOOKS:
            message = f"{where}: unknown hook {name!r}{meant(name, HOOKS)}"
            raise PageWorkError(message, exit_code=CONFIG)
        if not isinstance(command, str):
            raise PageWorkError(f"{where}: {name} is no command", exit_code=CONFIG)
    return table


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Add *values*, which win; the driver's options are merged one by one."""
    for key, value in values.items():
        into[key] = {**into.get(key, {}), **value} if key == OPTIONS else value


def _matches(pattern: str, text: str) -> bool:
    from fnmatch import fnmatchcase

    return bool(text) and fnmatchcase(text.lower(), pattern.lower())


# Writing


def save_profile(
    name: str, values: Mapping[str, Any], *, path: str | None = None, force: bool = False
) -> str:
    """Write a profile to the user's file, or to *path*; return the file's path.

    values: by keys of KEYS, and "options" and "extends". Comments and the rest of the file stay.
    Raises PageWorkError: a key that is not known, a profile that is there already and no force.
    """
    if not name or name != name.strip() or not name.isprintable():
        message = f"{name!r} is no name for a profile: printed characters, no space at the ends"
        raise PageWorkError(message, exit_code=USAGE)
    for key, value in values.items():
        if key not in (OPTIONS, EXTENDS):
            checked(key, value, f"profile {name}")
    path = path or user_file(os.environ)
    file = TomlFile.read(path) or TomlFile(path, "")
    text = file.text
    if name in file.data.get("profiles", {}):
        if not force:
            message = f"{path}: profile {name} is there already"
            raise PageWorkError(message, hint="--force replaces it", exit_code=OUTPUT)
        text = without_table(file, ("profiles", name))
    text = text.rstrip("\n") + "\n\n" if text.strip() else ""
    _replace(file, name, dict(values), text + table_text(("profiles", name), dict(values)))
    return path


def delete_profile(name: str, *, path: str | None = None) -> str:
    """Remove a profile from the user's file, or from *path*; return the file's path."""
    path = path or user_file(os.environ)
    file = TomlFile.read(path) or TomlFile(path, "")
    if name not in file.data.get("profiles", {}):
        raise PageWorkError(f"{path}: there is no profile {name}", exit_code=CONFIG)
    _replace(file, name, None, without_table(file, ("profiles", name)))
    return path


def _replace(file: TomlFile, name: str, values: dict[str, Any] | None, text: str) -> None:
    """Write *text* if it says what is meant: all as it was, and the profile is *values*."""
    from .newfile import NewFile

    wanted = {**file.data, "profiles": dict(file.data.get("profiles", {}))}
    wanted["profiles"].pop(name, None)
    if values is not None:
        wanted["profiles"][name] = {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }
    found = TomlFile(file.path, text).data
    if {**found, "profiles": found.get("profiles", {})} != wanted:
        message = f"{file.path}: profile {name} is not written as a section of its own"
        raise PageWorkError(message, hint="change the file with an editor", exit_code=OUTPUT)
    folder = os.path.dirname(os.path.abspath(file.path))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as exc:
        hint = "set XDG_CONFIG_HOME to a folder that you may write to"  # a read-only home
        raise output_error(folder, exc, "cannot make the folder", hint) from exc
    with NewFile(file.path, replaces=True) as new:
        new.write(text.encode())


# Places


def user_file(environment: Mapping[str, str]) -> str:
    """Return the path of the user's own file."""
    return os.path.join(_folder(environment, "XDG_CONFIG_HOME", ".config"), "config.toml")


def state_folder(environment: Mapping[str, str]) -> str:
    """Return the folder for what is remembered from run to run; it may not be there yet."""
    return _folder(environment, "XDG_STATE_HOME", ".local/state")


def _folder(environment: Mapping[str, str], variable: str, usual: str) -> str:
    """Return our folder in one of the user's; a relative path in the variable does not count."""
    base = environment.get(variable, "")
    if not os.path.isabs(base):
        home = environment.get("HOME") or os.path.expanduser("~")
        base = os.path.join(home, usual)
    return os.path.join(base, "pysane")
