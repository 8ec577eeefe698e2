"""Whether somebody else could have put a file where it is, or could change it.

It knows owners, permissions and links, nothing of what the files are for. Others are all users
but root and the one that this program works as.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISGID, S_ISLNK, S_ISVTX

OTHERS_MAY_WRITE = 0o022
GROUP_MAY_WRITE = 0o020
MOST_LINKS = 40  # as the kernel


def weak_place(path: str) -> str | None:
    """Return what others may write of the absolute *path*: itself, a folder or link on the way.

    None if they may write nothing of it. What is missing is not looked at. A folder with the
    sticky bit, as /tmp, is safe on the way: nobody can take away there what is not his. Raises
    OSError when it cannot be looked at.
    """
    done, links = "/", 0
    left = [part for part in path.split("/") if part not in ("", ".")][::-1]
    while True:
        try:
            state = os.lstat(done)
        except FileNotFoundError:
            return None
        if state.st_uid not in (0, os.geteuid()):
            return done
        if S_ISLNK(state.st_mode):
            links += 1
            if links > MOST_LINKS:
                return done
            target = os.readlink(done)
            left += [part for part in target.split("/") if part not in ("", ".")][::-1]
            done = "/" if target.startswith("/") else os.path.dirname(done)
            continue
        if _others_may_write(state, is_last=not left):
            return done
        if not left:
            return None
        part = left.pop()
        done = os.path.dirname(done) if part == ".." else os.path.join(done, part)


def _others_may_write(state: os.stat_result, is_last: bool) -> bool:
    writable = state.st_mode & OTHERS_MAY_WRITE
    if not is_last and S_ISDIR(state.st_mode):
        if state.st_mode & S_ISVTX:
            return False
        if writable == GROUP_MAY_WRITE and state.st_uid == 0 and state.st_mode & S_ISGID:
            return False  # Debian's /usr/local for its group staff, whom root trusts
    return bool(writable)
