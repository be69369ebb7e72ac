"""Network addresses: where a request came from, and what limits count it as; only our own proxies are believed."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

# One household or phone is given a whole network of this length, and may change its address within it at will.
NETWORK_BITS = 64


def read_address(request: HttpRequest) -> str | None:
    """The address of who asks: of X-Forwarded-For only what our own proxies wrote, else who connected to us.

    None where nobody can say.
    """
    address = _find_address(request)
    return str(address) if address else None


def read_network(request: HttpRequest) -> str | None:
    """What limits count: the address; of an IPv6 address the first of its network. None where nobody can say."""
    address = _find_address(request)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, NETWORK_BITS), strict=False).network_address)
    return str(address) if address else None


def _find_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    written = request.headers.get("X-Forwarded-For", "").split(",")
    trusted = settings.TRUSTED_PROXIES
    forwarded = written[-trusted] if trusted and len(written) >= trusted else ""
    return _read(forwarded) or _read(request.META.get("REMOTE_ADDR", ""))


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """The address in the text; None for anything else. An IPv4 address in IPv6 clothes is what it is."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
