"""The kept list: what was stored comes back, anything else is no list and harms nobody."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from sane.backend import DeviceInfo
from sane.config import Environment
from sane.debug import Debug
from sane.dll.cache import Cache, folder

TEXTS = ["one", "Größe 100%", "a b\tc\nd", "\udcfc", "%41", "~", "x" * 5000]
LISTS = {
    "tst1": [DeviceInfo(text, text, text, text) for text in TEXTS],
    "a b": [DeviceInfo("0", "V", "M", "T")],
    "who": [DeviceInfo("1", "V", "M", "T", uuid="ab" * 16, serial="a b", host="h 1", usb="1:2")],
    "empty": [],
}
DURATIONS = {"tst1": 12, "a b": 1500}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "pysane"


def cache(place: Path, key: str = "dll conf") -> Cache:
    return Cache(str(place), "devices", key, Debug("dll", Environment({"SANE_DEBUG_DLL": "1"})))


def texts(lists: dict[str, list[DeviceInfo]]) -> dict[str, list[tuple[str, ...]]]:
    return {
        name: [(d.name, d.vendor, d.model, d.type, *d.identity()) for d in devices]
        for name, devices in lists.items()
    }


def test_a_list_comes_back_as_it_was(place: Path) -> None:
    assert cache(place).load() is None
    cache(place).store(LISTS, DURATIONS)
    kept = cache(place).load()
    assert kept is not None
    assert texts(kept.lists) == texts(LISTS)
    assert kept.durations_ms == DURATIONS
    assert 0 <= kept.age < 60
    assert [path.name for path in place.iterdir()] == ["devices"]


def test_only_the_user_may_look(place: Path) -> None:
    cache(place).store(LISTS, DURATIONS)
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "devices").stat().st_mode & 0o777 == 0o600


def test_a_list_under_other_conditions_is_none(place: Path) -> None:
    cache(place).store(LISTS, DURATIONS)
    assert cache(place, "another dll conf").load() is None
    assert cache(place).load() is not None


def test_a_list_is_replaced_whole(place: Path) -> None:
    cache(place).store(LISTS, DURATIONS)
    (place / f"devices.{os.getpid()}").write_text("left by one that died")
    cache(place).store({"tst": []}, {})
    kept = cache(place).load()
    assert kept is not None and texts(kept.lists) == {"tst": []}
    assert [path.name for path in place.iterdir()] == ["devices"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("devices 2", "devices 1"),
        lambda text: text + "more\n",
        lambda text: text.replace("time ", "time x"),
        lambda text: text.replace("time ", "time 9"),
        lambda text: text.replace("backend tst1 12\n", ""),
        lambda text: text.replace("backend tst1 12", "backend tst1 twelve"),
        lambda text: text.replace("device one one", "device one"),
        lambda text: text.replace("device one one", "device one "),
        lambda text: text.replace("device one", "device o%"),
        lambda text: text.replace("device one", "device o%00e"),
        lambda text: text.replace("device one", "device o%zze"),
        lambda text: text.replace("device one", "thing one"),
        lambda text: "x" * (1 << 20) + "\n" + text,
    ],
)
def test_what_is_not_exactly_a_list_is_none(
    place: Path, capfd: pytest.CaptureFixture[str], change: object
) -> None:
    cache(place).store(LISTS, DURATIONS)
    text = (place / "devices").read_text(errors="surrogateescape")
    changed = change(text)  # type: ignore[operator]
    assert changed != text
    (place / "devices").write_text(changed, errors="surrogateescape")
    assert cache(place).load() is None
    assert f"{place}/devices is not used: " in capfd.readouterr().err


def test_any_garbage_is_a_list_or_none(place: Path) -> None:
    cache(place).store(LISTS, DURATIONS)
    data = (place / "devices").read_bytes()
    rng = random.Random(5)
    for _ in range(300):
        changed = bytearray(data[: rng.choice((len(data), 300))])
        for _ in range(rng.randint(1, 8)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        (place / "devices").write_bytes(changed)
        kept = cache(place).load()
        for device in [d for devices in (kept.lists if kept else {}).values() for d in devices]:
            assert all((device.name, device.vendor, device.model, device.type))


def unsafe_folder(place: Path) -> None:
    place.chmod(0o777)


def unsafe_file(place: Path) -> None:
    (place / "devices").chmod(0o666)


def link(place: Path) -> None:
    (place / "devices").rename(place / "elsewhere")
    (place / "devices").symlink_to("elsewhere")


def fifo(place: Path) -> None:
    (place / "devices").unlink()
    os.mkfifo(place / "devices")


def directory(place: Path) -> None:
    (place / "devices").unlink()
    (place / "devices").mkdir()


@pytest.mark.parametrize("spoil", [unsafe_folder, unsafe_file, link, fifo, directory])
def test_a_file_that_others_may_have_made_is_not_used(
    place: Path, capfd: pytest.CaptureFixture[str], spoil: object
) -> None:
    cache(place).store(LISTS, DURATIONS)
    spoil(place)  # type: ignore[operator]
    assert cache(place).load() is None
    assert f"{place}/devices is not used: " in capfd.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="peer absent: root, to make files of others")
@pytest.mark.parametrize("what", ["", "devices"])
def test_a_file_of_another_user_is_not_used(
    place: Path, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    cache(place).store(LISTS, DURATIONS)
    os.chown(place / what, 1234, 1234)
    assert cache(place).load() is None
    assert "others than this user may write " in capfd.readouterr().err


def test_a_list_is_not_written_where_others_may_write(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place.mkdir(parents=True)
    place.chmod(0o777)
    cache(place).store(LISTS, DURATIONS)
    assert list(place.iterdir()) == []
    assert f"{place}/devices cannot be written: " in capfd.readouterr().err


@pytest.mark.parametrize("what", ["cache", "cache/pysane", "cache/pysane/devices"])
def test_no_list_is_written_or_read_where_a_strangers_link_leads(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], what: str
) -> None:
    """Whoever may create files in /tmp can put a link to a folder of the user's there."""
    shared, victim = tmp_path / "shared", tmp_path / "victim"
    cache(victim / "cache" / "pysane").store(LISTS, DURATIONS)
    before = sorted(victim.rglob("*"))
    shared.mkdir()
    shared.chmod(0o1777)
    place = shared / "cache" / "pysane"
    (shared / what).parent.mkdir(parents=True, exist_ok=True)
    (shared / what).symlink_to(victim / what)
    if os.geteuid() == 0:
        os.chown(shared / what, 1234, 1234, follow_symlinks=False)
    elif what != "cache/pysane":
        pytest.skip("peer absent: root, to make links of others")
    assert cache(place).load() is None
    if what != "cache/pysane/devices":  # there the new file takes the place of the link
        cache(place, "other").store(LISTS, DURATIONS)
        assert "cannot be written: " in capfd.readouterr().err
    assert sorted(victim.rglob("*")) == before
    assert "dll conf" in (victim / "cache/pysane/devices").read_text(errors="replace").replace(
        "%20", " "
    )


def test_a_link_of_the_users_own_may_lead_to_the_cache(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "cache").symlink_to("disk")
    cache(tmp_path / "cache" / "pysane").store(LISTS, DURATIONS)
    kept = cache(tmp_path / "cache" / "pysane").load()
    assert kept is not None and texts(kept.lists) == texts(LISTS)


def test_without_room_the_old_list_stays(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cache(place).store(LISTS, DURATIONS)
    (place / f"devices.{os.getpid()}").mkdir()
    cache(place).store({}, {})
    kept = cache(place).load()
    assert kept is not None and texts(kept.lists) == texts(LISTS)
    assert "cannot be written" in capfd.readouterr().err


def test_the_age_is_that_of_the_list(place: Path) -> None:
    cache(place).store(LISTS, DURATIONS)
    path = place / "devices"
    lines = path.read_text(errors="surrogateescape").split("\n")
    lines[2] = f"time {time.time() - 1000:.3f}"
    path.write_text("\n".join(lines), errors="surrogateescape")
    kept = cache(place).load()
    assert kept is not None and 999 < kept.age < 1100


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_CACHE_HOME": "/c"}, "/c/pysane"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c/pysane"),
        ({"XDG_CACHE_HOME": "c", "HOME": "/h"}, "/h/.cache/pysane"),
        ({"HOME": "/h"}, "/h/.cache/pysane"),
        ({"HOME": "h"}, None),
        ({}, None),
    ],
)
def test_the_folder_is_the_users_cache(variables: dict[str, str], expected: str | None) -> None:
    assert folder(Environment(variables)) == expected
