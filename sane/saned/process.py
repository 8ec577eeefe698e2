"""What saned does with its own process: background, privileges, pid file, standard streams."""

from __future__ import annotations

import grp
import os
import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PID_FILE = "/var/run/saned.pid"


class Refused(Exception):
    """The server cannot start as it should; the text says why."""


def is_user(name: str) -> bool:
    """Tell whether there is a user *name*."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def to_background() -> None:
    """Go on in a child of a new session, with / as directory and no standard streams."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    silence((0, 1, 2))


def silence(streams: tuple[int, ...]) -> None:
    """Redirect standard streams to the null device: what a backend prints goes nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in streams:
        os.dup2(null, fd)
    if null > max(streams):
        os.close(null)


def become(name: str) -> None:
    """Give up all privileges for those of user *name*, for good; raises Refused if that fails.

    Groups first: without privileges they could not be changed any more.
    """
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise Refused(f"there is no user {name}") from None
    uid, gid = user.pw_uid, user.pw_gid
    if uid == 0 or is_already(uid, gid, os.getgrouplist(name, gid)):
        return
    try:
        os.initgroups(name, gid)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as exc:
        raise Refused(f"cannot become user {name}: {exc.strerror}") from None
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid) or can_return(gid):
        raise Refused(f"user {name} could become root again")


def is_already(uid: int, gid: int, groups: list[int]) -> bool:
    """Tell whether this process has this identity, and no group beyond *groups*."""
    return (
        os.getresuid() == (uid, uid, uid)
        and os.getresgid() == (gid, gid, gid)
        and set(os.getgroups()) <= set(groups)
    )


def can_return(gid: int) -> bool:
    """Tell whether this process, whose group is *gid*, could take back root's identity."""
    ways: list[tuple[Callable[[int], None], bool]] = [
        (os.setuid, True),
        (os.seteuid, True),
        (os.setgid, gid != 0),
    ]
    for regain, counts in ways:
        try:
            if counts:
                regain(0)
        except PermissionError:
            continue
        if counts:
            return True
    return False


def identity() -> str:
    """Return user and groups of this process, for messages."""
    groups = []
    for gid in sorted({os.getegid(), *os.getgroups()}):
        try:
            groups.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            groups.append(str(gid))
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return f"user {user}, groups {' '.join(groups)}"


def write_pid_file(path: str = PID_FILE) -> str:
    """Write the pid file; return why that failed, "" if it did not."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        os.write(fd, f"{os.getpid()}\n".encode())
        os.close(fd)
    except OSError as exc:
        return f"{path}: {exc.strerror}"
    return ""


def remove_pid_file(path: str = PID_FILE) -> None:
    """Remove the pid file if it is ours and this user may; else leave it, as others always did."""
    try:
        with open(path, encoding="ascii") as file:
            is_ours = file.read().strip() == str(os.getpid())
        if is_ours:
            os.unlink(path)
    except (OSError, ValueError):
        return
