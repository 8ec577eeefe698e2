"""Steps of motors: tables of an acceleration, and the ramp of the host."""

from __future__ import annotations

import itertools

import pytest

from sane.chips.steps import Profile, ramp

# Of a LiDE 110: source: specification genesys 18 (motor), base 4800.
SLOW, HALF = Profile(62496, 335, 255), Profile(62496, 335, 469, 1)


def test_a_table_speeds_up_and_ends_at_its_target() -> None:
    table = SLOW.table(2768)
    assert (table[0], table[1], table[-1]) == (62496, 62496, 2768)
    assert list(table) == sorted(table, reverse=True)
    assert all(time > 2768 for time in table[:-1])
    assert len(table) < 255


def test_constant_acceleration_means_squares_of_speed_that_grow_evenly() -> None:
    squares = [1 / SLOW.time(number) ** 2 for number in range(1, 60)]
    grown = [after - before for before, after in itertools.pairwise(squares)]
    assert max(grown) < 1.3 * min(grown)
    assert SLOW.time(256) == pytest.approx(335, abs=1)


def test_steps_that_are_cut_take_a_part_of_the_time() -> None:
    table = HALF.table(5360)
    assert table[0] == 62496 >> 1
    assert table[-1] == 5360 >> 1


def test_a_target_faster_than_the_motor_is_its_best() -> None:
    assert SLOW.table(10)[-1] == 335


@pytest.mark.parametrize("align", [1, 2, 8])
def test_tables_have_whole_groups(align: int) -> None:
    for target in (335, 600, 2768, 60_000):
        table = SLOW.table(target, align=align)
        assert len(table) % align == 0
        assert len(table) >= 2 * align
    assert len(SLOW.table(335, most=100)) <= 99


@pytest.mark.parametrize("form", [(0, 0, 1), (100, 200, 5), (200, 100, 0), (1 << 16, 1, 5)])
def test_profiles_that_cannot_be(form: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="steps of"):
        Profile(*form)


@pytest.mark.parametrize("target", [0, 65535, 1 << 20])
def test_targets_that_no_step_has(target: int) -> None:
    with pytest.raises(ValueError, match="steps of"):
        SLOW.table(target)


def test_the_hosts_ramp_becomes_gentle_and_ends_at_its_target() -> None:
    times = list(ramp(600, 100))
    assert [time for time, _ in times[:3]] == [500, 450, 416]
    assert times[0][1] > 0
    assert times[-1] == (100, 0.0)
    assert [seconds for _, seconds in times[:5]] == [0.15, 0.15, 0.15, 0.0, 0.0]
    assert list(ramp(100, 100)) == list(ramp(90, 100)) == []
