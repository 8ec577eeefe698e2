"""Random command lines for scanimage, whose outcome the original determines.

What it does wrong is left out: docs/scanimage.md has the list. The device is the backend test.
"""

from __future__ import annotations

from random import Random

ADF = "Automatic Document Feeder"
PICTURES = ("Solid black", "Solid white", "Color pattern", "Grid")
NUMBERS = (
    *("0", "1", "5", "20", "33", "60.5", "-3", "08", "1e1", "+4", ".5", "199", "250", "3.", "0x1f"),
    *("x", "", "5e", " 6", "-", "7,8", "[0]9", "[1]9", "1-2", "2;3"),
)
UNITS = ("", "", "", "", "mm", "cm", "in", '"', "dpi", "%", "us", "b", "q", "mmm")
LIMITS = {"resolution": (1, 60), "x": (5, 60), "y": (5, 60)}  # so that a scan is small
OPTIONS = {
    "int": NUMBERS,
    "int-constraint-range": NUMBERS,
    "int-constraint-word-list": NUMBERS,
    "int-inexact": NUMBERS,
    "fixed": NUMBERS,
    "fixed-constraint-range": NUMBERS,
    "fixed-constraint-word-list": NUMBERS,
    "int-constraint-array-constraint-range": ("4,5", "[0]4-[5]104", "[6]1", "9,[2]7", "1-9", "x"),
    "gamma-table": ("1,2,3", "[0]255-[4095]0", "[4096]1", "[255]9", "300", "[x]1", "[1"),
    "string": ("", "short", "a b", "Straße", "x" * 300),
    "string-constraint-string-list": ("First", "second entry", "T", "", "nothing"),
    "bool-soft-select-soft-detect": ("yes", "no", "Y", "n", "", "true", "1", "auto"),
    "bool-soft-select-soft-detect-auto": ("auto", "AUTO", "autox", "yes", "a"),
    "bool-hard-select": ("yes", "no"),
    "bool-soft-detect": ("yes", "x"),
    "mode": ("Gray", "Color", "color", "gr", "", "Purple", "auto"),
    "depth": ("8", "1", "16", "7", "9999", "eight", "8b", "8bit"),
    "test-picture": (*PICTURES, "grid", "Solid", "c"),
    "source": ("Flatbed", ADF, "flat", "auto", "x"),
    "read-limit": ("yes", "no", "maybe"),
    "invert-endianess": ("yes", "no"),
    "enable-test-options": ("yes", "no"),
    "nonsense": ("1",),
    "re": ("1",),
    "three-pass-order": ("RGB", "BGR"),
}


def walk(seed: int) -> list[str]:
    """Return a command line."""
    random = Random(seed)
    kind = random.random()
    if kind < 0.1:
        return listing(random)
    arguments = ["-d", random.choice(("test", "test:0", "test:1", "test:0", "test:7"))]
    if random.random() < 0.4:
        arguments.append("--enable-test-options=yes")
    for _ in range(random.randint(0, 4)):
        arguments += setting(random)
    if kind < 0.55:
        arguments.append(random.choice(("-n", "-n", "-A", "-nv", "-nvv", "--dont-scan", "-T")))
        random.shuffle(arguments[2:])
        return arguments
    return arguments + scan(random)


def listing(random: Random) -> list[str]:
    """Return a command line that lists devices, or is refused before any is opened."""
    texts = ("%d", "%v", "%m", "%t", "%i", "%n", "%%", "%x", "a", " ", "\\n", "%")
    pattern = "".join(random.choices(texts, k=random.randint(0, 6)))
    return random.choice(
        (
            ["-L"],
            ["-L", "--nonsense", "x"],
            ["-f", pattern],
            [f"-f{pattern}", "-L"] if pattern else ["-L"],
            [f"--formatted-device-list={pattern}"],
            ["--format", pattern],
            ["-o", f"page.{pattern.strip('%') or 'foo'}", "-n"],
            ["--batch", "-o", "page.png"],
            ["-d", f"/dev/{pattern}"],
            ["-d", pattern.strip() or "x", "-n"],
        )
    )


def setting(random: Random) -> list[str]:
    """Return words that set an option of the device, or try to."""
    kind = random.random()
    if kind < 0.25:
        letter = random.choice("ltxy")
        value = random.choice(NUMBERS) + random.choice(UNITS)
        return [f"-{letter}", value] if random.random() < 0.7 else [f"-{letter}{value}"]
    if kind < 0.3:
        return [random.choice(("stray", "-", "--tl-x=3", "--br-x=9", "-q", "-v", "-p"))]
    name = random.choice(list(OPTIONS))
    value = random.choice(OPTIONS[name])
    if OPTIONS[name] is NUMBERS:
        value += random.choice(UNITS)
    if random.random() < 0.1:
        return [f"--{name}", value]
    if random.random() < 0.1:
        name = name[: random.randint(max(1, len(name) - 4), len(name))]
    return [f"--{name}={value}"]


def scan(random: Random) -> list[str]:
    """Return words that make it scan, in a format that the original writes right."""
    format = random.choice(("pnm", "tiff", "png", "jpeg", "pdf"))
    words = [f"--resolution={random.randint(1, 60)}", "-x", str(random.randint(5, 60))]
    words += ["-y", str(random.randint(5, 60)), f"--test-picture={random.choice(PICTURES)}"]
    words += [f"--mode={random.choice(('Gray', 'Color'))}"]
    depths = (8,) if format in ("jpeg", "pdf") else (8, 8, 16)  # C7
    words.append(f"--depth={random.choice(depths)}")
    if format in ("pnm", "tiff"):
        words += random.choice(([], [], ["--hand-scanner=yes"]))
    if random.random() < 0.2:
        status = random.choice(("JAMMED", "COVER_OPEN", "NO_DOCS", "IO_ERROR"))
        words.append(f"--read-return-value=SANE_STATUS_{status}")
    words += [word for word in ("-v", "-p") if random.random() < 0.4]
    if random.random() < 0.5:
        where = [f"--format={format}", "-o", "page"] if random.random() < 0.5 else []
        return words + (where or ["-o", f"page.{format}"])
    source = random.choice((ADF, ADF, "Flatbed"))
    words += [f"--source={source}", f"--format={format}"]
    if source == ADF and random.random() < 0.6:
        words.append("--batch")
    else:
        words.append(f"--batch-count={random.randint(1, 12)}")
    extra = ("--batch=p%03d", "--batch-start=7", "--batch-increment=3", "--batch-double")
    words += [word for word in (*extra, "--batch-print") if random.random() < 0.25]
    return words
