"""Which addresses may be asked for a stranger's files.

Strangers name stores: publishers, requesters, other executors. A name may lead into the network
that this machine stands in, to services that trust whoever can reach them. So an address is judged
after the name was resolved, and what was judged is what is connected to (server-side request
forgery, https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

IPAddress = IPv4Address | IPv6Address

#: IPv4 in IPv6: translated by NAT64 (RFC 6052) or "compatible" (RFC 4291, 2.5.5.1)
_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
#: tunnels to an IPv4 address (6to4, RFC 3056; Teredo, RFC 4380), NAT64 within a site (RFC 8215)
_TUNNELS = (
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("64:ff9b:1::/48"),
)
#: public by its number, but the host's own service to the machines of one cloud
_HOST_SERVICES = frozenset({IPv4Address("168.63.129.16")})


def parse_address(text: str) -> IPAddress:
    """An address as the resolver spells it; the zone of a link-local one is left out.

    Raises:
        ValueError: it is none.
    """
    return ip_address(text.partition("%")[0])


def is_permitted(address: IPAddress, *, loopback: bool) -> bool:
    """Whether a stranger's store may be at an address: if it is one of the public internet.

    Private, link-local (where clouds keep their credentials), shared (100.64.0.0/10), unspecified,
    reserved and multicast addresses are not, whichever way they are spelt.

    Args:
        address: where a connection would go.
        loopback: whether this machine itself may be asked; for development.
    """
    inner = _embedded(address)
    if inner is not None:
        return is_permitted(inner, loopback=loopback)
    if address.is_loopback:
        return loopback
    if isinstance(address, IPv6Address):
        if address.is_site_local or any(address in network for network in _TUNNELS):
            return False
    elif address in _HOST_SERVICES:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address that a connection to this IPv6 address would end at."""
    if not isinstance(address, IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _EMBEDDING) and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
