"""User names and passwords: who is asked for them, and the file ~/.sane/pass.

It knows what frontends do; it knows no protocol. Source: net-protocol 4; python-api 10.8.
"""

from __future__ import annotations

import _thread
import os
import stat

from .errors import AccessDenied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Auth: TypeAlias = Callable[[str], "tuple[str, str] | None"]

MD5_MARK = "$MD5$"  # from here on, a resource is the server's challenge
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MOST_BYTES = 1 << 20  # of the file

_of_all: Auth | None = None
_of_thread: dict[int, Auth] = {}  # whom the call of each thread asks


def set_authorization(auth: Auth | None) -> None:
    """Ask *auth* for user and password from now on, None for ~/.sane/pass again.

    auth(resource) returns (user, password), or None to give up. resource is what the server, or
    the backend, calls what it protects.
    """
    global _of_all  # noqa: PLW0603
    _of_all = auth


def asking(auth: Auth, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return what calls like *call*, and asks *auth* meanwhile."""

    def asked(*arguments: Any, **options: Any) -> Any:
        thread = _thread.get_ident()
        before = _of_thread.get(thread)
        _of_thread[thread] = auth
        try:
            return call(*arguments, **options)
        finally:
            if before is None:
                del _of_thread[thread]
            else:
                _of_thread[thread] = before

    return asked


def authorize(resource: str) -> tuple[str, str]:
    """Return user and password for *resource*; raises AccessDenied when nobody knows them."""
    name = resource.partition(MD5_MARK)[0]
    auth = _of_thread.get(_thread.get_ident()) or _of_all or from_file
    try:
        answer = auth(name)
    except StopIteration as exc:  # it would end the caller's loop as if all pages had come
        raise RuntimeError("auth raised StopIteration") from exc
    if answer is None:
        raise AccessDenied(
            f"{name} wants a user name and a password",
            hint="set_authorization(), or a line user:password:resource in ~/.sane/pass",
        )
    user, password = answer
    return user, password


def from_file(resource: str) -> tuple[str, str] | None:
    """Return what ~/.sane/pass says of *resource*; None if it says nothing.

    Its lines are user:password:resource. A file that others may read is not used.
    """
    path = os.path.join(os.path.expanduser("~"), ".sane", "pass")
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & OTHERS:
                return None
            text = file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    for line in text.splitlines():
        user, colon, rest = line.partition(":")
        password, other_colon, protected = rest.partition(":")
        if colon and other_colon and protected == resource:
            return user, password
    return None
