"""How users come in, on the command line: what is printed once, and what is asked first."""

import re
from pathlib import Path

import pytest

from admin.test_admin_cli import KEY_ENV, Cli
from databases import started_books


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    started_books(tmp_path)
    return Cli(tmp_path, dict(KEY_ENV))


def test_an_invitation_is_printed_once_alone_on_its_line(cli: Cli) -> None:
    cli.run("accounts", "create", "acme")
    said = cli.run("users", "invite", "ada@example.com", "--account", "acme", "--role", "admin")
    assert said.code == 0, said.err
    link = said.out.splitlines()[-1]
    assert re.fullmatch(r"/invite/[A-Za-z0-9]{43}", link)
    assert "behind the address of your Portico" in said.out
    told = (
        cli.run("invitations", "list", "acme").out + cli.run("audit").out + cli.run("invitations", "list", "acme").out
    )
    assert link.rpartition("/")[2] not in told
    invitation = cli.json("invitations", "list", "acme")["data"][0]["id"]
    assert cli.run("invitations", "withdraw", "acme", invitation).code == 0
    assert "Nobody is invited." in cli.run("invitations", "list", "acme").out


def test_the_whole_link_is_printed_where_the_address_is_known(cli: Cli) -> None:
    cli.env["PORTICO_WEB_PUBLIC_URL"] = "https://portico.example"
    cli.run("users", "add", "ada@example.com")
    said = cli.run("users", "reset", "ada@example.com")
    assert said.out.splitlines()[-1].startswith("https://portico.example/reset/")
    assert cli.json("users", "reset", "ada@example.com")["url"].startswith("https://portico.example/reset/")


def test_a_user_is_changed_and_told_so(cli: Cli) -> None:
    cli.run("users", "add", "ada@example.com")
    assert re.search(r"operator +yes", cli.run("users", "set", "ada@example.com", "--operator", "--name", "Ada").out)
    assert re.search(r"Ada .* yes *$", cli.run("users", "list").out, re.MULTILINE)
    refused = cli.run("users", "set", "ada@example.com", "--no-operator")
    assert (refused.code, refused.err.startswith("Error: Somebody runs this Portico")) == (1, True)


def test_a_user_is_signed_out_when_it_was_confirmed(cli: Cli) -> None:
    cli.run("users", "add", "ada@example.com")
    assert cli.run("sessions", "end", "ada@example.com").code == 2
    assert cli.run("sessions", "end", "ada@example.com", "--yes").out == "0 sessions ended.\n"
    assert "They are signed in nowhere." in cli.run("sessions", "list", "ada@example.com").out
