"""How often somebody may try to sign in: counted by where they are and by whom they say they are, in the database, so that
it holds across workers. Plain SQL on a transaction, as in `accounts/rows.py`.

A try is counted before the password is looked at, and given back when it was right. One that is refused counts no further:
from one place somebody can be guessed at ten times, and cannot be kept out elsewhere by it.
"""

import hashlib
from ipaddress import IPv6Address, ip_address
from typing import Final

from portico.core.storage import Db

KIND: Final = "sign_in"
WINDOW_US: Final = 15 * 60_000_000
BY_ADDRESS: Final = 50
"""An office behind one address has many people."""
BY_EMAIL: Final = 10
"""From one place."""
BY_EMAIL_ANYWHERE: Final = 50
PIECE: Final = 500
_COUNT: Final = (
    "INSERT INTO counters (subject, kind, \"window\", used) VALUES (?, 'sign_in', ?, 1)"
    ' ON CONFLICT (subject, kind, "window") DO UPDATE SET used = counters.used + 1 RETURNING used'
)
_GIVE_BACK: Final = (
    "UPDATE counters SET used = used - 1 WHERE subject = ? AND kind = 'sign_in' AND \"window\" = ? AND used > 0"
)
_OLD: Final = (
    "DELETE FROM counters WHERE kind = 'sign_in' AND (subject, \"window\") IN"
    ' (SELECT subject, "window" FROM counters WHERE kind = \'sign_in\' AND "window" < ? LIMIT ?)'
)


def wait_s(db: Db, *, address: str, email: str) -> int:
    """Counts a try: 0 if it may be made, else how long to wait."""
    for one, most in _subjects(address, email):
        if int(db.rows(_COUNT, one, _window(db))[0][0]) > most:
            return -(-(WINDOW_US - db.now_us % WINDOW_US) // 1_000_000)
    return 0


def give_back(db: Db, *, address: str, email: str) -> None:
    """The try was a good one."""
    for one, _ in _subjects(address, email):
        db.run(_GIVE_BACK, one, _window(db))


def sweep(db: Db) -> int:
    """Removes a piece of what is over; how many."""
    return db.run(_OLD, _window(db) - 1, PIECE)


def _window(db: Db) -> int:
    return db.now_us // WINDOW_US


def _subjects(address: str, email: str) -> tuple[tuple[str, int], ...]:
    """In one order, so that two tries wait for each other at most once. What was typed is not kept."""
    said = hashlib.sha256(email.strip().lower().encode("utf-8", "surrogateescape")).hexdigest()[:32]
    place = _network(address)
    found: tuple[tuple[str, int], ...] = ((f"from:{place}", BY_ADDRESS),)
    if not email.strip():
        return found
    return (*found, (f"as:{said} from:{place}", BY_EMAIL), (f"as:{said}", BY_EMAIL_ANYWHERE))


def _network(address: str) -> str:
    """One machine has many addresses of IPv6: what counts is its network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)
