"""Responses that were stored, and what went before them; each belongs to the key that made it."""

from dataclasses import dataclass

from portico.simulator.openai.refusal import Refused
from portico.simulator.refusal import Json

_MOST = 1_000


@dataclass(frozen=True)
class Stored:
    """One response. `items`: the whole conversation up to it, its own input and output included; `asked`: its own input."""

    response: Json
    items: tuple[Json, ...]
    asked: tuple[Json, ...]


class Store:
    """What was stored, oldest forgotten first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Stored] = {}
        self._items: dict[tuple[str, str], Json] = {}
        self._needs: dict[tuple[str, str], str] = {}

    def keep(self, key: str, stored: Stored) -> None:
        """Keeps a response and its items."""
        self._kept[key, stored.response["id"]] = stored
        for item in stored.response["output"]:
            self._items[key, item["id"]] = item
        for kept, most in ((self._kept, _MOST), (self._items, 20 * _MOST)):
            while len(kept) > most:
                del kept[next(iter(kept))]

    def pair(self, key: str, output: list[Json]) -> None:
        """Remembers which reasoning each item of an output came right after."""
        reasoning = ""
        for item in output:
            if item["type"] == "reasoning":
                reasoning = item["id"]
            elif reasoning:
                self._needs[key, item["id"]] = reasoning
        while len(self._needs) > 20 * _MOST:
            del self._needs[next(iter(self._needs))]

    def needed(self, key: str, item: str) -> str:
        """The id of the reasoning an item has to be given with; "" for none."""
        return self._needs.get((key, item), "")

    def find(self, key: str, name: str) -> Stored:
        """Raises `Refused` for a response that is not there."""
        found = self._kept.get((key, name))
        if found is None:
            raise Refused(f"Response with id '{name}' not found.", status=404)
        return found

    def previous(self, key: str, name: str) -> Stored:
        """The same, as an answer's predecessor."""
        found = self._kept.get((key, name))
        if found is None:
            said = f"Previous response with id '{name}' not found."
            raise Refused(said, param="previous_response_id", code="previous_response_not_found")
        return found

    def delete(self, key: str, name: str) -> Json:
        """Forgets a response."""
        for item in self.find(key, name).response["output"]:
            self._items.pop((key, item["id"]), None)
        del self._kept[key, name]
        return {"id": name, "object": "response", "deleted": True}

    def item(self, key: str, name: str) -> Json | None:
        """A stored item."""
        return self._items.get((key, name))
