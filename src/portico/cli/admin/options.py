"""What the commands of an administrator have in common: options, and how times and files are written."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from portico.cli.options import ConfigOption, JsonOption

__all__ = [
    "Account",
    "After",
    "Amounts",
    "ConfigOption",
    "JsonOption",
    "Limit",
    "Yes",
    "confirmed",
    "given",
    "moment",
    "seconds",
    "usage_error",
]

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account, by its name or its id.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Needed where there is nobody to ask.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")]
After = Annotated[str, typer.Option("--after", help="Where to go on: what the page before said.")]


class Amounts(TyperCommand):
    """A command that takes an amount: one below 0 (-5, -5%) is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Other options that do not exist are named as ever."""
        ctx.ignore_unknown_options = any(re.match(r"-[0-9.]", word) for word in args)
        return super().parse_args(ctx, args)


_SPAN: Final = re.compile(r"([0-9]{1,6})\s*(s|m|h|d|w)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def given(**fields: Any) -> dict[str, Any]:
    """The arguments that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def usage_error(message: str) -> typer.Exit:
    """Told on standard error; exit code 2."""
    print(f"Error: {message}", file=sys.stderr)
    return typer.Exit(2)


def seconds(text: str) -> int:
    """`90s`, `15m`, `24h`, `7d`, `2w`. Ends the command if it is none of them."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise usage_error(f"{text!r} is not a time such as 90s, 15m, 24h, 7d or 2w.")
    return int(found.group(1)) * _UNITS[found.group(2)]


def moment(text: str) -> str:
    """A time from now on (`30d`), a day (`2027-01-01`, its beginning in UTC), or a time; as ISO 8601."""
    try:
        if _SPAN.fullmatch(text.strip().lower()) is not None:
            return (datetime.now(UTC) + timedelta(seconds=seconds(text))).isoformat()
        time = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        message = f"{text!r} is not a time. Write 30d, 2027-01-01 or 2027-01-01T12:00:00+00:00."
        raise usage_error(message) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


def confirmed(question: str, *, yes: bool) -> None:
    """Asks before something that cannot be taken back. Ends the command (exit code 1) if the answer is no, and (2) if there
    is nobody to ask and `--yes` was not given."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise usage_error(f"{question} Say --yes to do it: there is no terminal to ask at.")
    if not typer.confirm(question, default=False, err=True):
        print("Nothing was changed.", file=sys.stderr)
        raise typer.Exit(1)


def read_file(path: Path) -> str:
    """A file's text, or standard input's for `-`. Ends the command if it cannot be read."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise usage_error(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise usage_error(f"{path} is not UTF-8 text.") from None
