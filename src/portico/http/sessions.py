"""TLS to providers: who is trusted, and sessions that are taken up again.

A new connection to a host that was spoken to before resumes the session of the last one (RFC 8446 2.2, RFC 5077): no
certificate is sent, checked or signed with again, since the session stands for the check that was made when it began.
So sessions are kept per host name and only within the context that checked it.
"""

import ssl
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

HOSTS_REMEMBERED: Final = 16
"""Few, since what is remembered of a host holds the buffers of its last connection, too."""


def client_context(authorities: Path | None = None) -> "ClientContext":
    """Speaks HTTP/1.1 to hosts whose certificate is in order; `authorities` are trusted instead of the system's.

    The same as `ssl.create_default_context`, but that no variable of the environment makes it write its keys to a file.
    """
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and its name
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    if authorities is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(cafile=authorities)
    context.set_alpn_protocols(["http/1.1"])
    return context


class ClientContext(ssl.SSLContext):
    """A context that gives a new connection the session of an earlier one to the same name.

    Tickets of TLS 1.3 come some time after the handshake, so the last connection is remembered and asked for its session
    only when the next one wants it: a request pays nothing for it.
    """

    def __init__(self, *_: Any) -> None:
        self._last: OrderedDict[str, ssl.SSLObject] = OrderedDict()
        self._sessions: OrderedDict[str, ssl.SSLSession] = OrderedDict()

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if not isinstance(server_hostname, str):
            return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        session = session or self._session(server_hostname)
        wrapped = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        _remember(self._last, server_hostname, wrapped)
        return wrapped

    def _session(self, host: str) -> ssl.SSLSession | None:
        last = self._last.pop(host, None)
        # One that was resumed goes on serving, for a copy costs. A handshake that did not come to its end left nothing.
        if last is not None and last.version() is not None and not last.session_reused:
            session = last.session
            if session is not None and session.has_ticket:  # Before the ticket is here there is nothing to resume.
                _remember(self._sessions, host, session)
        return self._sessions.get(host)


def _remember(entries: OrderedDict[str, Any], host: str, entry: object) -> None:
    entries[host] = entry
    entries.move_to_end(host)
    if len(entries) > HOSTS_REMEMBERED:
        entries.popitem(last=False)
