"""The names under which the page may be asked for, and the pages that may send requests to it.

A page elsewhere can make a visitor's browser ask this server (cross-site requests), also under a name of its own that
it lets point here (DNS rebinding). Both would fill the disk, or read the visitor's results.
"""

import ipaddress
import socket
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from vlfau.errors import ConfigError

__all__ = ["Hosts"]

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Hosts:
    """Allow-list of the `Host` and `Origin` headers.

    Args:
        host: Address that the server listens on.
        allowed: Further names, such as `faces.example.org` or `*.example.org`; `*` allows all.

    Raises:
        ConfigError: A name has a scheme, a port or a path.
    """

    def __init__(self, host: str, allowed: Sequence[str] = ()) -> None:
        for name in allowed:
            if not name or any(sign in name for sign in "/: @"):
                raise ConfigError(f"allowed host {name!r} is not a name; give one such as faces.example.org")
        self._allowed = tuple(name.lower() for name in allowed)
        self._is_open = _is_unspecified(host)
        own = {socket.gethostname(), socket.getfqdn()} if self._is_open else {host}
        self._own = {name.lower() for name in (*_LOCAL, *own)}

    def refusal(self, host: str, forwarded: str, origin: str | None) -> str | None:
        """Return why a request is refused, or None.

        Args:
            host: The `Host` header.
            forwarded: The `X-Forwarded-Host` header of a web server in front; empty if there is none.
            origin: The `Origin` header: the page that sends the request; None if the browser names none.
        """
        for given in filter(None, (host, *forwarded.replace(" ", "").split(","))):
            if not self._is_own(_name(f"//{given}")):
                return (
                    f"unknown host {given[:80]!a}; start the page with --allowed-hosts NAME if it is one of its names"
                )
        if not host:
            return "the request names no host"
        if origin is None:
            return None
        scheme, _, place = origin.lower().partition("://")
        is_own = place in {host.lower(), forwarded.lower()} or self._is_listed(_name(origin))
        if scheme in {"http", "https"} and place and is_own:
            return None
        return f"requests from {origin[:80]!a} are refused; open the page itself"

    def _is_own(self, name: str) -> bool:
        return name in self._own or self._is_listed(name) or (self._is_open and _is_address(name))

    def _is_listed(self, name: str) -> bool:
        return bool(name) and any(fnmatchcase(name, pattern) for pattern in self._allowed)


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    """Return whether a name is an IP address, which nobody can let point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    return host == "" or (_is_address(host) and ipaddress.ip_address(host).is_unspecified)
