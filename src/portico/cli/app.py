"""The commands, their options and their help. What they do is in modules of their own, imported when asked for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from portico import __version__
from portico.cli.admin import (
    access,
    accounts,
    calls,
    codes,
    credentials,
    keys,
    ledger,
    payments,
    people,
    pool,
    prices,
    providers,
    reports,
    upkeep,
)
from portico.cli.options import ConfigOption, JsonOption

app = typer.Typer(
    name="portico",
    help="One door to every model: answers the client you have from the provider you want.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


class What(StrEnum):
    """What is translated."""

    REQUEST = "request"
    RESPONSE = "response"
    STREAM = "stream"


class DialectName(StrEnum):
    """A wire format."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    GEMINI = "gemini"


class KindName(StrEnum):
    """A kind of provider."""

    GEMINI = "gemini"
    VERTEX = "vertex"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    AZURE_OPENAI = "azure-openai"
    OPENAI_COMPATIBLE = "openai-compatible"


class ImageForm(StrEnum):
    """How images of an answer are told to a Chat client."""

    MARKDOWN = "markdown"
    IMAGES = "images"
    PARTS = "parts"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portico {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command()
def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (default 8080; 0 takes a free one).")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve (default 1).")] = None,
    access_log: Annotated[
        str | None,
        typer.Option(help="Where a line for each request goes: stdout, stderr, off, or a file (default: see README)."),
    ] = None,
    simulate: Annotated[
        bool,
        typer.Option("--simulate", help="Answer from the built-in simulator instead of a provider. Costs nothing."),
    ] = False,
) -> None:
    """Run the gateway.

    Examples:

        GEMINI_API_KEY=… portico serve

        portico serve --simulate --port 9000
    """
    from portico.cli.serve import run_serve

    overrides = {"host": host, "port": port, "workers": workers, "access_log": access_log}
    raise typer.Exit(run_serve(config=config, overrides=overrides, simulate=simulate))


@app.command()
def simulate(
    port: Annotated[int, typer.Option(help="The port to listen on (0 takes a free one).")] = 8090,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="Answers are the same for the same seed.")] = 0,
    pace: Annotated[float, typer.Option(help="Seconds between the events of a stream.")] = 0.0,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Accept thought signatures and reasoning that others made.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="A file to which each request is added as a line of JSON, without its credentials."),
    ] = None,
) -> None:
    """Run the simulator: a strict stand-in for the providers, each at its own paths of one address.

    It plays Google Gemini's native API, OpenAI's Chat Completions, Responses, embeddings, pictures, speech and
    transcripts (at OpenAI's paths and at Azure's), and Anthropic's Messages (at Anthropic's paths and at Vertex AI's).
    Failures are provoked by a marker in the last user text, such as [[sim:429]], [[sim:cut=2]] or [[sim:block]].

    Example:

        portico simulate --port 8090 &

        curl -H 'x-goog-api-key: any' http://127.0.0.1:8090/v1beta/models

        curl -H 'authorization: Bearer any' http://127.0.0.1:8090/v1/models

        curl -H 'x-api-key: any' -H 'anthropic-version: 2023-06-01' http://127.0.0.1:8090/v1/models
    """
    from portico.cli.simulate import run_simulate

    raise typer.Exit(run_simulate(host=host, port=port, seed=seed, pace_s=pace, lenient=lenient, record=record))


@app.command()
def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Read the configuration, say what is wrong with line and key, and try each provider's keys.

    Examples:

        portico check

        portico check --config portico.toml --json
    """
    from portico.cli.check import run_check

    raise typer.Exit(run_check(config=config, as_json=json))


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="One model, by any name it is known by.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List the models this Portico knows, or show one: limits, what it can do, what it costs.

    Examples:

        portico models

        portico models gemini-2.5-flash-thinking --json
    """
    from portico.cli.models import run_models

    raise typer.Exit(run_models(name=name, config=config, as_json=json))


@app.command()
def translate(
    what: Annotated[What, typer.Argument(help="What stands on standard input.")],
    source: Annotated[DialectName, typer.Option("--from", help="The dialect it is in.")],
    to: Annotated[DialectName, typer.Option("--to", help="The dialect to translate into.")],
    model: Annotated[str | None, typer.Option(help="The model asked for, where the body does not say.")] = None,
    provider: Annotated[
        KindName | None, typer.Option(help="Whom a request is for (default: whose model it is, if that fits).")
    ] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One document a line in, one a line out.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The untouched path of one dialect to itself.")] = False,
    seed: Annotated[int, typer.Option(help="Fixes the ids that are made up.")] = 0,
    now: Annotated[int, typer.Option(help="Fixes `created`, in seconds since 1970.")] = 0,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch files named by address, as serving does.")] = False,
    no_usage: Annotated[bool, typer.Option("--no-usage", help="No usage chunk at the end of a Chat stream.")] = False,
    thoughts: Annotated[bool, typer.Option("--thoughts", help="Show the model's thoughts.")] = False,
    image_form: Annotated[ImageForm, typer.Option(help="How images are told to Chat.")] = ImageForm.MARKDOWN,
) -> None:
    """Translate a request, an answer or a stream, through the code that serves.

    Prints {"body": …, "losses": […]}, or the translated stream (its losses as one JSON line on standard error). With
    --jsonl an error is {"error": …} on its line; a line of a stream is {"sse": [event, …]}. Exit 1 if some document
    failed.

    Examples:

        portico translate request --from openai_chat --to gemini --model gemini-3.5-flash < request.json

        portico translate request --from anthropic_messages --to openai_responses --model gpt-5.5 < request.json

        portico translate request --from gemini --to openai_chat --provider azure-openai --model gpt-5.5 < request.json

        portico translate response --from anthropic_messages --to openai_responses --thoughts < answer.json

        curl -N … | portico translate stream --from gemini --to anthropic_messages
    """
    from portico.cli.translate import Options, run_translate

    options = Options(
        source=source.value,
        to=to.value,
        model=model,
        provider=None if provider is None else provider.value,
        jsonl=jsonl,
        raw=raw,
        seed=seed,
        now=now,
        fetch=fetch,
        usage=not no_usage,
        thoughts=thoughts,
        image_form=image_form.value,
    )
    raise typer.Exit(run_translate(what.value, options))


@app.command()
def connect(
    client: Annotated[str | None, typer.Argument(help="Which client, by its name in --list.")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Where Portico is (default $PORTICO_URL, else as portico.toml says, else port 8080 here)."),
    ] = None,
    key: Annotated[str | None, typer.Option(help="The key to use (default $PORTICO_API_KEY).")] = None,
    model: Annotated[str | None, typer.Option(help="What the client asks by default (else one that fits it).")] = None,
    models: Annotated[str | None, typer.Option(help="Tell only these: globs, with commas between.")] = None,
    api: Annotated[str | None, typer.Option(help="Which of the client's APIs to use, by its name in --list.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Merge the settings into the client's own files.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Read the client's files, and make one real call.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the clients.")] = False,
    json: JsonOption = False,
) -> None:
    """Tell a client (OpenClaw, Codex, Claude Code …) where this Portico is, with which key, and which models there are.

    Prints what the client needs. With --write it is merged into the client's own files: what was there is kept beside them,
    other settings and comments stay, and a second time changes nothing. With --check one call is made as the client would.

    Examples:

        portico connect --list

        portico connect openclaw

        PORTICO_API_KEY=sk-portico-… portico connect codex --write

        portico connect openclaw --api own-apis --write

        portico connect claude-code --url https://portico.example.com --model claude-sonnet-5-5 --write

        portico connect claude-code --check
    """
    from portico.cli.connect import Asked, run_connect, run_list

    if client is None and not show_list and (write or check or url or key or model or models or api):
        raise typer.BadParameter("Say which client: portico connect NAME; portico connect --list shows them.")
    if show_list or client is None:
        raise typer.Exit(run_list(as_json=json))
    if write and check:
        raise typer.BadParameter("--write or --check, one after the other.")
    asked = Asked(name=client, url=url, key=key, model=model, models=models, api=api, as_json=json)
    raise typer.Exit(run_connect(asked, write_files=write, check=check))


for _noun, _commands in (
    ("accounts", accounts.app),
    ("keys", keys.app),
    ("codes", codes.app),
    ("payments", payments.app),
    ("providers", providers.app),
    ("pool", pool.app),
    ("calls", calls.app),
    ("users", people.users),
    ("memberships", people.memberships),
    ("sessions", access.sessions),
    ("invitations", access.invitations),
    ("prices", prices.prices),
    ("markup", prices.markup),
    ("ledger", ledger.app),
    ("receipts", reports.receipts),
    ("credentials", credentials.app),
    ("secrets", credentials.secrets),
    ("db", upkeep.db),
):
    app.add_typer(_commands, name=_noun)
app.command()(reports.usage)
app.command()(reports.audit)
app.command()(upkeep.backup)
