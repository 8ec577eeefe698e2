"""Random walks for python-sane's modules: lines of Python for python_walker.py.

Left out because python-sane does it wrong (python-api, D1 to D33): use of a device after exit,
exceptions in progress, images of three frames, padded lines, 16 bits as PIL's, numbers beyond a
word, repr of what has no value, copies. Also left out: what the original's test device cannot
stand.
"""

from __future__ import annotations

import random
import re

from tests.peers.python_lines import (
    ACTIONS,
    ARGUMENTS,
    ATTRIBUTES,
    CHANGES_OPTION,
    DURING,
    FUNCTIONS,
    HIGH,
    LOW,
    NAMES,
    NUMBERS,
    OF_DEVICE,
    OF_OPT,
    OF_OPTION,
    OF_SET,
    OF_SNAP,
    SETTABLE,
    TUPLES,
    WITH_OPTION,
    WRONG,
)
from tests.peers.walk_conf import (
    DEPTH,
    FORCED,
    FUZZY,
    GEOMETRY,
    HAND,
    MODE,
    OPTIONS,
    PICTURE,
    PICTURES,
    READ_STATUS,
    RESOLUTION,
    SOURCE,
    SOURCES,
    TEST_OPTIONS,
    THREE_PASS,
    Allowed,
    random_config,
    without_wrong_texts,
)
from tests.peers.walk_values import FIXED_ONE, Walk, random_text, random_word

DEVICES = ("d0", "d1", "d2", "d3")
FIXED = {RESOLUTION, *GEOMETRY, 48, 49, 50}
LOSS = 17
COMMON = tuple(index for index in NAMES if 0 < index < 29 and index != FUZZY)
EXTRA = tuple(index for index in NAMES if index >= 29)
SCALAR = tuple(i for i in (*COMMON, *EXTRA) if OPTIONS[i].kind != "w" or OPTIONS[i].size == 4)
ODD_NAMES = ("test:77", "test:x", "test", "test:", "", "test:00", "test: 0")
UNKNOWN_NAMES = ("nosuch:0", "nosuch", "\xe9")  # after one, "" means another device (deviations)
WAYS_IN = ("sane.open({!r})", "sane.open({!r})", "sane.SaneDev({!r})", "Derived({!r})",
    "sane.open(devname={!r})")  # fmt: skip
WAYS_OUT = ("D.close()", "D.close()", "D.dev.close()", "D.__exit__(None, None, None)",
    "D.close(); D.close()", "D = None; gc.collect() < 0")  # fmt: skip
PICTURE_CALLS = ("scan", "arr_scan", "snap", "arr_snap", "dev.snap")
IMAGES = {"scan", "snap", "arr_snap", "arr_scan"}


class _PythonWalk:
    def __init__(self, rng: random.Random):
        self.rng = rng
        self.lines: list[str] = []
        self.count = 2  # devices of the configuration
        self.is_ready = False  # between init and exit
        self.odd_names = self.rng.choice((ODD_NAMES, UNKNOWN_NAMES))
        self.opened: dict[str, str] = {}  # names of devices by variables
        self.closed: set[str] = set()  # variables whose device was closed

    def emit(self, line: str, name: str = "", key: str = "mode") -> None:
        """Add a line, or one for the device that is called *name* in it."""
        if name:
            line = re.sub(r"\bN\b", key, line)
            line = re.sub(r"\bK\b", repr(key), re.sub(r"\bD\b", name, line))
        self.lines.append(line)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def any_key(self) -> str:
        return NAMES[self.rng.choice((0, *COMMON, *EXTRA) if self.chance(0.5) else COMMON)]

    # -- the library --------------------------------------------------------------------

    def configure(self) -> None:
        """Write a test.conf in place of the one before."""
        allowed = Allowed()
        config = without_wrong_texts(random_config(self.rng, False, False, allowed))
        self.count = allowed.devices
        self.emit(f"configure({config!r})")

    def init(self) -> None:
        self.emit(f"version({self.rng.choice(('sane', '_sane'))}.init())")
        self.is_ready = True

    def exit(self) -> None:
        """End the library: nothing may be open, nor scan."""
        for name in list(self.opened):
            self.close(name)
        self.emit(self.rng.choice(("sane.exit()", "_sane.exit()")))
        self.is_ready = False
        for _ in range(self.rng.randint(0, 4)):
            self.library()
            self.misuse()
        if self.chance(0.7):
            self.configure()
        if self.chance(0.9):
            self.init()

    def library(self) -> None:
        """Call functions of the modules that need no device."""
        choice = self.rng.randrange(12)
        number, arguments = self.rng.choice(NUMBERS), self.rng.choice(ARGUMENTS)
        if choice < 2:
            self.emit("sane.get_devices()")
        elif choice == 2:
            self.emit(f"sane.get_devices({self.rng.choice(('localOnly=True', 'True', '0', '5'))})")
        elif choice == 3:
            self.emit(f"{self.rng.choice(('sane', '_sane'))}.get_devices({number})")
        elif choice == 4:
            what = self.rng.choice(("get_devices", "_open", "init"))
            self.emit(f"[_sane.{what}({arguments})] == 0")
        elif choice == 5:
            what = self.rng.choice(("OPTION_IS_ACTIVE", "OPTION_IS_SETTABLE"))
            self.emit(f"_sane.{what}({self.rng.choice((number, arguments))})")
        elif choice == 6:
            self.init()
        elif choice == 7:
            owner = self.rng.choice(("None", "5", *self.opened))
            self.emit(f"sane.Option({self.rng.choice(TUPLES)}, {owner})")
        else:
            self.emit(self.rng.choice(FUNCTIONS))

    # -- devices ------------------------------------------------------------------------

    def open(self) -> None:
        """Open a device in another variable; it is free in most cases."""
        names = [f"test:{index}" for index in range(self.count)]
        free = [name for name in names if name not in self.opened.values()]
        variables = [name for name in DEVICES if name not in self.opened]
        if self.chance(0.1):
            self.emit(
                f"sane.open({self.rng.choice((*self.odd_names, *self.opened.values()))!r}).close()"
            )
        elif self.is_ready and self.chance(0.05):
            self.emit(f"_sane._open({self.rng.choice(names)!r}).get_option(0); gc.collect() < 0")
        elif free and variables:
            variable, name = self.rng.choice(variables), self.rng.choice(free)
            how = self.rng.choice(WAYS_IN).format(name)
            self.emit(f"{variable} = None; gc.collect(); {variable} = {how}")
            self.opened[variable] = name
            self.closed.discard(variable)
            if self.chance(0.8):
                self.emit(f"{variable}.resolution = {self.rng.randint(4, 60)}")

    def close(self, name: str) -> None:
        self.emit("rest()")
        self.emit("o = it = p = None; gc.collect() < 0")
        ways = WAYS_OUT if self.is_ready else WAYS_OUT[:-1]  # before init, that closes nothing
        self.emit(self.rng.choice(ways), name)
        del self.opened[name]
        self.closed.add(name)

    def misuse(self) -> None:
        """Use a device that was closed."""
        if self.closed:
            name = self.rng.choice(sorted(self.closed))
            action = self.rng.choice((self.any_call, self.get, self.set, self.of_device))
            action(name)
            self.emit("o = it = None; gc.collect() < 0")

    # -- options ------------------------------------------------------------------------

    def value_of(self, index: int) -> str:
        """Return a value for an option, as Python; often one that it can have."""
        rng = self.rng
        option = OPTIONS[index]
        if self.chance(0.12):
            return rng.choice(WRONG)
        if option.kind == "b":
            return "1"
        if index == PICTURE:
            return repr(rng.choice((*PICTURES, "grid", "Solid", "")))
        if index == READ_STATUS:
            return repr(rng.choice((*(["Default"] * 40), *FORCED)))
        if option.kind == "t":
            return repr(random_text(rng, option))
        if index == RESOLUTION and self.chance(0.9):
            word = rng.randint(4, 60) * FIXED_ONE
        elif index in GEOMETRY and self.chance(0.9):
            word = rng.randint(0, 80) * FIXED_ONE // 2
        elif index in {LOSS, THREE_PASS, HAND} and self.chance(0.6):
            word = 0
        else:
            word = random_word(rng, option)
        if index in FIXED:
            return repr(word // FIXED_ONE if self.chance(0.3) else word / FIXED_ONE)
        if option.usual == (0, 1) and self.chance(0.5):
            return str(bool(word))
        return repr(word)

    def set(self, name: str) -> None:
        index = self.rng.choice(EXTRA if self.chance(0.35) else COMMON)
        key, value = NAMES[index], self.value_of(index)
        if self.chance(0.1):
            key, value = self.rng.choice(SETTABLE), "5"
        if self.chance(0.2) or not key.isidentifier():
            self.emit(f"setattr({name}, {key!r}, {value})")
        else:
            self.emit(f"{name}.{key} = {value}")
        if self.chance(0.5):
            self.emit(f"getattr({name}, {key!r})")

    def set_low(self, name: str) -> None:
        """Set an option by its number; of vectors, python-sane sets rubbish."""
        index = self.rng.choice(SCALAR)
        if self.chance(0.7):
            self.emit(f"{name}.dev.set_option({index}, {self.value_of(index)})")
        elif self.chance(0.5):
            number, value = self.rng.choice(NUMBERS), self.rng.choice(WRONG)
            self.emit(f"{name}.dev.set_option({number}, {value})")
        else:
            number = self.rng.choice((*NUMBERS, "34", "34", "2"))
            self.emit(f"({name}.dev.get_options(), {name}.dev.set_auto_option({number}))[1]")

    def get(self, name: str) -> None:
        rng = self.rng
        key = self.any_key()
        choice = rng.randrange(9)
        if choice < 2:
            self.emit(f"{name}.{key or 'optlist'}")
        elif choice == 2:
            how = rng.choice(("hasattr({}, {!r})", "getattr({}, {!r})", "getattr({}, {!r}, 5)"))
            self.emit(how.format(name, rng.choice((key, *ATTRIBUTES))))
        elif choice == 3:
            self.emit(f"{name}.get_options()")
        elif choice == 4:
            self.emit(f"{name}.dev.get_option({rng.choice((*map(str, NAMES), *NUMBERS))})")
        elif choice == 5:
            self.emit(f"{name}[{rng.choice((key, 'x', 0, None))!r}].{rng.choice(OF_OPTION)}")
        elif choice == 6:
            self.emit(f"{name}[{key!r}]")
        elif choice == 7:
            self.emit(rng.choice(OF_OPT), name, key)
        else:
            self.hold(name)

    def hold(self, name: str) -> None:
        """Keep an option, and use it; what it was changed to is lost when options are re-read.

        Those of a closed device cannot be: ours lose it with the option (D8), python-sane's do not.
        """
        key = self.any_key()
        self.emit(f"o = {name}[{key!r}]")
        lines = (*WITH_OPTION, *CHANGES_OPTION) if name in self.opened else WITH_OPTION
        for _ in range(self.rng.randint(1, 4)):
            self.emit(self.rng.choice(lines), name, key or "mode")
        self.emit("D._SaneDev__load_option_dict() if is_open(D) else 0", name)
        self.emit(f"o.{self.rng.choice(OF_OPTION)}")
        self.emit("o = None")

    def of_device(self, name: str) -> None:
        """Use attributes that are no options, and what every object has."""
        self.emit(self.rng.choice(OF_DEVICE), name)

    def any_call(self, name: str) -> None:
        """Call a method with some arguments, or none."""
        rng = self.rng
        is_low = self.chance(0.5)
        method = rng.choice(LOW if is_low else HIGH)
        arguments = rng.choice(ARGUMENTS)
        if method in IMAGES:
            arguments = rng.choice(OF_SNAP)
        if method == "set_option":
            arguments = rng.choice(OF_SET)
        if method in {"close", "cancel", "start", "scan", "arr_scan", "__exit__"}:
            self.emit("rest()")
        call = f"{name}{'.dev' if is_low else ''}.{method}({arguments})"
        if method in IMAGES:
            call += f" if safe({name}) else 0"
        self.emit(f"{call} > 0" if method == "fileno" else call)
        if method in {"close", "__exit__"} and name in self.opened:
            self.close(name)

    # -- scanning -----------------------------------------------------------------------

    def quiet(self, name: str) -> None:
        """End what the device does."""
        self.emit("rest()")
        self.emit(f"{name}.cancel()")

    def prepare(self, name: str) -> None:
        """Set what makes a picture that python-sane gets right, mostly."""
        rng = self.rng
        self.quiet(name)
        likely = {
            MODE: repr(rng.choice(("Gray", "Color"))), DEPTH: rng.choice(("1", "8", "8", "16")),
            PICTURE: repr(rng.choice(PICTURES)), RESOLUTION: str(rng.randint(4, 60)),
            SOURCE: repr(rng.choice(SOURCES)), READ_STATUS: "'Default'", LOSS: "0",
            THREE_PASS: "False", HAND: repr(self.chance(0.1)), 14: "False",
        }  # fmt: skip
        for index in rng.sample(sorted(likely), rng.randint(4, 10)):
            self.emit(f"{name}.{NAMES[index]} = {likely[index]}")

    def progress(self, name: str) -> str:
        """Return a progress function: none at times, one that does something at times."""
        kind = self.rng.random()
        if kind < 0.7:
            return "None" if kind < 0.4 else "Recorder()"
        return f"Recorder({self.rng.choice((1, 2, 5, 30))}, lambda: {self.rng.choice(ACTIONS)})"

    def picture(self, name: str) -> None:
        """Get an image in one of the ways, or try to."""
        if self.chance(0.5):
            self.prepare(name)
        call = self.rng.choice(PICTURE_CALLS)
        if call in {"snap", "arr_snap", "dev.snap"} and self.chance(0.95):
            if self.chance(0.3):
                self.emit(f"{name}.get_parameters()")
            self.emit(f"{name}.start()")
            if self.chance(0.5):
                self.emit(self.rng.choice(DURING), name)
            if self.chance(0.5):
                self.emit("rest()")
        keeps = self.rng.choice(("False", "True", "0", "1", "2", "True"))
        keeps_16 = call in {"arr_scan", "arr_snap"} or (call == "dev.snap" and self.chance(0.5))
        if call == "dev.snap":
            arguments = f"{keeps}, {int(keeps_16)}" + self.rng.choice((", p", ""))
        elif call == "snap":
            arguments = self.rng.choice((f"{keeps}, p", f"progress=p, no_cancel={keeps}", keeps))
        else:
            arguments = self.rng.choice(("p", "progress=p", ""))
        self.emit(f"p = {self.progress(name)}", name)
        self.emit(f"{name}.{call}({arguments}) if safe({name}, {keeps_16}) else 'left out'")
        self.emit("p")
        if self.chance(0.2):
            self.emit(self.rng.choice(DURING), name)

    def pages(self, name: str) -> None:
        """Take pages from the feeder, to its end or not."""
        rng = self.rng
        self.prepare(name)
        self.emit(f"{name}.resolution = {rng.randint(2, 12)}")
        self.emit(f"{name}.source = {SOURCES[1]!r}")
        self.emit(f"{name}.depth = 8")
        if self.chance(0.3):
            self.emit(f"list({name}.multi_scan()) if safe({name}) else 'left out'")
        else:
            self.emit(f"it = {name}.multi_scan()")
            self.emit(f"(iter(it) is it, it.device is {name}, it)")
            for _ in range(rng.choice((1, 3, 11, 12))):
                self.emit(f"turn(it) if safe({name}) else 'left out'")
            self.emit(f"turn(it) if safe({name}) else 'left out'")
            if self.chance(0.5):
                self.emit("rest()")
                self.emit("it = None; gc.collect() < 0")
        self.quiet(name)
        if self.chance(0.7):
            self.emit(f"{name}.source = {SOURCES[0]!r}")

    def test_options(self, name: str) -> None:
        self.quiet(name)
        self.emit(f"{name}.{NAMES[TEST_OPTIONS]} = 1")
        for _ in range(self.rng.randint(3, 10)):
            self.set(name)

    # -- the walk -----------------------------------------------------------------------

    def step(self) -> None:
        roll = self.rng.random()
        if not self.opened or roll < 0.03:
            self.open()
        elif roll < 0.08:
            self.library()
        elif roll < 0.095:
            self.close(self.rng.choice(sorted(self.opened)))
        elif roll < 0.10:
            self.exit()
        elif roll < 0.14:
            self.misuse()
        else:
            actions = {
                self.set: 30, self.get: 30, self.picture: 14, self.any_call: 8, self.of_device: 10,
                self.pages: 1.5, self.prepare: 3, self.set_low: 8, self.quiet: 2,
                self.test_options: 1,
            }  # fmt: skip
            action = self.rng.choices(list(actions), list(actions.values()))[0]
            action(self.rng.choice(sorted(self.opened)))


def generate_python_walk(seed: int, length: int = 300) -> Walk:
    """Return the walk of *seed*: Python, a line for each step."""
    walk = _PythonWalk(random.Random(seed))
    walk.emit("d0 = d1 = d2 = d3 = o = it = p = None")
    walk.configure()
    for _ in range(walk.rng.randint(0, 2)):
        walk.library()
    walk.init()
    while len(walk.lines) < length:
        walk.step()
    walk.exit()
    return Walk(seed, walk.lines)
