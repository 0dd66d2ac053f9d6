"""Which network addresses a crawl may connect to: public ones, and others only by name.

The check sits where names become addresses, so that a connection goes to the very address that was
checked: a redirect, a literal address or a name that changes its address between two look-ups
(DNS rebinding) cannot reach a private network. The same place maps a logical host such as
`pydoc.demo:80` to a server that runs beside the crawl.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer  # type: ignore[import-untyped]

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet.

    >>> is_public("93.184.216.34"), is_public("127.0.0.1"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # An IPv4 address in disguise is judged as what a gateway makes of it.
        inner = found.ipv4_mapped or found.sixtofour or _nat64(found)
        if inner is None:
            # Python knows some of the forms that lead elsewhere; IANA gives out no other addresses.
            return found in GLOBAL_UNICAST and found.is_global
        found = inner
    return found.is_global and not found.is_multicast


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _endpoint(host: str, port: str | int) -> str:
    """`host:port`, without the brackets of an IPv6 address."""
    return f"{host.strip('[]').lower()}:{port}"


def _address(text: str, port: int) -> IPv4Address | IPv6Address:
    kind = IPv6Address if ":" in text else IPv4Address
    return kind("TCP", text, port)


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing is under way."""


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Passes on the public addresses of a host."""

    def __init__(self, receiver: Any, host: str, refused: set[str]) -> None:
        self.receiver = receiver
        self.host = host
        self.refused = refused

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802, the interface's name
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if is_public(address.host):
            self.receiver.addressResolved(address)
        else:
            self.refused.add(self.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        self.receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GuardedResolver:
    """A resolver that gives a crawl the addresses it may use.

    Args:
        inner: who really looks names up.
        allowed: `host:port` names that may have any address.
        mapped: `host:port` names and the `address:port` to connect to instead.
    """

    def __init__(
        self, inner: Any, allowed: Sequence[str] = (), mapped: Mapping[str, str] | None = None
    ) -> None:
        """See the class."""
        self.inner = inner
        named = (name.rpartition(":") for name in allowed)
        self.allowed = frozenset(_endpoint(host, port) for host, _, port in named)
        self.mapped = dict(mapped or {})
        self.refused: set[str] = set()  # hosts that had a forbidden address

    @classmethod
    def from_crawler(
        cls, crawler: Any, reactor: IReactorPluggableNameResolver
    ) -> "GuardedResolver":
        """What Scrapy calls with its `TWISTED_DNS_RESOLVER`."""
        settings = crawler.settings
        return cls(
            reactor.nameResolver,
            settings.getlist("ALLOWED_PRIVATE"),
            settings.getdict("MAPPED_HOSTS"),
        )

    def install_on_reactor(self) -> None:
        """Becomes the reactor's resolver."""
        from twisted.internet import reactor

        reactor.installNameResolver(self)

    @staticmethod
    def refused_hosts() -> set[str]:
        """The hosts that the running crawl was kept from."""
        from twisted.internet import reactor

        assert isinstance(reactor.nameResolver, GuardedResolver)
        return reactor.nameResolver.refused

    def resolveHostName(  # noqa: N802, the interface's name
        self,
        resolutionReceiver: Any,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Any = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> Any:
        """Twisted's question for the addresses of a host, asked before every connection."""
        name = _endpoint(hostName, portNumber)
        if target := self.mapped.get(name):
            host, _, port = target.rpartition(":")
            resolution = _Resolution(hostName)
            resolutionReceiver.resolutionBegan(resolution)
            resolutionReceiver.addressResolved(_address(host, int(port)))
            resolutionReceiver.resolutionComplete()
            return resolution
        receiver = resolutionReceiver
        if name not in self.allowed:
            receiver = _PublicOnly(receiver, hostName.strip("[]"), self.refused)
        return self.inner.resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )
