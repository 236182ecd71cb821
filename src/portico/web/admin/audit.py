"""Who changed what: every change, with what was asked for, the newest first."""

from portico.admin.commands import COMMANDS, THEIR_OWN
from portico.web.admin.forms import PAGE, page
from portico.web.inside.asked import Asked, Shown


async def audit(asked: Asked) -> Shown:
    said = {name: asked.first(name).strip() for name in ("subject", "actor", "command")}
    found = await asked.do(
        "audit", after=asked.first("after"), limit=PAGE, **{name: value or None for name, value in said.items()}
    )
    commands = [(name, name) for name in sorted(command.name for command in (*COMMANDS, *THEIR_OWN) if command.changes)]
    return page(asked, "audit", "Audit", found=found.data, next=found.next, said=said, commands=commands)
