"""Places for clients: limits, strangers whose names are looked up, this machine, IPv6 networks."""

from __future__ import annotations

import pytest

from sane.saned import places
from sane.saned.places import PENDING, PENDING_OF_HOST, THIS_MACHINE, Places
from sane.sessions.access import Peer, SanedConf


def filled(hosts: list[str], pending: bool = False) -> Places:
    found = Places()
    for number, host in enumerate(hosts):
        found.take(number + 100, host, number + 1000 if pending else -1)
    return found


def settings(most: int, of_host: int = 32) -> SanedConf:
    found = SanedConf()
    found.max_clients, found.max_clients_per_host = most, of_host
    return found


def test_places_one_host_has_its_limit() -> None:
    found = filled(["a"] * 3)
    assert "3 clients, 3 of this host" in found.refusal("a", settings(64, 3), False)
    assert found.refusal("b", settings(64, 3), False) == ""


def test_places_this_machine_has_only_the_limit_of_all() -> None:
    assert filled([THIS_MACHINE] * 40).refusal(THIS_MACHINE, settings(64), False) == ""


def test_places_the_last_ones_are_for_hosts_that_have_none() -> None:
    found = filled([THIS_MACHINE] * 56)
    assert found.refusal(THIS_MACHINE, settings(64), False)
    for number in range(8):
        assert found.refusal(f"host {number}", settings(64), False) == ""
        found.take(number + 1, f"host {number}")
    assert found.refusal("another", settings(64), False)


def test_places_one_host_may_have_them_all_if_the_administrator_says_so() -> None:
    for host in (THIS_MACHINE, "a"):
        assert filled([host] * 63).refusal(host, settings(64, 64), False) == ""
        assert filled([host] * 64).refusal(host, settings(64, 64), False)


def test_places_a_single_one_is_for_anybody() -> None:
    assert Places().refusal("a", settings(1, 1), False) == ""
    assert filled(["a"]).refusal("b", settings(1, 1), False)


def test_places_strangers_take_none_of_the_clients() -> None:
    found = filled([f"host {number}" for number in range(PENDING)], pending=True)
    assert "wait for their names" in found.refusal("another", settings(64), True)
    assert found.refusal("another", settings(1), False) == ""


def test_places_a_stranger_waits_a_few_times_at_once() -> None:
    found = filled(["a"] * PENDING_OF_HOST, pending=True)
    assert found.refusal("a", settings(64), True)
    assert found.refusal("b", settings(64), True) == ""


def test_places_who_is_admitted_is_a_client() -> None:
    found = filled(["a"], pending=True)
    assert found.pending() == {1000: 100}
    assert found.seconds_left() is not None
    assert found.admit(100).host == "a"
    assert (found.pending(), found.seconds_left(), found.overdue()) == ({}, None, [])
    assert found.refusal("a", settings(64, 1), False)
    place = found.leave(100)
    assert place is not None and place.news == -1
    assert found.leave(100) is None


def test_places_names_are_not_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PENDING_SECONDS", 0.0)
    found = filled(["a"], pending=True)
    assert (found.overdue(), found.seconds_left()) == ([100], 0.0)


HOSTS = {
    "127.0.0.1": "this machine",
    "127.9.8.7": "this machine",
    "::1": "this machine",
    "::ffff:127.0.0.5": "this machine",
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::1%eth0",  # every machine on the link is in fe80::/64
    "fe80::1%eth1": "fe80::1%eth1",
    "febf::2": "febf::2",
    "fec0::1": "fec0::/64",
}


@pytest.mark.parametrize("address", HOSTS)
def test_places_what_counts_as_one_host(address: str) -> None:
    peer = Peer.at((address, 1))
    assert peer is not None and peer.host == HOSTS[address]
