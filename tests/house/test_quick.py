"""What is read of a command line without the toolkit is what the toolkit would read."""

from pathlib import Path
from typing import Any

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from portico.cli import quick, serve
from portico.cli.app import app
from portico.cli.quick import read_serve

NOTHING: dict[str, Any] = {
    "config": None,
    "host": None,
    "port": None,
    "workers": None,
    "access_log": None,
    "simulate": False,
}

READ: list[tuple[list[str], dict[str, Any]]] = [
    ([], {}),
    (["--simulate"], {"simulate": True}),
    (["--port", "0", "--host", "::1"], {"port": 0, "host": "::1"}),
    (["--port=0", "--host=::1", "--workers=2"], {"port": 0, "host": "::1", "workers": 2}),
    (["--config", "a b.toml", "--simulate"], {"config": Path("a b.toml"), "simulate": True}),
    (["--config=a=b.toml"], {"config": Path("a=b.toml")}),
    (["--port", "99999"], {"port": 99999}),
    (["--access-log", "a.log"], {"access_log": "a.log"}),
]
LEFT = [
    ["--help"],
    ["-h"],
    ["--nonsense"],
    ["--"],
    ["extra"],
    ["--port"],
    ["--port", "eighty"],
    ["--port", "-1"],
    ["--port="],
    ["--port", "1_0"],
    ["--port", " 1"],
    ["--port", "\u0663"],
    ["--host", "--simulate"],
    ["--port", "1", "--port", "2"],
    ["--port", "0", "--port", "0"],
    ["--simulate", "--simulate"],
    ["--simulate=yes"],
    ["--sim"],
    ["simulate"],
    ["port", "1"],
]


@pytest.mark.parametrize(("arguments", "options"), READ)
def test_plain_options_are_read(arguments: list[str], options: dict[str, Any]) -> None:
    assert read_serve(arguments) == {**NOTHING, **options}


@pytest.mark.parametrize("arguments", LEFT)
def test_what_may_be_a_mistake_is_left_to_the_toolkit(arguments: list[str]) -> None:
    assert read_serve(arguments) is None


def by_toolkit(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def keep(**options: Any) -> int:
        told.update({**options.pop("overrides"), **options})
        return 0

    monkeypatch.setattr(serve, "run_serve", keep)
    typer.main.get_command(app)(["serve", *arguments], standalone_mode=False)
    return told


words = st.sampled_from(
    [
        "--port",
        "--workers",
        "--access-log",
        "--host",
        "--config",
        "--simulate",
        "--port=7",
        "--host=h",
        "8",
        "x",
        "-1",
        "=",
    ]
)


@given(st.lists(words, max_size=5))
def test_what_is_read_is_what_the_toolkit_reads(arguments: list[str]) -> None:
    options = read_serve(arguments)
    if options is not None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            assert by_toolkit(arguments, monkeypatch) == options


def test_every_option_of_the_table_is_one_of_serve() -> None:
    command = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    known = {parameter.name for parameter in command.params}
    assert {name.replace("-", "_") for name in quick.VALUES.keys() | quick.FLAGS} <= known
