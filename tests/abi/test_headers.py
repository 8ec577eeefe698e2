"""What C programs build against: the layout and values of the distribution's headers, our words."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from sane import const
from tests import cc
from tests.support.distribution import sane_version

ENUMS = {
    "SANE_Status": "STATUS_GOOD STATUS_UNSUPPORTED STATUS_CANCELLED STATUS_DEVICE_BUSY"
    " STATUS_INVAL STATUS_EOF STATUS_JAMMED STATUS_NO_DOCS STATUS_COVER_OPEN STATUS_IO_ERROR"
    " STATUS_NO_MEM STATUS_ACCESS_DENIED",
    "SANE_Value_Type": "TYPE_BOOL TYPE_INT TYPE_FIXED TYPE_STRING TYPE_BUTTON TYPE_GROUP",
    "SANE_Unit": "UNIT_NONE UNIT_PIXEL UNIT_BIT UNIT_MM UNIT_DPI UNIT_PERCENT UNIT_MICROSECOND",
    "SANE_Constraint_Type": "CONSTRAINT_NONE CONSTRAINT_RANGE CONSTRAINT_WORD_LIST"
    " CONSTRAINT_STRING_LIST",
    "SANE_Action": "ACTION_GET_VALUE ACTION_SET_VALUE ACTION_SET_AUTO",
    "SANE_Frame": "FRAME_GRAY FRAME_RGB FRAME_RED FRAME_GREEN FRAME_BLUE",
}
BITS = (
    "CAP_SOFT_SELECT CAP_HARD_SELECT CAP_SOFT_DETECT CAP_EMULATED CAP_AUTOMATIC CAP_INACTIVE"
    " CAP_ADVANCED INFO_INEXACT INFO_RELOAD_OPTIONS INFO_RELOAD_PARAMS"
)
NUMBERS = tuple(" ".join([*ENUMS.values(), BITS]).split())
STRUCTS = {
    "SANE_Device": "name vendor model type",
    "SANE_Range": "min max quant",
    "SANE_Option_Descriptor": "name title desc type unit size cap constraint_type constraint"
    " constraint.string_list constraint.word_list constraint.range",
    "SANE_Parameters": "format last_frame bytes_per_line pixels_per_line lines depth",
}
SCALARS = (
    "SANE_Byte SANE_Word SANE_Bool SANE_Int SANE_Fixed SANE_Char SANE_String SANE_String_Const"
    " SANE_Handle SANE_Auth_Callback"
)

# Expressions whose value and type must agree; what they are called with includes the edges.
EXPRESSIONS = (
    "SANE_CURRENT_MAJOR",
    "SANE_CURRENT_MINOR",
    "SANE_FALSE",
    "SANE_TRUE",
    "SANE_FIXED_SCALE_SHIFT",
    "SANE_MAX_USERNAME_LEN",
    "SANE_MAX_PASSWORD_LEN",
    "SANE_VERSION_CODE(1, 2, 3)",
    "SANE_VERSION_CODE(1, 1 + 1, 70000L)",
    "SANE_VERSION_CODE(300, 300, 3)",
    *(f"SANE_VERSION_{part}({code})" for part in ("MAJOR", "MINOR", "BUILD")
      for code in ("0x01020304", "-1", "1L | 2")),
    *(f"SANE_FIX({value})" for value in ("0.1", "-0.1", "-0.5", "1", "0.5f", "32767.99", "1 + 1")),
    *(f"SANE_UNFIX({word})" for word in ("6553", "-1", "SANE_FIX(1.5)", "1 + 1")),
    *(f"SANE_OPTION_IS_{what}({cap})" for what in ("ACTIVE", "SETTABLE")
      for cap in ("0", "5", "32", "64 | 1", "33L")),
)  # fmt: skip

PROTOTYPES = """
SANE_Status (*p1)(SANE_Int *, SANE_Auth_Callback) = sane_init;
void (*p2)(void) = sane_exit;
SANE_Status (*p3)(const SANE_Device ***, SANE_Bool) = sane_get_devices;
SANE_Status (*p4)(SANE_String_Const, SANE_Handle *) = sane_open;
void (*p5)(SANE_Handle) = sane_close;
const SANE_Option_Descriptor *(*p6)(SANE_Handle, SANE_Int) = sane_get_option_descriptor;
SANE_Status (*p7)(SANE_Handle, SANE_Int, SANE_Action, void *, SANE_Int *) = sane_control_option;
SANE_Status (*p8)(SANE_Handle, SANE_Parameters *) = sane_get_parameters;
SANE_Status (*p9)(SANE_Handle) = sane_start;
SANE_Status (*p10)(SANE_Handle, SANE_Byte *, SANE_Int, SANE_Int *) = sane_read;
void (*p11)(SANE_Handle) = sane_cancel;
SANE_Status (*p12)(SANE_Handle, SANE_Bool) = sane_set_io_mode;
SANE_Status (*p13)(SANE_Handle, SANE_Int *) = sane_get_select_fd;
SANE_String_Const (*p14)(SANE_Status) = sane_strstatus;
void authorize(SANE_String_Const, SANE_Char *, SANE_Char *);
SANE_Auth_Callback p15 = authorize;
struct SANE_Auth_Data *p16 = 0;
static SANE_Range range = {SANE_FIX(0.5), SANE_FIX(9.5), 0};
static SANE_Word words[2] = {1, SANE_CAP_ADVANCED | SANE_INFO_INEXACT};
static SANE_String_Const strings[2] = {SANE_VALUE_SCAN_MODE_GRAY, 0};
extern SANE_Option_Descriptor d;
void use(SANE_Option_Descriptor *o) {
    o->constraint.range = &range;
    o->constraint.word_list = words;
    o->constraint.string_list = strings;
    o->title = SANE_TITLE_SCAN_MODE;
}
"""


def include(folder: Path) -> str:
    """Return the lines that include the headers of just this folder."""
    return "".join(f'#include "{folder}/sane/{name}.h"\n' for name in ("sane", "saneopts"))


def printer(folder: Path) -> str:
    """Return a program that prints everything about the headers that a compiled program sees."""
    lines = [f"T(SANE_{name});" for name in NUMBERS]
    lines += [f"T({expression});" for expression in EXPRESSIONS]
    for name in [*SCALARS.split(), *ENUMS, *STRUCTS]:
        lines.append(f'printf("{name} %zu %zu\\n", sizeof({name}), _Alignof({name}));')
        lines.append(f'printf("%d\\n", S(({name}) -1 < ({name}) 1));' if name in ENUMS else "")
    for name, members in STRUCTS.items():
        for member in members.split():
            place = f"offsetof({name}, {member}), sizeof((({name} *) 0)->{member})"
            lines.append(f'printf("{name}.{member} %zu %zu\\n", {place});')
    return f"""
        #include <stddef.h>
        #include <stdio.h>
        {include(folder)}
        #define S(x) ((int) (x))
        #define T(x) printf("%s = %.17g %s\\n", #x, (double) (x), \\
            _Generic((x), int: "int", unsigned: "unsigned", double: "double", default: "other"))
        int main(void) {{ {"".join(line + chr(10) for line in lines)} return 0; }}
    """


def output(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def layout(folder: Path, tmp_path: Path) -> str:
    return output(cc.compile_program(printer(folder), tmp_path / f"layout{folder.name}", "-w"))


@cache
def macros(folder: Path) -> dict[str, str]:
    """Return the macros that the headers add, name and parameters to body."""
    flags = ("-dM",)
    before = set(cc.preprocess("", *flags).splitlines())
    after = set(cc.preprocess(include(folder), *flags).splitlines())
    found = (re.match(r"#define (\w+)(\(.*?\))? ?(.*)", line) for line in after - before)
    return {m[1]: m[3] for m in found if m is not None}


@cache
def strings(folder: Path) -> dict[str, str]:
    """Return the NAME, TITLE, DESC and VALUE macros with their texts."""
    names = sorted(n for n in macros(folder) if re.match("SANE_(NAME|TITLE|DESC|VALUE)_", n))
    text = cc.preprocess(include(folder) + "".join(f"@{name[5:]} {name}\n" for name in names))
    rows = (row.split(maxsplit=1) for row in text.split("\n@")[1:])
    literal = r'"((?:[^"\\]|\\.)*)"'
    return {"SANE_" + name: "".join(re.findall(literal, value)) for name, value in rows}


def later() -> set[str]:
    """Return the macros that the distribution's headers lack because they are too old."""
    kinds = ("NAME", "TITLE", "DESC") if sane_version() < (1, 3, 1) else ()
    return {f"SANE_{kind}_INFRARED" for kind in kinds}


def test_layout_is_that_of_the_specification(tmp_path: Path) -> None:
    expected = {
        "SANE_Device 32 8", "SANE_Range 12 4", "SANE_Option_Descriptor 56 8",
        "SANE_Parameters 24 4", "SANE_Option_Descriptor.constraint 48 8",
        "SANE_Option_Descriptor.constraint_type 40 4", "SANE_Status 4 4", "SANE_Frame 4 4",
        "SANE_FIX(0.1) = 6553 int", "SANE_FIX(-0.1) = -6553 int", "SANE_FIX(-0.5) = -32768 int",
    }  # fmt: skip
    lines = layout(cc.INCLUDE, tmp_path).splitlines()
    if "SANE_Handle 8 8" not in lines:
        pytest.skip("the table is for 64-bit machines")
    assert expected <= set(lines)


def test_layout_equals_the_distributions(tmp_path: Path) -> None:
    theirs = layout(cc.distribution_headers(), tmp_path)
    assert layout(cc.INCLUDE, tmp_path).splitlines() == theirs.splitlines()


@pytest.mark.parametrize(("language", "standard"), [("c", "c99"), ("c", "c11"), ("c++", "c++11")])
def test_headers_compile_without_warnings(tmp_path: Path, language: str, standard: str) -> None:
    cc.compile_program(
        include(cc.INCLUDE) + PROTOTYPES,
        tmp_path / "headers.o",
        *("-c", f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror"),
        language=language,
    )


def test_headers_declare_the_prototypes_of_the_distribution(tmp_path: Path) -> None:
    source = include(cc.distribution_headers()) + PROTOTYPES
    cc.compile_program(source, tmp_path / "prototypes.o", "-c", "-Werror")


@pytest.mark.parametrize("header", ["sane", "saneopts"])
def test_headers_can_be_included_alone_and_twice(tmp_path: Path, header: str) -> None:
    source = f"#include <sane/{header}.h>\n" * 2 + f"#ifndef {header}_h\n#error guard\n#endif\n"
    cc.compile_program(source, tmp_path / "twice.o", "-c", "-Werror", f"-I{cc.INCLUDE}")


def test_headers_have_c_linkage_in_cpp(tmp_path: Path) -> None:
    source = include(cc.INCLUDE) + 'extern "C" void sane_exit() {}\n'
    cc.compile_program(source, tmp_path / "linkage.o", "-c", language="c++")


@pytest.mark.parametrize("name", ["SANE_STATUS_WARMING_UP", "SANE_FRAME_JPEG", "SANE_Auth_Data"])
def test_sane_h_leaves_undefined(tmp_path: Path, name: str) -> None:
    source = include(cc.INCLUDE) + f"unsigned long size = sizeof({name});\n"
    with pytest.raises(RuntimeError, match=f"{name}.* undeclared"):
        cc.compile_program(source, tmp_path / "undefined.o", "-c")


def test_macro_names_equal_the_distributions() -> None:
    theirs = macros(cc.distribution_headers())
    assert sorted(macros(cc.INCLUDE)) == sorted({*theirs, *later()})


def test_option_names_titles_and_modes_equal_the_distributions() -> None:
    ours, theirs = strings(cc.INCLUDE), strings(cc.distribution_headers())
    fixed = {name: text for name, text in theirs.items() if "_DESC_" not in name}
    assert {name: ours[name] for name in fixed} == fixed


def test_translation_marks_equal_the_distributions() -> None:
    ours, theirs = macros(cc.INCLUDE), macros(cc.distribution_headers())
    marked = [{name for name, body in m.items() if "SANE_I18N" in body} for m in (ours, theirs)]
    assert marked[0] - later() == marked[1]


def test_infrared_is_an_option() -> None:
    assert strings(cc.INCLUDE)["SANE_NAME_INFRARED"] == "infra-red"
    assert macros(cc.INCLUDE)["SANE_TITLE_INFRARED"] == 'SANE_I18N("Infrared scan")'
    assert "SANE_I18N" in macros(cc.INCLUDE)["SANE_DESC_INFRARED"]


def test_translation_can_be_supplied(tmp_path: Path) -> None:
    source = f"""
        #define SANE_I18N(text) "translated " text
        #include <stdio.h>
        {include(cc.INCLUDE)}
        int main(void) {{ return puts(SANE_TITLE_SCAN_MODE) < 0; }}
    """
    program = cc.compile_program(source, tmp_path / "translated", "-Werror")
    assert output(program) == "translated Scan mode\n"


def test_every_option_has_name_title_and_description() -> None:
    ours = strings(cc.INCLUDE)
    names = {name[10:] for name in ours if name.startswith("SANE_NAME_")}
    assert len(names) == 85
    for name in names:
        assert ours["SANE_TITLE_" + name]
        assert ours["SANE_DESC_" + name].endswith(".")


def test_descriptions_are_our_own_words() -> None:
    ours, theirs = strings(cc.INCLUDE), strings(cc.distribution_headers())
    described = {name for name in theirs if "_DESC_" in name}
    assert described == {name for name in ours if "_DESC_" in name} - later()
    # Names only: a failure must not print the other text.
    copied = [n for n in described if ours[n].strip(" .").lower() == theirs[n].strip(" .").lower()]
    assert copied == []


def test_const_equals_sane_h(tmp_path: Path) -> None:
    special = {"FIXED_SCALE": "1 << SANE_FIXED_SCALE_SHIFT"}
    drafts = ("STATUS_WARMING_UP", "STATUS_HW_LOCKED")  # of SANE 2: no header has them
    numbers = {
        name: value
        for name, value in vars(const).items()
        if type(value) is int and name not in drafts
    }
    body = "".join(
        f'printf("{name}=%d\\n", {special.get(name, "SANE_" + name)});' for name in numbers
    )
    source = f"#include <stdio.h>\n{include(cc.INCLUDE)} int main(void) {{ {body} return 0; }}"
    lines = output(cc.compile_program(source, tmp_path / "const")).splitlines()
    assert lines == [f"{name}={value}" for name, value in numbers.items()]


def test_const_has_every_number_of_sane_h() -> None:
    assert [name for name in NUMBERS if not hasattr(const, name)] == []


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a prefix with sane-config, moved from /built, or skip without pkg-config."""
    if shutil.which("pkg-config") is None:
        pytest.skip("peer absent: pkg-config")
    values = {"PREFIX": "/built", "VERSION": "1.2.3"}
    (tmp_path / "lib" / "pkgconfig").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for source, target in (
        ("sane-config.in", "bin/sane-config"),
        ("sane-backends.pc.in", "lib/pkgconfig/sane-backends.pc"),
    ):
        text = re.sub(r"@(\w+)@", lambda m: values[m[1]], (cc.INCLUDE / source).read_text())
        (tmp_path / target).write_text(text)
    return tmp_path


def sane_config(prefix: Path, *flags: str) -> tuple[int, str]:
    """Return exit status and stdout of sane-config."""
    command = ["sh", str(prefix / "bin" / "sane-config"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.replace(str(prefix), "PREFIX")


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (["--version"], ["1.2.3"]),
        (["--prefix"], ["PREFIX"]),
        (["--exec-prefix"], ["PREFIX"]),
        (["--cflags"], ["-IPREFIX/include"]),
        (["--ldflags"], ["-LPREFIX/lib"]),
        (["--libs"], ["-LPREFIX/lib -lsane"]),
        (["--cflags", "--libs"], ["-IPREFIX/include", "-LPREFIX/lib -lsane"]),
    ],
)
def test_sane_config_answers(installed: Path, flags: list[str], answer: list[str]) -> None:
    status, text = sane_config(installed, *flags)
    assert (status, [line.strip() for line in text.splitlines()]) == (0, answer)


@pytest.mark.parametrize("flags", [["--help"], ["--help", "libs"], []])
def test_sane_config_prints_its_usage_and_fails(installed: Path, flags: list[str]) -> None:
    status, text = sane_config(installed, *flags)
    assert status == 1
    assert text.startswith("Usage: sane-config")


def test_sane_config_refuses_an_unknown_flag(installed: Path) -> None:
    assert sane_config(installed, "--unknown") == (1, "")


def test_sane_config_knows_no_other_installation(installed: Path) -> None:
    (installed / "lib" / "pkgconfig" / "sane-backends.pc").unlink()
    status, text = sane_config(installed, "--libs")
    assert status != 0
    assert text == ""
