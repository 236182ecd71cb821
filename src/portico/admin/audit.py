"""Who changed what: one row for every command that changes something, in the transaction of the change itself."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from portico.admin.desk import Args, Desk, Page, Paging, at, place_of, says
from portico.core.errors import Conflict
from portico.core.storage import Db, Row

MAX_DETAIL: Final = 20_000


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change."""

    id: int
    at: datetime
    actor: Annotated[
        str, says("`cli:` and who ran it, `api:` and the address it came from, or `user:` and who had signed in.")
    ]
    command: str
    subject: Annotated[str, says("The id of what was changed.")]
    detail: Annotated[dict[str, Any], says("What was asked for, without secrets.")]


class ListAudit(Paging, frozen=True, kw_only=True):
    subject: Annotated[str, says("Only changes of this: an account's or a key's id.", max_length=200)] | None = None
    actor: Annotated[str, says("Only what they did: `user:ada@example.com`.", max_length=300)] | None = None
    command: Annotated[str, says("Only this command: `keys revoke`.", max_length=100)] | None = None


def record(db: Db, *, actor: str, command: str, subject: str, args: Args, secret: frozenset[str]) -> None:
    """Writes down a change. `secret`: arguments that are not kept."""
    asked = {name: value for name, value in msgspec.to_builtins(args).items() if value is not None}
    detail = msgspec.json.encode({name: value for name, value in asked.items() if name not in secret}).decode()
    if len(detail) > MAX_DETAIL:
        detail = msgspec.json.encode({"left_out": f"{len(detail)} characters"}).decode()
    sql = "INSERT INTO audit (at_us, actor, command, subject, detail, reference) VALUES (?, ?, ?, ?, ?, ?)"
    db.run(sql, db.now_us, actor, command, subject, detail, getattr(args, "reference", None))


def check_reference(db: Db, *, command: str, subject: str, reference: str | None) -> None:
    """That nothing was done under this reference yet. Of two at once the index `one_change_per_reference` lets one through.

    Raises `Conflict`.
    """
    if reference is None:
        return
    sql = "SELECT at_us FROM audit WHERE command = ? AND subject = ? AND reference = ?"
    found = db.rows(sql, command, subject, reference)
    if found:
        when = f"{at(found[0][0]):%Y-%m-%d %H:%M} UTC"
        message = f"The reference {reference!r} was booked already, on {when}. Nothing was changed."
        raise Conflict(message, param="reference")


_ENTRY: Final = "SELECT id, at_us, actor, command, subject, detail FROM audit"


def list_(desk: Desk, args: ListAudit) -> Page[AuditEntry]:
    """Lists changes that administrators made, newest first."""
    asked = {name: getattr(args, name) for name in ("subject", "actor", "command") if getattr(args, name) is not None}
    which = "".join([f" AND {name} = ?" for name in asked])
    sql = f"{_ENTRY} WHERE id < ?{which} ORDER BY id DESC LIMIT ?"
    rows = desk.db.rows(sql, place_of(args.after, 2**62), *asked.values(), args.limit + 1)
    return Page.cut([_entry(row) for row in rows], args.limit, lambda entry: str(entry.id))


def _entry(row: Row) -> AuditEntry:
    number, at_us, actor, command, subject, detail = row
    return AuditEntry(
        id=number, at=at(at_us), actor=actor, command=command, subject=subject, detail=msgspec.json.decode(detail)
    )
