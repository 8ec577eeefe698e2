"""Option classes: what a declaration becomes, values as bytes, and declarations that are wrong."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sane import const, option
from sane.backend import Device, when
from sane.errors import Invalid
from sane.option import Bool, Button, Fixed, Group, Int, Option, Range, String, words_bytes

WORDS = st.integers(-(1 << 31), (1 << 31) - 1)


class Sample(Device):
    """One option of each type."""

    words_group = Group("Words")
    number = Int("Number", "", Range(0, 100, 5), default=10)
    choice = Int("Choice", "", (75, 150, 300), unit=const.UNIT_DPI)
    real = Fixed("Real", "", Range(-1, 1), name="a-real")
    flag = Bool("Flag")
    table = Int("Table", "", Range(0, 255), length=3, default=(1, 2, 3))
    text = String("Text", "", size=8)
    listed = String("Listed", "", ("Color", "Gray", "Grayish"))
    press = Button("Press")
    area = option.scan_area(width=200.0, height=300.0)


def declared(name: str) -> Option:
    return next(item for item in Sample.declared if item.name == name)


def test_option_0_counts_all_options_and_itself() -> None:
    zero = Sample.declared[0]
    assert (zero.name, zero.title, zero.type) == ("", "Number of options", const.TYPE_INT)
    assert (zero.cap, zero.unit, zero.size) == (const.CAP_SOFT_DETECT, const.UNIT_NONE, 4)
    assert zero.__get__(Sample()) == len(Sample.declared) == 14


def test_options_keep_the_order_of_their_declaration() -> None:
    names = [item.name for item in Sample.declared]
    assert names[:7] == ["", "", "number", "choice", "a-real", "flag", "table"]
    assert names[7:] == ["text", "listed", "press", "tl-x", "tl-y", "br-x", "br-y"]
    assert [item.index for item in Sample.declared] == list(range(14))


def test_options_have_places_of_their_own_on_word_boundaries() -> None:
    end = 0
    for item in Sample.declared:
        assert item.offset % 4 == 0
        assert item.offset >= end
        end = item.offset + item.size


@pytest.mark.parametrize(
    ("name", "type", "size", "default"),
    [
        ("number", const.TYPE_INT, 4, 10),
        ("choice", const.TYPE_INT, 4, 75),
        ("a-real", const.TYPE_FIXED, 4, -1.0),
        ("flag", const.TYPE_BOOL, 4, False),
        ("table", const.TYPE_INT, 12, (1, 2, 3)),
        ("text", const.TYPE_STRING, 8, ""),
        ("listed", const.TYPE_STRING, 8, "Color"),
        ("tl-x", const.TYPE_FIXED, 4, 0.0),
        ("br-y", const.TYPE_FIXED, 4, 300.0),
    ],
)
def test_option_has_type_size_and_first_value(
    name: str, type: int, size: int, default: object
) -> None:
    item = declared(name)
    assert (item.type, item.size) == (type, size)
    value = item.__get__(Sample())
    assert value == default
    assert value.__class__ is default.__class__


@pytest.mark.parametrize(("name", "kind"), [("press", const.TYPE_BUTTON), ("", const.TYPE_GROUP)])
def test_option_without_value_has_size_0(name: str, kind: int) -> None:
    item = next(item for item in Sample.declared[1:] if item.name == name)
    assert (item.type, item.size, item.constraint) == (kind, 0, None)


def test_group_has_no_capabilities_and_an_empty_help_text() -> None:
    group = Sample.declared[1]
    assert (group.name, group.desc, group.cap) == ("", "", 0)


def test_ranges_of_fixed_options_are_words_of_fixed_point() -> None:
    limits = declared("a-real").constraint
    assert (limits.min, limits.max, limits.quant) == (-65536, 65536, 0)
    limits = declared("br-y").constraint
    assert (limits.min, limits.max, limits.quant) == (0, 300 << 16, 0)


def test_scan_area_reads_the_corners_in_order() -> None:
    device: Any = Sample()
    device.br_x, device.tl_x = 10.0, 90.0
    assert (device.area.tl_x, device.area.br_x, device.area.br_y) == (10.0, 90.0, 300.0)


def test_a_button_has_no_value() -> None:
    with pytest.raises(AttributeError, match="option press is a button"):
        Sample().press = True


# Values


@pytest.mark.parametrize(
    ("name", "value", "data"),
    [
        ("number", 7, struct.pack("=i", 7)),
        ("number", 7.0, struct.pack("=i", 7)),
        ("a-real", 0.5, struct.pack("=i", 32768)),
        ("flag", True, struct.pack("=i", 1)),
        ("table", [9, 8, 7], struct.pack("=3i", 9, 8, 7)),
        ("text", "abc", b"abc\0"),
        ("text", "Ä", "Ä".encode() + b"\0"),
        ("text", "\udcff", b"\xff\0"),
        ("text", "", b"\0"),
    ],
)
def test_encode_gives_the_bytes_of_the_abi(name: str, value: object, data: bytes) -> None:
    assert declared(name).encode(value) == data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "x"),
        ("number", None),
        ("number", 1.5),
        ("number", 1 << 31),
        ("number", float("nan")),
        ("number", float("inf")),
        ("a-real", "x"),
        ("a-real", 32768.0),
        ("a-real", float("nan")),
        ("a-real", float("inf")),
        ("flag", "true"),
        ("flag", []),
        ("table", (1, 2)),
        ("table", (1, 2, "x")),
        ("table", 5),
        ("text", 5),
        ("text", b"abc"),
        ("text", "12345678"),
        ("text", "a\0b"),
        ("text", "\ud800"),
    ],
)
def test_encode_refuses_what_is_no_value(name: str, value: object) -> None:
    with pytest.raises(Invalid, match=f"option {name}"):
        declared(name).encode(value)


@given(WORDS)
def test_decode_and_encode_are_inverse(word: int) -> None:
    data = struct.pack("=i", word)
    for name in ("number", "a-real"):
        item = declared(name)
        assert item.encode(item.decode(data)) == data


@given(st.binary(max_size=7).filter(lambda data: b"\0" not in data))
def test_decode_keeps_every_byte_of_a_string(data: bytes) -> None:
    item = declared("text")
    assert item.encode(item.decode(data + b"\0")) == data + b"\0"


def test_decode_ends_a_string_at_its_nul() -> None:
    assert declared("text").decode(b"ab\0cd\0\0\0") == "ab"


def test_fit_cuts_a_free_string_to_its_size() -> None:
    assert declared("text").fit(b"123456789\0", None) == (b"1234567\0", 0)
    assert declared("text").fit(b"1234567\0", None) == (b"1234567\0", 0)


def test_words_bytes_refuses_more_than_32_bits() -> None:
    assert words_bytes((-1, 1)) == struct.pack("=2i", -1, 1)
    with pytest.raises((ValueError, OverflowError)):
        words_bytes((1 << 31,))


# Conditions


def test_when_compares_all_the_named_options() -> None:
    device = Sample()
    condition = when(listed="Gray", flag=True)
    device.listed = "Gray"
    assert not condition(device)
    device.flag = True
    assert condition(device)


# Ready-made options


@pytest.mark.parametrize(
    ("item", "name", "title", "unit", "kind"),
    [
        (option.mode("Gray"), "mode", "Scan mode", const.UNIT_NONE, const.TYPE_STRING),
        (option.source("ADF"), "source", "Scan source", const.UNIT_NONE, const.TYPE_STRING),
        (option.depth(8, 16), "depth", "Bit depth", const.UNIT_BIT, const.TYPE_INT),
        (
            option.resolution(75, 150),
            "resolution",
            "Scan resolution",
            const.UNIT_DPI,
            const.TYPE_INT,
        ),
        (option.preview(), "preview", "Preview", const.UNIT_NONE, const.TYPE_BOOL),
    ],
)
def test_ready_made_options_have_the_standard_titles(
    item: Option, name: str, title: str, unit: int, kind: int
) -> None:
    assert (item.name, item.title, item.unit, item.type) == (name, title, unit, kind)


@pytest.mark.parametrize(("name", "title"), [("tl_x", "Top-left x"), ("br_y", "Bottom-right y")])
def test_corners_are_lengths_that_reload_the_parameters(name: str, title: str) -> None:
    item = getattr(Sample, name)
    assert (item.title, item.unit) == (title, const.UNIT_MM)
    assert item.reloads == const.INFO_RELOAD_PARAMS
    assert item.desc


def test_only_automatic_options_have_an_automatic_value() -> None:
    assert Int("I", auto=5).cap & const.CAP_AUTOMATIC
    assert not Int("I").cap & const.CAP_AUTOMATIC
    assert Bool("B", auto=False).cap & const.CAP_AUTOMATIC


# Declarations that break the standard's rules


def illegal_name() -> Any:
    class Wrong(Device):
        Upper = Int("I", name="Upper")

    return Wrong


def empty_name() -> Any:
    class Wrong(Device):
        empty = Int("I", name="")

    return Wrong


def same_name() -> Any:
    class Wrong(Device):
        one = Int("I", name="x")
        two = Int("I", name="x")

    return Wrong


def settable_but_not_readable() -> Any:
    class Wrong(Device):
        one = Int("I", cap=const.CAP_SOFT_SELECT)

    return Wrong


def depends_on_nothing() -> Any:
    class Wrong(Device):
        one = Int("I", active=when(other=1))

    return Wrong


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (illegal_name, r"Wrong\.Upper: illegal option name 'Upper'"),
        (empty_name, r"Wrong\.empty: illegal option name ''"),
        (same_name, r"Wrong\.two: a second option 'x'"),
        (settable_but_not_readable, r"Wrong\.one: SOFT_SELECT needs SOFT_DETECT"),
        (depends_on_nothing, r"Wrong\.one: no option 'other'"),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(declare: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        declare()


def soft_and_hard() -> Any:
    class Wrong(Device):
        one = Int("I", cap=const.CAP_SOFT_SELECT | const.CAP_SOFT_DETECT | const.CAP_HARD_SELECT)

    return Wrong


def range_upside_down() -> Any:
    class Wrong(Device):
        one = Int("I", "", Range(10, 5))

    return Wrong


def empty_word_list() -> Any:
    class Wrong(Device):
        one = Int("I", "", ())

    return Wrong


def empty_string_list() -> Any:
    class Wrong(Device):
        one = String("S", "", ())

    return Wrong


def empty_title() -> Any:
    class Wrong(Device):
        one = Int("")

    return Wrong


def title_of_two_lines() -> Any:
    class Wrong(Device):
        one = Int("a\nb")

    return Wrong


@pytest.mark.parametrize(
    "declare",
    [
        soft_and_hard,
        range_upside_down,
        empty_word_list,
        empty_string_list,
        empty_title,
        title_of_two_lines,
    ],
)
def test_a_descriptor_that_breaks_the_standard_is_refused(declare: Any) -> None:
    """c-abi-and-dll 1.7, descriptor validity rules: frontends crash on some of them."""
    with pytest.raises((TypeError, ValueError), match=r"Wrong\.one"):
        declare()


def test_a_default_outside_its_constraint_is_refused() -> None:
    with pytest.raises((TypeError, ValueError, Invalid)):

        class Wrong(Device):
            one = String("S", "", ("a", "b"), default="c")

        Wrong()


# Inheritance


class Base(Device):
    """Options to build on."""

    mode = option.mode("Gray", "Color")
    speed = Int("Speed", default=1)


class Faster(Base):
    """Another default, one more option."""

    speed = Int("Speed", default=9)
    extra = Bool("Extra")


def test_a_derived_device_replaces_and_adds_options() -> None:
    assert [item.name for item in Faster.declared] == ["", "mode", "speed", "extra"]
    assert (Faster().speed, Base().speed) == (9, 1)


def test_a_derived_device_leaves_its_base_as_it_is() -> None:
    assert [(item.name, item.index) for item in Base.declared] == [
        ("", 0),
        ("mode", 1),
        ("speed", 2),
    ]
    base = Base()
    base.speed = 5
    assert (base.speed, base.mode) == (5, "Gray")


class Mixin:
    """Options for any device, declared by no Device."""

    first = Int("First", default=1)


class Shifted(Base, Mixin):
    """The options of Base have other numbers here."""


class Wider(Base):
    """The options of Base that follow lie elsewhere here."""

    mode = option.mode("Gray", "A mode with a long name")


@pytest.mark.parametrize("derived", [Shifted, Wider])
def test_deriving_a_device_moves_no_option_of_its_base(derived: type[Base]) -> None:
    for cls in (Base, derived):
        assert [item.index for item in cls.declared] == list(range(len(cls.declared)))
        device = cls()
        size = len(device.options.values)
        device.mode, device.speed = "Gray", 7
        assert (device.mode, device.speed, len(device.options.values)) == ("Gray", 7, size)
