"""`portico users` and `portico memberships`: who may look after which account."""

from typing import Annotated, Any

import typer

from portico.cli.admin import show
from portico.cli.admin.options import Account, After, ConfigOption, JsonOption, Limit, Yes, confirmed, given
from portico.cli.admin.run import perform

users = typer.Typer(no_args_is_help=True, help="Users: people who look after accounts.")
memberships = typer.Typer(no_args_is_help=True, help="Memberships: what a user is in an account.")

User = Annotated[str, typer.Argument(metavar="USER", help="A user's e-mail address or id.")]


@users.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="The address they sign in with.")],
    name: Annotated[str, typer.Option(help="How they are called.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Add a user.

    Example:

        portico users add ada@example.com --name Ada
    """
    perform("users add", {"email": email, "name": name}, config=config, as_json=json, show=_user)


@users.command("list")
def list_users(limit: Limit = 100, after: After = "", config: ConfigOption = None, json: JsonOption = False) -> None:
    """List users.

    Example:

        portico users list
    """
    perform("users list", {"limit": limit, "after": after}, config=config, as_json=json, show=_users)


@users.command("set")
def set_user(
    user: User,
    name: Annotated[str | None, typer.Option(help="How they are called.")] = None,
    operator: Annotated[
        bool | None, typer.Option("--operator/--no-operator", help="Whether they run this Portico.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change a user: what they are called, whether they run this Portico.

    Example:

        portico users set ada@example.com --operator
    """
    fields = {"user": user, **given(name=name, operator=operator)}
    perform("users set", fields, config=config, as_json=json, show=_user)


@users.command("remove")
def remove_user(user: User, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Disable a user and sign them out. What they did stays in the books; keys belong to accounts and stay, too.

    Example:

        portico users remove ada@example.com --yes
    """
    confirmed(f"Remove the user {user}?", yes=yes)
    perform("users remove", {"user": user}, config=config, as_json=json, show=_user)


@users.command("enable")
def enable_user(user: User, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Let a removed user in again.

    Example:

        portico users enable ada@example.com
    """
    perform("users enable", {"user": user}, config=config, as_json=json, show=_user)


@memberships.command("add")
def add_member(
    account: Account,
    user: User,
    role: Annotated[str, typer.Option(help="owner, admin, member or viewer.")] = "member",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Give a user a role in an account, in place of the one they had.

    Example:

        portico memberships add acme ada@example.com --role owner
    """
    fields = {"account": account, "user": user, "role": role}
    perform("memberships add", fields, config=config, as_json=json, show=_member)


@memberships.command("remove")
def remove_member(
    account: Account, user: User, yes: Yes = False, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Take a user out of an account.

    Example:

        portico memberships remove acme ada@example.com --yes
    """
    confirmed(f"Take {user} out of the account {account}?", yes=yes)
    perform("memberships remove", {"account": account, "user": user}, config=config, as_json=json, show=_member)


@memberships.command("list")
def list_members(account: Account, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the users of an account.

    Example:

        portico memberships list acme
    """
    perform("memberships list", {"account": account}, config=config, as_json=json, show=_members)


def _user(user: Any) -> None:
    show.sheet(
        [
            ("id", user.id),
            ("email", user.email),
            ("name", user.name),
            ("state", user.state),
            ("operator", "yes" if user.operator else None),
            ("created", user.created),
        ]
    )


def _users(page: Any) -> None:
    columns = [("email", ""), ("name", ""), ("id", show.KEPT), ("state", show.KEPT), ("operator", show.KEPT)]
    rows = [[user.email, user.name, user.id, user.state, "yes" if user.operator else ""] for user in page.data]
    show.table(columns, rows, empty="There are no users. Add one: portico users add EMAIL")
    show.more(page)


def _member(member: Any) -> None:
    show.sheet([("account", member.account), ("user", member.email), ("role", member.role)])


def _members(page: Any) -> None:
    columns = [("email", ""), ("role", show.KEPT), ("user", show.KEPT)]
    rows = [[member.email, member.role, member.user] for member in page.data]
    show.table(columns, rows, empty="Nobody is in this account.")
