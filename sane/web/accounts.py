"""Who may use the page and REST: people with passwords, programs with tokens, or everybody.

Without [[user]] in the configuration nobody signs in, and the server's networks are the limit.
Passwords are kept as Argon2 hashes, tokens as SHA-256 of 256 random bits. A login that fails often
has to wait.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import time
from hashlib import sha256
from importlib.util import find_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .config import TokenSettings, UserSettings

SESSION_SECONDS = 30 * 86_400.0  # a session lasts at most
IDLE_SECONDS = 7 * 86_400.0  # without being used
MOST_SESSIONS = 1000
TOKEN_PREFIX = "pysane_"  # so that programs that look for secrets find one
# OWASP's "Password Storage Cheat Sheet": 19 MiB, 2 passes, 1 lane.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
LEAST_SALT, LEAST_HASH = 8, 4  # bytes. Source: RFC 9106, 3.1
AT_ONCE = 2  # passwords that are checked at a time: each takes its memory
FREE_FAILURES = 5  # of an address or a user, before one has to wait
FIRST_WAIT, LONGEST_WAIT = 2.0, 900.0
FORGET_SECONDS = 3600.0  # after which failures do not count any more
MOST_REMEMBERED = 4096  # addresses and users with failures


class Throttled(Exception):
    """Too many logins failed. seconds: to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many logins failed; wait {seconds:.0f} s")
        self.seconds = seconds


class Session:
    """Somebody who has signed in."""

    __slots__ = ("begun", "used", "user")

    def __init__(self, user: str, now: float) -> None:
        self.user = user
        self.begun = self.used = now


class Accounts:
    """The users and tokens of the configuration, and who is signed in."""

    def __init__(
        self,
        users: Iterable[UserSettings] = (),
        tokens: Iterable[TokenSettings] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}
        self._users: dict[str, str] = {}
        self._tokens: dict[str, str] = {}
        self.adopt(users, tokens)
        self._failures = Failures(clock)
        self._turns = asyncio.Semaphore(AT_ONCE)

    def adopt(self, users: Iterable[UserSettings], tokens: Iterable[TokenSettings]) -> None:
        """Take over users and tokens; who is no user any more, or has a new password, is out."""
        before, self._users = self._users, {user.name: user.password for user in users}
        self._tokens = {token.hash.lower(): token.name for token in tokens}
        for key, session in list(self._sessions.items()):
            if before.get(session.user) != self._users.get(session.user):
                del self._sessions[key]

    @property
    def are_needed(self) -> bool:
        """Whether one has to sign in."""
        return bool(self._users)

    # People

    async def login(self, user: str, password: str, address: str) -> str:
        """Return the secret of a new session; "" if user or password are wrong.

        Raises Throttled after failures from the address or of the user. It takes as long for a user
        that is not there. An attempt counts as failed until it is known to be right: those made at
        the same time have no more than those made one by one.
        """
        keys = (f"address {address}", f"user {user}")
        self._failures.check(keys)  # it need not wait for its turn
        async with self._turns:
            self._failures.check(keys)  # others have failed meanwhile
            self._failures.add(keys)
            is_right = await asyncio.to_thread(self._verify, user, password)
            if is_right:
                self._failures.forget(keys)
        return self.begin(user) if is_right else ""

    def begin(self, user: str) -> str:
        """Return the secret of a new session."""
        self.expire()
        if len(self._sessions) >= MOST_SESSIONS:
            oldest = min(self._sessions, key=lambda key: self._sessions[key].used)
            del self._sessions[oldest]
        secret = secrets.token_urlsafe(32)
        self._sessions[_digest(secret)] = Session(user, self._clock())
        return secret

    def user_of(self, secret: str) -> str | None:
        """Return who has the session with this secret; None if it is none, or over."""
        key = _digest(secret)
        session = self._sessions.get(key)
        if session is None:
            return None
        if self._is_over(session):
            del self._sessions[key]
            return None
        session.used = self._clock()
        return session.user

    def logout(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(secret), None)

    def expire(self) -> None:
        """Forget the sessions that are over."""
        for key in [key for key, each in self._sessions.items() if self._is_over(each)]:
            del self._sessions[key]

    def _is_over(self, session: Session) -> bool:
        now = self._clock()
        return now - session.used > IDLE_SECONDS or now - session.begun > SESSION_SECONDS

    def _verify(self, user: str, password: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHash

        known = self._users.get(user)
        another = next(iter(self._users.values()), "")  # it takes as long as a user's own
        try:
            is_right = bool(_hasher().verify(known or another, password))
        except (Argon2Error, InvalidHash):
            return False
        return is_right and known is not None

    # Programs

    def token(self, given: str) -> str | None:
        """Return the name of a program's token; None if it is none."""
        found = None
        digest = sha256(given.encode()).hexdigest()
        for known, name in self._tokens.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found


class Failures:
    """Logins that failed, by address and by user: who has many must wait, longer each time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[str, tuple[int, float]] = {}  # how often, and when the last one

    def check(self, keys: Iterable[str]) -> None:
        """Raise Throttled if one of *keys* has to wait."""
        now, most = self._clock(), 0.0
        for key in keys:
            count, last = self._failed.get(key, (0, now))
            if now - last > FORGET_SECONDS:
                del self._failed[key]
            elif count >= FREE_FAILURES:
                wait = FIRST_WAIT * 2.0 ** min(count - FREE_FAILURES, 20)
                most = max(most, last + min(wait, LONGEST_WAIT) - now)
        if most > 0:
            raise Throttled(most)

    def add(self, keys: Iterable[str]) -> None:
        """Count a failure."""
        now = self._clock()
        for key in keys:
            count, _ = self._failed.pop(key, (0, now))
            self._failed[key] = count + 1, now
        while len(self._failed) > MOST_REMEMBERED:
            del self._failed[next(iter(self._failed))]

    def forget(self, keys: Iterable[str]) -> None:
        """Forget the failures of who has signed in."""
        for key in keys:
            self._failed.pop(key, None)


def problems(settings: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with users and tokens: key and text; see config.ShareSettings."""
    names = set()
    for at, user in enumerate(settings.user):
        path = ("user", str(at))
        if not user.name or user.name in names:
            yield (*path, "name"), f"user.name: {user.name!r} is empty, or there twice"
        names.add(user.name)
        if not _is_hash(user.password):
            hint = "make its hash with pysane share --hash-password"
            text = f"user.password of {user.name} is no Argon2 hash: {hint}"
            yield (*path, "password"), text
    if names and find_spec("argon2") is None:
        hint = "pip install argon2-cffi (Debian: apt install python3-argon2)"
        yield ("user", "0"), f"user: passwords need argon2-cffi: {hint}"
    for at, token in enumerate(settings.token):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", token.hash):
            hint = "pysane share --new-token makes one, and shows its hash"
            text = f"token.hash of {token.name} is no SHA-256 in hexadecimal: {hint}"
            yield ("token", str(at), "hash"), text


def _is_hash(text: str) -> bool:
    """Tell whether a password can be compared with it; without the library, whether it may be."""
    if find_spec("argon2") is None:
        return text.startswith("$argon2")
    from argon2 import extract_parameters

    try:
        found = extract_parameters(text)
    except ValueError:
        return False
    return found.salt_len >= LEAST_SALT and found.hash_len >= LEAST_HASH


def hash_password(password: str) -> str:
    """Return what stands in the configuration for a password."""
    return str(_hasher().hash(password))


def new_token() -> tuple[str, str]:
    """Return a new token, and what stands in the configuration for it."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, sha256(token.encode()).hexdigest()


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()
