"""`portico users invite` and `reset`, `portico sessions`, `portico invitations`: how users come in."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import Account, ConfigOption, JsonOption, Yes, confirmed, given
from portico.cli.admin.people import User, users
from portico.cli.admin.run import perform

sessions = typer.Typer(no_args_is_help=True, help="Sessions: where a user is signed in.")
invitations = typer.Typer(no_args_is_help=True, help="Invitations of an account that nobody has followed yet.")


@users.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="Whom: the address they will sign in with.")],
    account: Annotated[str | None, typer.Option(help="An account that they come into, by its name or its id.")] = None,
    role: Annotated[str | None, typer.Option(help="In it: owner, admin, member or viewer.")] = None,
    operator: Annotated[bool, typer.Option("--operator", help="They are to run this Portico.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a link by which somebody becomes a user. It is shown this once, and works once, for a week.

    Example:

        portico users invite ada@example.com --account acme --role admin
    """
    fields = {"email": email, **given(account=account, role=role), "operator": operator}
    perform("users invite", fields, config=config, as_json=json, show=_new_invitation)


@users.command("reset")
def reset(user: User, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make a link by which a user chooses another password. It is shown this once, and works once, for a day.

    Example:

        portico users reset ada@example.com
    """
    perform("users reset", {"user": user}, config=config, as_json=json, show=_link)


@sessions.command("list")
def list_sessions(user: User, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List where a user is signed in.

    Example:

        portico sessions list ada@example.com
    """
    perform("sessions list", {"user": user}, config=config, as_json=json, show=_sessions)


@sessions.command("end")
def end_sessions(
    user: User,
    session: Annotated[str, typer.Option(help="Only this one, by its id; otherwise all of them.")] = "",
    yes: Yes = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Sign a user out, everywhere or in one session.

    Example:

        portico sessions end ada@example.com --yes
    """
    confirmed(f"Sign {user} out?", yes=yes)
    perform("sessions end", {"user": user, "session": session}, config=config, as_json=json, show=_ended)


@invitations.command("list")
def list_invitations(account: Account, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the invitations of an account that nobody has followed yet.

    Example:

        portico invitations list acme
    """
    perform("invitations list", {"account": account}, config=config, as_json=json, show=_invitations)


@invitations.command("withdraw")
def withdraw_invitation(
    account: Account,
    invitation: Annotated[str, typer.Argument(help="The id of an invitation.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Take an invitation back: its link opens nothing any more.

    Example:

        portico invitations withdraw acme 8c1f…
    """
    fields = {"account": account, "invitation": invitation}
    perform("invitations withdraw", fields, config=config, as_json=json, show=_invitation)


def _new_invitation(made: Any) -> None:
    _invitation(made)
    _link(made)


def _invitation(one: Any) -> None:
    show.sheet(
        [
            ("id", one.id),
            ("email", one.email),
            ("account", one.account),
            ("role", one.role),
            ("operator", "yes" if one.operator else None),
            ("expires", one.expires),
        ]
    )


def _link(made: Any) -> None:
    """The link, alone on its line: it is there this once."""
    where = "" if made.url else ", behind the address of your Portico"
    print(f"\nHand this on{where}. It is shown this once, works once, and until {show.cell(made.expires)}:\n")
    print(made.url or made.path)


def _sessions(page: Any) -> None:
    columns = [("id", show.KEPT), ("from", show.KEPT), ("signed in", show.KEPT), ("seen", show.KEPT), ("browser", "")]
    rows = [[one.id, one.address, one.created, one.seen, one.agent] for one in page.data]
    show.table(columns, rows, empty="They are signed in nowhere.")


def _ended(told: Any) -> None:
    print(f"{told.ended} {'session' if told.ended == 1 else 'sessions'} ended.")


def _invitations(page: Any) -> None:
    columns = [("email", ""), ("role", show.KEPT), ("expires", show.KEPT), ("id", show.KEPT)]
    rows = [[one.email, one.role, one.expires, one.id] for one in page.data]
    show.table(columns, rows, empty="Nobody is invited.")
