"""The Responses API: what is asked of it, from the stored conversation to the answer that is stored in turn."""

from random import Random

from portico.simulator import mind
from portico.simulator.answer import seal
from portico.simulator.faults import Wishes
from portico.simulator.openai import responses_forms, responses_hearing, responses_rules, telling
from portico.simulator.openai.blobs import Blobs
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused
from portico.simulator.openai.responses_telling import Reply, told
from portico.simulator.openai.stored import Store, Stored
from portico.simulator.refusal import Json


def no_model(name: str) -> Refused:
    """A model that is not there; Responses says it its own way."""
    return Refused(f"The requested model '{name}' does not exist.", param="model", code="model_not_found")


class Responses:
    """Plays `/v1/responses`. `lenient` takes reasoning, items and responses that were made elsewhere."""

    def __init__(self, seed: int, *, lenient: bool) -> None:
        self.seed = seed
        self.lenient = lenient
        self.store = Store()
        self.blobs = Blobs(seed)

    REQUEST = staticmethod(responses_forms.REQUEST)
    COUNT = staticmethod(responses_forms.COUNT)

    def conversation(self, body: Json, model: Model, key: str) -> list[Json]:
        """Every item the model reads, those of earlier responses first. Raises `Refused`."""
        if not model.responses or not model.writes:
            said = f"The requested model '{model.name}' is not supported with the Responses API."
            raise Refused(said, param="model", code="model_not_found")
        responses_rules.check(body, model)
        given = responses_rules.items(body)
        responses_rules.check_media(given)
        before, known = self._before(body, key)
        new = [self._referred(item, key) for item in given]
        everything = [*before, *new]
        if not self.lenient:
            responses_rules.check_reasoning(new, key, self.store, self.blobs)
        kept = body.get("store") is not False
        responses_rules.check_order(everything if known else new, key, self.store, kept=kept)
        if known and not any(item["type"] == "item_reference" for item in new if "type" in item):
            responses_rules.check_pairs(everything)
        return everything

    def _before(self, body: Json, key: str) -> tuple[tuple[Json, ...], bool]:
        """(the items of the conversation so far, whether they are known here)."""
        name, talk, prompt = body.get("previous_response_id"), body.get("conversation"), body.get("prompt")
        if (name or talk or prompt) and self.lenient:
            return (), False
        if talk:
            told = talk if isinstance(talk, str) else talk["id"]
            raise Refused(f"Conversation with id '{told}' not found.", status=404)
        if prompt:
            raise Refused(f"Prompt with id '{prompt['id']}' not found.", status=404)
        return (self.store.previous(key, name).items, True) if name else ((), True)

    def _referred(self, item: Json, key: str) -> Json:
        if item.get("type") != "item_reference":
            return item
        found = self.store.item(key, item["id"])
        if found is None and not self.lenient:
            raise Refused(f"Item with id '{item['id']}' not found.", param="input", status=404)
        return found or item

    def reply(self, body: Json, model: Model, conversation: list[Json], wished: Wishes, created: int) -> Reply:
        """The answer."""
        mark = seal(self.seed, "responses", told(body))
        dice = Random(int.from_bytes(mark[:8]))
        ask = responses_hearing.heard(body, conversation, model)
        tools = responses_rules.declared(responses_rules.offered(body))
        kinds = {one["name"]: (one["type"] == "custom", namespace) for one, namespace in tools}
        before = conversation[: len(conversation) - len(responses_rules.items(body))]
        return Reply(
            body,
            model,
            mind.answer(ask, wished.without(frozenset({"malformed"})), dice),
            mark.hex(),
            dice,
            created,
            self.blobs,
            kinds,
            telling.read({"input": before}, "input") if before else 0,
            "refuse" in wished,
            "failed" in wished,
            "malformed" in wished,
        )

    def keep(self, reply: Reply, output: list[Json], conversation: list[Json], key: str) -> None:
        """Stores an answer, unless it was asked not to."""
        if reply.body.get("store") is False:
            return
        self.store.pair(key, output)
        asked = tuple(responses_rules.items(reply.body))
        self.store.keep(key, Stored(reply.response(output), (*conversation, *output), asked))

    def input_items(self, name: str, key: str) -> Json:
        """The list of the items a response was asked with."""
        data = []
        for number, item in enumerate(self.store.find(key, name).asked):
            content = item.get("content")
            if isinstance(content, str):
                content = [{"type": "input_text", "text": content}]
            more: Json = {} if content is None else {"content": content}
            data.append({"id": f"msg_{name[5:40]}{number:04}", "type": "message", "status": "completed"} | item | more)
        data.reverse()
        first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
        return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": False}

    def count(self, body: Json) -> Json:
        """The answer of `input_tokens`."""
        counted = telling.read(body, "instructions", "input", "tools", "text")
        return {"object": "response.input_tokens", "input_tokens": counted}
