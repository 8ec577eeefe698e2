"""Who counts as near, and how many connections each may have."""

from __future__ import annotations

from ipaddress import ip_network

from sane.web.addresses import LocalNetworks, interfaces, plain, shown_hosts
from sane.web.config import LimitSettings
from sane.web.listening import Places


def test_addresses_are_read_without_scope_and_mapping() -> None:
    assert str(plain("::ffff:10.0.0.1")) == "10.0.0.1"
    assert str(plain("fe80::1%eth0")) == "fe80::1"
    assert plain("host") is None


def test_this_machines_own_networks_are_near() -> None:
    near = LocalNetworks()
    found = interfaces()
    assert any(each.ip.is_loopback for each in found)
    assert all(each.ip in near for each in found)


def test_hosts_to_show_are_names_and_addresses_without_loopback() -> None:
    assert shown_hosts(["127.0.0.1", "::1"]) == ["127.0.0.1", "[::1]"]
    assert all(not host.startswith("127.") for host in shown_hosts(()))


def test_an_address_has_its_limit_and_a_host_of_ipv6_is_a_network() -> None:
    places = Places(LimitSettings(connections=6, connections_per_address=2))
    assert [places.take("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [places.take(f"2001:db8::{n}") for n in range(1, 4)] == [True, True, False]
    assert [places.take("127.0.0.1") for _ in range(3)] == [True, True, False]
    places.leave("192.0.2.1")
    assert places.take("192.0.2.2")
    assert (places.total, "192.0.2.1" in places.hosts) == (6, True)


def test_a_trusted_proxy_has_the_limit_of_all_only() -> None:
    limits = LimitSettings(connections=4, connections_per_address=1)
    places = Places(limits, [ip_network("10.0.0.0/8")])
    assert all(places.take("10.0.0.1") for _ in range(4))
    assert not places.take("10.0.0.1")


def test_a_place_comes_back_when_its_host_has_become_a_proxy_or_is_none_any_more() -> None:
    """SIGHUP changes who is one, while there are connections."""
    proxies = [ip_network("10.0.0.0/8")]
    for before, after in ((proxies, []), ([], proxies)):
        places = Places(LimitSettings(connections_per_address=1), before)
        assert places.take("10.0.0.1")
        places.proxies = after
        assert places.take("10.0.0.1") is (after == proxies)
        places.leave("10.0.0.1")
        if after == proxies:
            places.leave("10.0.0.1")
        assert (places.total, places.hosts) == (0, {})
