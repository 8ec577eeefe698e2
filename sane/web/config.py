"""pysane-share.toml: the server's settings, read once, with errors that name file, key and line.

It knows keys, defaults and limits; what they are for is others' business. A section is a
dataclass here, a key a field of it: name, default and check stand in one place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from .. import config
from ..pagework.problem import PageWorkError
from ..pagework.toml import TomlFile
from . import values
from .values import Check, Network

if TYPE_CHECKING:
    from ..config import Environment

FILE = "pysane-share.toml"
PORT = 8090  # clients keep URLs: it stays the same
HTTPS_PORT = 8443
DAY_SECONDS = 86_400

ANYTHING = {"check": values.anything}  # a table whose keys others check


class ConfigError(Exception):
    """The configuration cannot be used. problems: lines that name file, line and key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def setting(default: Any, check: Check) -> Any:
    """Declare a key: its default, as the file would give it after *check*, and the check."""
    return field(default=default, metadata={"check": check})


TABLE: Any = {
    "default_factory": dict,
    "metadata": {"check": values.anything},
}  # others check its keys


def required(check: Check) -> Any:
    """Declare a key that an entry cannot do without."""
    return field(default=None, metadata={"check": check, "required": True})


@dataclass(frozen=True)
class ServerSettings:
    """[server]: where it listens, and who may connect."""

    port: int = setting(PORT, values.integer(0, 65535))  # 0: any, for tests
    addresses: tuple[str, ...] = setting((), values.several(values.address))
    networks: tuple[Network, ...] = setting((), values.several(values.network))
    names: tuple[str, ...] = setting((), values.several(values.host_name))
    trusted_proxies: tuple[Network, ...] = setting((), values.several(values.network))
    base_url: str = setting("", values.base_url)
    port_per_scanner: bool = setting(False, values.yes_or_no)
    random_paths: bool = setting(False, values.yes_or_no)
    announce: bool = setting(True, values.yes_or_no)
    page: bool = setting(True, values.yes_or_no)


@dataclass(frozen=True)
class HttpsSettings:
    """[https]: a second port with TLS; without files the server makes a certificate."""

    enabled: bool = setting(True, values.yes_or_no)
    port: int = setting(HTTPS_PORT, values.integer(0, 65535))
    certificate: str = setting("", values.path)
    key: str = setting("", values.path)


@dataclass(frozen=True)
class LimitSettings:
    """[limits]: what one client, and all together, may take. Times are seconds."""

    connections: int = setting(256, values.integer(1, 10_000))
    connections_per_address: int = setting(16, values.integer(1, 10_000))
    head_seconds: float = setting(10.0, values.number(0.1, 3600))
    body_seconds: float = setting(10.0, values.number(0.1, 3600))
    idle_seconds: float = setting(30.0, values.number(0.1, 3600))
    stall_seconds: float = setting(60.0, values.number(0.1, 3600))
    upload_bytes: int = setting(64 << 10, values.integer(1 << 16, 1 << 26))
    worker_memory_mib: int = setting(2048, values.integer(128, 1 << 20))
    worker_cpu_seconds: int = setting(0, values.integer(0, DAY_SECONDS))


@dataclass(frozen=True)
class ScannersSettings:
    """[scanners]: which are shared, and how they are looked after."""

    ignore: tuple[str, ...] = setting(
        ("escl:.*", "airscan:.*", "net:.*"), values.several(values.pattern)
    )
    network: bool = setting(False, values.yes_or_no)
    serial_numbers: bool = setting(False, values.yes_or_no)
    sensor_seconds: float = setting(5.0, values.number(0, 3600))
    hot_plug: bool = setting(True, values.yes_or_no)
    start_seconds: float = setting(120.0, values.number(1, 3600))


@dataclass(frozen=True)
class ScannerSettings:
    """[[scanner]]: what is different for the scanners whose SANE names match ``device``.

    poll_sensors, poll_buttons: None where the driver decides.
    """

    device: str = required(values.pattern)
    title: str = setting("", values.text)
    share: bool = setting(True, values.yes_or_no)
    poll_sensors: bool | None = setting(None, values.yes_or_no)
    poll_buttons: bool | None = setting(None, values.yes_or_no)
    options: dict[str, Any] = field(default_factory=dict, metadata={"check": values.option_values})


@dataclass(frozen=True)
class EsclSettings:
    """[escl]: what clients of the eSCL protocol see."""

    enabled: bool = setting(True, values.yes_or_no)
    version: str = setting("2.0", values.one_of("2.0", "2.63"))
    quality: int = setting(90, values.integer(1, 100))
    synthesize_gray: bool = setting(False, values.yes_or_no)
    same_address: bool = setting(True, values.yes_or_no)
    max_pages: int = setting(1000, values.integer(1, 100_000))


@dataclass(frozen=True)
class ClientSettings:
    """[[client]]: what is different for eSCL clients whose User-Agent contains ``agent``."""

    agent: str = required(values.text)
    png: bool = setting(False, values.yes_or_no)
    gamma: float = setting(1.0, values.number(0.1, 10))


@dataclass(frozen=True)
class DocumentSettings:
    """[documents]: what was scanned from the page is kept in the state directory."""

    keep_days: float = setting(30.0, values.number(0, 36_500))
    max_mib: int = setting(10_240, values.integer(16, 1 << 30))


@dataclass(frozen=True)
class UserSettings:
    """[[user]]: somebody who signs in on the page. password: its Argon2 hash."""

    name: str = required(values.text)
    password: str = required(values.text)


@dataclass(frozen=True)
class TokenSettings:
    """[[token]]: a program that uses REST. hash: SHA-256 of the token, in hexadecimal."""

    name: str = required(values.text)
    hash: str = required(values.text)


@dataclass(frozen=True)
class DestinationSettings:
    """[[destination]]: where documents are sent. settings: the keys of its kind."""

    name: str = required(values.text)
    kind: str = required(values.one_of("folder", "paperless", "webhook", "mail", "command"))
    title: str = setting("", values.text)
    settings: dict[str, Any] = field(default_factory=dict, metadata=ANYTHING)


@dataclass(frozen=True)
class ProfileSettings:
    """[[profile]]: settings for a scan by one name."""

    name: str = required(values.text)
    settings: dict[str, Any] = field(default_factory=dict, metadata=ANYTHING)
    work: dict[str, Any] = field(default_factory=dict, metadata=ANYTHING)
    destination: str = setting("", values.text)


@dataclass(frozen=True)
class ButtonSettings:
    """[[button]]: what a scanner's button starts. device: a pattern of SANE names."""

    button: str = required(values.text)
    profile: str = required(values.text)
    device: str = setting(".*", values.pattern)
    destination: str = setting("", values.text)


@dataclass(frozen=True)
class ShareSettings:
    """Everything of pysane-share.toml. file: "" if there is none."""

    server: ServerSettings = field(default_factory=ServerSettings)
    https: HttpsSettings = field(default_factory=HttpsSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    scanners: ScannersSettings = field(default_factory=ScannersSettings)
    escl: EsclSettings = field(default_factory=EsclSettings)
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    scanner: tuple[ScannerSettings, ...] = ()
    client: tuple[ClientSettings, ...] = ()
    user: tuple[UserSettings, ...] = ()
    token: tuple[TokenSettings, ...] = ()
    destination: tuple[DestinationSettings, ...] = ()
    profile: tuple[ProfileSettings, ...] = ()
    button: tuple[ButtonSettings, ...] = ()
    file: str = ""


SECTIONS: dict[str, type] = {
    "server": ServerSettings,
    "https": HttpsSettings,
    "limits": LimitSettings,
    "scanners": ScannersSettings,
    "escl": EsclSettings,
    "documents": DocumentSettings,
}
ENTRIES: dict[str, type] = {
    "scanner": ScannerSettings,
    "client": ClientSettings,
    "user": UserSettings,
    "token": TokenSettings,
    "destination": DestinationSettings,
    "profile": ProfileSettings,
    "button": ButtonSettings,
}


def find(environment: Environment) -> str:
    """Return the path of pysane-share.toml among SANE's configuration files, "" without one."""
    for directory in config.directories(environment):
        path = os.path.join(directory, FILE)
        if os.path.exists(path):
            return path
    return ""


def read(path: str) -> ShareSettings:
    """Return the settings in the file *path*, the defaults for ""; raises ConfigError."""
    if not path:
        return ShareSettings()
    try:
        file = TomlFile.read(path, must_exist=True)
    except PageWorkError as exc:
        raise ConfigError([str(exc)]) from exc
    assert file is not None
    problems: list[str] = []
    found: dict[str, Any] = {"file": path}
    for name, value in file.data.items():
        if name in SECTIONS:
            found[name] = _section(file, problems, SECTIONS[name], value, (name,))
        elif name in ENTRIES:
            found[name] = _entries(file, problems, name, value)
        else:
            known = ", ".join([*SECTIONS, *ENTRIES])
            problems.append(f"{file.where(name)}: {name}: there is no such section; known: {known}")
    if not problems:
        from .meanings import problems_of

        settings = ShareSettings(**found)
        problems = [f"{file.where(*key)}: {text}" for key, text in problems_of(settings)]
    if problems:
        raise ConfigError(problems)
    return settings


def _entries(file: TomlFile, problems: list[str], name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        problems.append(f"{file.where(name)}: {name}: write [[{name}]], once for each")
        return ()
    return tuple(
        _section(file, problems, ENTRIES[name], item, (name, str(number)))
        for number, item in enumerate(value)
    )


def _section(
    file: TomlFile, problems: list[str], kind: type, value: Any, path: tuple[str, ...]
) -> Any:
    """Return the dataclass *kind* with what the table *value* at *path* says."""
    if not isinstance(value, dict):
        header = f"[[{path[0]}]]" if path[0] in ENTRIES else f"[{path[0]}]"
        problems.append(f"{file.where(*path)}: {path[0]}: write it as {header}")
        return kind()
    known = {item.name: item for item in fields(kind)}
    found: dict[str, Any] = {}
    for name, given in value.items():
        where, full = file.where(*path, name), f"{path[0]}.{name}"
        if name not in known:
            problems.append(f"{where}: {full}: there is no such key; known: {', '.join(known)}")
            continue
        try:
            found[name] = known[name].metadata["check"](given)
        except ValueError as exc:
            problems.append(f"{where}: {full}: {exc}")
    for name, item in known.items():
        if item.metadata.get("required") and name not in value:
            problems.append(f"{file.where(*path)}: {path[0]}.{name}: is missing")
    return kind(**found)
