"""What an address asks for: days, a model, a key. The same words on every page of the console: one leads to another."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from portico.accounts.calls import Filter
from portico.accounts.keys import KEY_PREFIX, visible_prefix
from portico.web.inside.asked import Asked

DAYS: Final = 30


def filter_of(asked: Asked, today: date, oldest: date) -> Filter:
    """The filter of a list of calls: of the last 30 days, where nothing else is said, and of none that is kept no more.
    Raises `InvalidRequest`."""
    last = asked.day("to") or today
    first = asked.day("from") or last - timedelta(days=DAYS - 1)
    charged = {"yes": True, "no": False}.get(asked.first("charged"))
    return Filter(
        account=asked.account_id,
        model=asked.first("model").strip(),
        key=asked.first("key").strip(),
        outcome=asked.first("outcome").strip(),
        charged=charged,
        first=max(first, oldest),
        last=last,
        search=searched(asked.first("q").strip()),
    )


def searched(text: str) -> str:
    """What is searched for; of a whole key, which belongs in no address, how it begins."""
    return visible_prefix(text) or text if text.startswith(KEY_PREFIX) else text


def address(path: str, filtered: Filter, **more: str) -> str:
    """Where those calls are listed."""
    said: Mapping[str, str] = {
        "from": filtered.first.isoformat() if filtered.first else "",
        "to": filtered.last.isoformat() if filtered.last else "",
        "model": filtered.model,
        "key": filtered.key,
        "outcome": filtered.outcome,
        "charged": "" if filtered.charged is None else "yes" if filtered.charged else "no",
        "q": filtered.search,
        **more,
    }
    told = urlencode([(name, value) for name, value in said.items() if value])
    return f"{path}?{told}" if told else path
