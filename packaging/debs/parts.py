"""Which package each file belongs to: by the first pattern that fits its path."""

from __future__ import annotations

from fnmatch import fnmatchcase

PACKAGES = ("libsane-pysane", "python3-pysane", "pysane-utils", "pysane-share", "pysane")
LIBRARY, MODULE, UTILS, SHARE, _ = PACKAGES

# "*" goes over folders, too.
PARTS = (
    # What serves eSCL, the REST interface and the page: present or not in this version.
    ("usr/lib/pysane/lib/pysane/sane/web/*", SHARE),
    ("*/pysane-share*", SHARE),
    ("*/pysane-web*", SHARE),
    # Python: drivers, modules, and what asks C backends.
    ("usr/lib/pysane/lib/pysane/sane/*", MODULE),
    ("usr/lib/pysane/libexec/pysane/*", MODULE),
    ("usr/lib/python3/*", MODULE),
    # Programs, what completes them, and the network service.
    ("usr/lib/pysane/bin/sane-config", LIBRARY),
    ("usr/lib/pysane/*bin/*", UTILS),
    ("usr/lib/pysane/share/*", UTILS),
    ("usr/bin/*", UTILS),
    ("usr/sbin/*", UTILS),
    ("usr/lib/systemd/*", UTILS),
    ("usr/share/bash-completion/*", UTILS),
    ("usr/share/zsh/*", UTILS),
    ("usr/share/fish/*", UTILS),
    ("usr/share/man/man5/pysane.toml.*", UTILS),
    ("usr/share/man/man[18]/*", UTILS),
    ("usr/share/doc/pysane/examples/sane.d/*", LIBRARY),
    ("usr/share/doc/*", UTILS),
    # Libraries, what programs compile against, drivers' permissions, settings and their pages.
    ("usr/lib/pysane/*", LIBRARY),
    ("usr/lib/udev/*", LIBRARY),
    ("usr/share/metainfo/*", LIBRARY),
    ("usr/lib/*/sane/*", LIBRARY),
    ("usr/share/man/man5/*", LIBRARY),
    ("etc/*", LIBRARY),
)


def package_of(path: str) -> str:
    """Return the package of a file, given relative to the root; raises SystemExit without one."""
    for pattern, package in PARTS:
        if fnmatchcase(path, pattern):
            return package
    raise SystemExit(f"no package takes {path}: packaging/debs/parts.py has no pattern for it")
