"""Forms that are answered with what is shown once: a key, a link, codes. Plain SQL on a transaction, as in
`accounts/rows.py`.

To reload that page is to send its form again. Each form has a mark of its own, which is used up in the transaction that
does what the form asks for: sent again, however soon, it does nothing; and one that came to nothing may be sent again.
"""

from typing import Final

from portico.accounts.sessions import Session
from portico.core.errors import PorticoError
from portico.core.storage import Db

KIND: Final = "form"
"""Of counters. The window is the hour in which the session ends, and with it every form that it was shown."""
MARK_CHARACTERS: Final = 24
PIECE: Final = 500
_HOUR_US: Final = 3_600_000_000
_USE: Final = 'INSERT INTO counters (subject, kind, "window", used) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING'
_OLD: Final = (
    'DELETE FROM counters WHERE kind = ? AND (subject, "window") IN'
    ' (SELECT subject, "window" FROM counters WHERE kind = ? AND "window" < ? LIMIT ?)'
)


class SentBefore(PorticoError):
    """This form was sent already. What it makes was made then, and shown once."""

    status = 409
    code = "conflict"


def use_up(db: Db, session: Session, mark: str) -> None:
    """Raises `SentBefore`."""
    subject = f"{session.id} {mark[:MARK_CHARACTERS]}"
    if not db.run(_USE, subject, KIND, session.expires_us // _HOUR_US):
        raise SentBefore


def sweep(db: Db) -> int:
    """Removes a piece of what is over; how many."""
    return db.run(_OLD, KIND, KIND, db.now_us // _HOUR_US, PIECE)
