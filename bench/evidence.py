"""Makes what the pages show as evidence, with a running Portico over loopback, and writes it down as data of the pages.

    make evidence                 or: python -m bench.evidence
    python -m bench.evidence --only receipt

receipt  one call with its receipt and the balance before and after it: /receipts/sample
race     many calls at once on a balance that covers some of them: /receipts/sample#race

Each takes some seconds. The model is the simulator's (`portico simulate`) in the one, and a provider that holds its answers
back in the other: nobody is paid. What is written is what was read from the running Portico, and nothing else.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import portico as package
from books.racing import raced
from books.shop import Gate as Unasked
from books.shop import Shop, call, open_shop, receipt
from gateway.commands import portico

DATA: Final = Path(package.__file__).parent / "web" / "data"
MODEL: Final = "claude-sonnet-5-5"
KEY_NAME: Final = "laptop"
PAID_IN: Final = "5.00"
PROVIDERS: Final = ("simulated-first", "simulated-second")
"""Two that serve the model: the one that is asked first is told to fail, once."""
_MANUAL: Final = "A portico is a row of columns before a door. It keeps the rain off, and shows where to go in. " * 120
_THREAD: Final = "evidence"


async def made_receipt(folder: Path) -> dict[str, Any]:
    """A call whose first try fails, told by its receipt."""
    async with portico("simulate", "--port", "0", folder=folder) as simulator, open_shop(folder, Unasked()) as shop:
        _two_providers(shop, await simulator.port())
        _, key = await shop.prepaid("sample", "--name", KEY_NAME)
        await shop.command("accounts", "top-up", "sample", PAID_IN)
        async with shop.serving() as server:
            port = await server.port()
            first = await _answered(
                port, key, _body("What is a portico?")
            )  # it leaves something in the provider's cache
            await receipt(port, key, first)
            return await _told(port, key, _body("And what keeps the rain off? [[sim:once:529]]"))


async def _told(port: int, key: str, body: dict[str, Any]) -> dict[str, Any]:
    before = await _balance(port, key)
    request_id = await _answered(port, key, body)
    written = await receipt(port, key, request_id)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "portico": package.__version__,
        "key_name": KEY_NAME,
        "before_nanos": before,
        "after_nanos": await _balance(port, key),
        "receipt": written,
    }


def _body(question: str) -> dict[str, Any]:
    manual = {"type": "text", "text": _MANUAL, "cache_control": {"type": "ephemeral"}}
    return {
        "model": MODEL,
        "max_tokens": 4000,
        "thinking": {"type": "adaptive"},
        "system": [manual],
        "messages": [{"role": "user", "content": question}],
        "metadata": {"user_id": _THREAD},
    }


async def _answered(port: int, key: str, body: dict[str, Any]) -> str:
    """The id of a call that was answered."""
    answer = await call(port, key, body, path="/v1/messages")
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
    return str(answer.headers["x-portico-request-id"])


async def _balance(port: int, key: str) -> int:
    told = (await call(port, key, path="/v1/balance", method="GET")).json()
    if told["held_nanos"]:
        raise RuntimeError("something is still held")
    return int(told["posted_nanos"])


def _two_providers(shop: Shop, port: int) -> None:
    lines = [
        f'[[providers]]\nname = "{name}"\nkind = "anthropic"\nbase_url = "http://127.0.0.1:{port}"\nkeys = ["env:UNUSED"]\n'
        for name in PROVIDERS
    ]
    (shop.folder / "portico.toml").write_text("\n".join(lines), encoding="utf-8")
    shop.env = {"PORTICO_API_KEY": shop.env["PORTICO_API_KEY"], "UNUSED": "simulated"}


async def made_race(folder: Path) -> dict[str, Any]:
    """The race of the tests, once."""
    told = msgspec.to_builtins(await raced(folder))
    return {"date": datetime.now(UTC).date().isoformat(), "portico": package.__version__, **told}


Maker = Callable[[Path], Awaitable[dict[str, Any]]]
MAKERS: Final[Mapping[str, Maker]] = {"receipt": made_receipt, "race": made_race}
"""By the name of the file that it makes."""


def made(maker: Maker) -> dict[str, Any]:
    """In a folder that is gone afterwards."""

    async def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            return await maker(Path(folder))

    return asyncio.run(run())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[*MAKERS], help="one of them")
    options = parser.parse_args()
    for name, maker in MAKERS.items():
        if options.only in (None, name):
            file = DATA / f"{name}.json"
            file.write_bytes(msgspec.json.format(msgspec.json.encode(made(maker)), indent=1) + b"\n")
            print(f"wrote {file}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
