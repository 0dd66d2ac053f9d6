from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address

from tasks.crawl.addresses import GuardedResolver, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("127.8.9.10", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # a cloud's metadata service
        ("100.64.0.1", False),  # carrier-grade NAT
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),  # IPv4 in disguise, four times
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::808:808", False),  # a network's own gateway, RFC 8215
        ("2002:7f00:1::", False),
        ("::ffff:0:7f00:1", False),  # SIIT, RFC 7915
        ("::7f00:1", False),  # IPv4-compatible, given up
        ("::808:808", False),
        ("fec0::1", False),  # site-local, given up
        ("ff0e::1", False),
        ("4000::1", False),  # not given out
    ],
)
def test_only_addresses_of_the_public_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


class Names:
    """A resolver that answers from a dict."""

    def __init__(self, names: dict[str, list[str]]) -> None:
        self.names = names

    def resolveHostName(self, receiver: Any, name: str, port: int, *_: Any) -> None:  # noqa: N802
        receiver.resolutionBegan(None)
        for address in self.names[name]:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, port))
        receiver.resolutionComplete()


class Heard:
    """A receiver that notes what it hears."""

    def __init__(self) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.complete = False

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        pass

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.addresses.append((address.host, address.port))

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete = True


def asked(resolver: GuardedResolver, name: str, port: int) -> list[tuple[str, int]]:
    heard = Heard()
    resolver.resolveHostName(heard, name, port)
    assert heard.complete
    return heard.addresses


def test_private_addresses_of_a_name_are_held_back() -> None:
    names = Names({"a.org": ["93.184.216.34", "10.0.0.1"], "evil.org": ["127.0.0.1", "::1"]})
    resolver = GuardedResolver(names)
    assert asked(resolver, "a.org", 80) == [("93.184.216.34", 80)]
    assert asked(resolver, "evil.org", 80) == []
    assert resolver.refused == {"a.org", "evil.org"}


def test_a_name_that_changes_its_address_is_checked_each_time() -> None:
    names = Names({"rebinding.org": ["93.184.216.34"]})
    resolver = GuardedResolver(names)
    assert asked(resolver, "rebinding.org", 80) != []
    names.names["rebinding.org"] = ["127.0.0.1"]
    assert asked(resolver, "rebinding.org", 80) == []


def test_host_and_port_are_allowed_by_name_only() -> None:
    names = Names({"localhost": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"]})
    resolver = GuardedResolver(names, allowed=["LocalHost:8000"])
    assert asked(resolver, "localhost", 8000) == [("127.0.0.1", 8000)]
    assert asked(resolver, "localhost", 8001) == []
    assert asked(resolver, "127.0.0.1", 8000) == []


@pytest.mark.parametrize("name", ["::1", "[::1]"])
def test_an_ipv6_address_is_allowed_as_a_url_writes_it(name: str) -> None:
    resolver = GuardedResolver(Names({name: ["::1"]}), allowed=["[::1]:8000"])
    assert asked(resolver, name, 8000) == [("::1", 8000)]
    assert asked(resolver, name, 8001) == []
    assert resolver.refused == {"::1"}


def test_a_logical_host_leads_to_the_server_beside_the_crawl() -> None:
    resolver = GuardedResolver(Names({}), mapped={"pydoc.demo:80": "127.0.0.1:4711"})
    assert asked(resolver, "pydoc.demo", 80) == [("127.0.0.1", 4711)]
