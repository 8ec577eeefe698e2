"""saned's command line: text in, options out; it starts nothing.

Source: net-protocol 8.1; versions 5 (--buffer-size and --allow-network of later releases). --check
and --backend-path are ours.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGEST_PORT = 65535
DEFAULT_LEVEL = 2
LEAST_BUFFER_KIB, MOST_BUFFER_KIB = 1, 65536

USAGE = """\
Usage: saned [OPTION]...
Share the scanners of this machine with others, by the SANE network protocol.

  -a, --alone[=USER]       stand alone, in the background; become USER, if given
  -l, --listen             stand alone, in the foreground
  -D, --daemonize          go to the background
  -u, --user=USER          become USER after binding the port
  -o, --once               end after the first client
  -d, --debug=LEVEL        what is logged: 0 nothing, 1 errors, 2 clients (the default), up to 5
  -e, --stderr             log to stderr instead of syslog
  -b, --bind=ADDRESS       listen on this address only
  -p, --port=PORT          listen on this port (default: service sane-port, else 6566); 0: any
  -B, --buffer-size=KIB    the largest piece of image data that is sent at once (default 256)
  -n, --allow-network      also list and open the scanners of other servers, by the backend net
      --backend-path=DIRS  also look for dropped-in drivers in these folders, with colons between;
                           the environment's PYSANE_BACKEND_PATH does not count here
      --check              say what would be shared, to whom, and what is wrong; start nothing
  -h, --help               show this

Without -l and -a it serves one client, on the connection that inetd or systemd passes, or all
clients of the listening sockets that systemd passes. See saned(8).
"""


class UsageError(Exception):
    """A command line that cannot be understood."""


class Options:
    """What the command line says. port None: by the service's name. warnings: to be logged."""

    def __init__(self) -> None:
        self.alone = False
        self.background = False
        self.user = ""
        self.once = False
        self.level = DEFAULT_LEVEL
        self.to_stderr = False
        self.bind = ""
        self.port: int | None = None
        self.buffer_kib = 256
        self.allow_network = False
        self.backend_path = ""
        self.check = False
        self.help = False
        self.warnings: list[str] = []


NO_VALUE, VALUE, VALUE_ATTACHED = range(3)

# Long name: short name, how its value is written.
NAMES = {
    "alone": ("a", VALUE_ATTACHED),
    "listen": ("l", NO_VALUE),
    "daemonize": ("D", NO_VALUE),
    "user": ("u", VALUE),
    "once": ("o", NO_VALUE),
    "debug": ("d", VALUE),
    "stderr": ("e", NO_VALUE),
    "bind": ("b", VALUE),
    "port": ("p", VALUE),
    "buffer-size": ("B", VALUE),
    "allow-network": ("n", NO_VALUE),
    "backend-path": ("", VALUE),
    "check": ("", NO_VALUE),
    "help": ("h", NO_VALUE),
}
SHORT = {short: long for long, (short, _) in NAMES.items() if short}


def parse(arguments: Sequence[str], is_user: Callable[[str], bool]) -> Options:
    """Return the options; raises UsageError. is_user(name) tells whether such a user exists.

    Words that belong to no option were ignored by every saned. ``-a daemon`` is what init
    scripts say when they mean ``-adaemon``: ignored, it left the server running as root.
    """
    options = Options()
    words = list(arguments)
    strays: list[str] = []
    while words:
        word = words.pop(0)
        if word == "--":
            strays += words
            break
        if word.startswith("--"):
            _long(options, word[2:], words)
        elif word.startswith("-") and word != "-":
            _short(options, word[1:], words)
            if word.endswith("a") and words and is_user(words[0]):
                options.user = words.pop(0)
                options.warnings.append(f"-a {options.user} is taken as --alone={options.user}")
        else:
            strays.append(word)
    for word in strays:
        options.warnings.append(f"the word {word!r} belongs to no option and is ignored")
    return options


def _long(options: Options, text: str, words: list[str]) -> None:
    name, equals, value = text.partition("=")
    fitting = [long for long in NAMES if long == name] or [n for n in NAMES if n.startswith(name)]
    if len(fitting) != 1 or not name:
        raise UsageError(f"--{name}: {'not unique' if fitting else 'unknown option'}")
    kind = NAMES[fitting[0]][1]
    if kind == NO_VALUE and equals:
        raise UsageError(f"--{fitting[0]} takes no value")
    if kind == VALUE and not equals:
        if not words:
            raise UsageError(f"--{fitting[0]} wants a value")
        value = words.pop(0)
    _set(options, fitting[0], value)


def _short(options: Options, letters: str, words: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in SHORT:
            raise UsageError(f"-{letter}: unknown option")
        kind = NAMES[SHORT[letter]][1]
        value = ""
        if kind != NO_VALUE:
            value, letters = letters, ""
        if kind == VALUE and not value:
            if not words:
                raise UsageError(f"-{letter} wants a value")
            value = words.pop(0)
        _set(options, SHORT[letter], value)


def _set(options: Options, name: str, value: str) -> None:
    if name == "alone":
        options.alone = options.background = True
        options.user = value or options.user
    elif name == "listen":
        options.alone = True
    elif name == "daemonize":
        options.background = True
    elif name == "stderr":
        options.to_stderr = True
    elif name in ("once", "allow-network", "check", "help"):
        setattr(options, name.replace("-", "_"), True)
    elif name == "debug":
        options.level = _number(name, value, 0, 255)
    elif name == "port":
        options.port = _number(name, value, 0, LARGEST_PORT)
    elif name == "buffer-size":
        _set_buffer(options, value)
    else:  # user, bind, backend-path
        if not value:
            raise UsageError(f"--{name} wants a value")
        setattr(options, name.replace("-", "_"), value)


def _set_buffer(options: Options, value: str) -> None:
    """Take the size or keep the default: other releases do not end at a wrong one either."""
    try:
        options.buffer_kib = _number("buffer-size", value, LEAST_BUFFER_KIB, MOST_BUFFER_KIB)
    except UsageError as exc:
        options.warnings.append(f"{exc}; using {options.buffer_kib}")


def _number(name: str, value: str, low: int, high: int) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > 9 or not low <= int(value) <= high:
        raise UsageError(f"--{name}: {value!r} is not a number from {low} to {high}")
    return int(value)
