"""Answers that are kept between calls, for one call: what it goes on from is put into its body, and what it leaves is kept.

After `begin` the call is like any other: its body stands alone, so it can be sent to any provider, by any worker, more
than once. That an answer is kept is durable before its last byte leaves (as for the vault), so that its caller can go on at
once.
"""

from collections.abc import Sequence

import msgspec

from portico.core.dialect import Continuing, KeptTurn, State
from portico.core.errors import NotFound, PreviousResponseNotFound, RequestTooLarge
from portico.relay.call import Call
from portico.vault.responses import ChainTooLong, StoredResponses
from portico.wire.sse import Frame


class Continuation:
    """Of one call."""

    def __init__(
        self,
        state: State,
        asked: Continuing,
        *,
        stored: StoredResponses | None = None,
        before: Sequence[KeptTurn] = (),
        items: Sequence[bytes] = (),
        native: bool = True,
    ) -> None:
        """`before`: the turns it goes on from, `items`: what it brings itself, with nothing only named; `native`: all of it
        can be given to a provider of the dialect as it is."""
        self._state = state
        self._asked = asked
        self._stored = stored
        self._before = before
        self._items = items
        self.native = native
        self._answer: bytes | None = None
        self._held: list[Frame] = []

    def body(self, body: bytes, *, thinks: bool) -> bytes:
        """The caller's body, standing alone."""
        items = [item for turn in self._before for item in _said(self._state, turn)]
        return self._state.continued(body, [*items, *self._items], asked=self._asked, thinks=thinks)

    # -- the answer

    def _keeps(self, answer_bytes: int) -> bool:
        """Whether an answer of so many bytes is kept."""
        if not self._asked.keeps or self._stored is None:
            return False
        return self._stored.fits(answer_bytes + sum([len(item) + 1 for item in self._items]))

    def whole(self, call: Call, answer: bytes) -> bytes:
        """A whole answer as its caller is told it; from here on it is being kept."""
        told = self._state.told(answer, self._asked, kept=self._keeps(len(answer)))
        self._answer = told
        self.keep(call)
        return told

    def frames(self, frames: Sequence[Frame]) -> list[Frame]:
        """Frames of a stream as they are told. The one that ends the answer, and all behind it, wait for `rest`."""
        if self._held:
            self._held += frames
            return []
        told: list[Frame] = []
        for number, frame in enumerate(frames):
            changed, answer = self._state.told_frame(frame, self._asked, kept=self._keeps(len(frame.data)))
            if answer is not None:
                self._answer = answer
                self._held += [changed, *frames[number + 1 :]]
                break
            told.append(changed)
        return told

    def rest(self) -> list[Frame]:
        """What was held back."""
        held, self._held = self._held, []
        return held

    def keep(self, call: Call) -> None:
        """Keeps the answer, if there is one to keep; who ends the answer waits for it."""
        answer, self._answer = self._answer, None
        kept = self._state.kept(answer) if answer is not None and self._keeps(len(answer)) else None
        if kept is None or answer is None or self._stored is None:
            return
        native = self.native and not call.translated
        given = b"[" + b",".join(self._items) + b"]"
        turn = KeptTurn(kept.id, self._asked.previous, given, answer, native)
        ids = [id_ for id_, _ in kept.items if id_]
        settling = self._stored.keep(call.caller.tenant, turn, ids, [one.id for one in self._before])
        if settling is not None:
            call.settling.append(settling)


async def begin(
    stored: StoredResponses | None, state: State, tenant: str, body: bytes, *, generates: bool
) -> Continuation | None:
    """What a body has to do with what is kept; None: nothing. `generates`: there will be an answer to keep.

    Raises `PreviousResponseNotFound`, `NotFound` for an item that is not there, `RequestTooLarge`, `StorageUnavailable`.
    """
    asked = state.read(body)
    if asked is not None and not generates:
        asked = msgspec.structs.replace(asked, keeps=False)
    if asked is None or not (asked.keeps or asked.previous is not None or asked.named):
        return None
    before: Sequence[KeptTurn] = ()
    if asked.previous is not None:
        before = await _turns(stored, tenant, asked.previous)
    items, native = list(asked.new), all(turn.native for turn in before)
    if asked.named:
        said = {id_: (item, turn.native) for turn in before for id_, item in _named(state, turn)}
        missing = [id_ for id_ in asked.named.values() if id_ not in said]
        if missing and stored is not None:
            for id_, turn in (await stored.saying(tenant, missing)).items():
                said |= {name: (item, turn.native) for name, item in _named(state, turn) if name == id_}
        for index, id_ in asked.named.items():
            if id_ not in said:
                raise NotFound(f"Item with id '{id_[:100]}' not found.", param="input")
            items[index], own = said[id_]
            native = native and own
    return Continuation(state, asked, stored=stored, before=before, items=items, native=native)


async def _turns(stored: StoredResponses | None, tenant: str, previous: str) -> list[KeptTurn]:
    try:
        turns = [] if stored is None else await stored.chain(tenant, previous)
    except ChainTooLong:
        raise RequestTooLarge(
            "The conversation before this request is longer than can be put before it. Send what matters of it as input."
        ) from None
    if not turns:
        message = f"Previous response with id '{previous[:100]}' not found."
        raise PreviousResponseNotFound(message, param="previous_response_id")
    return turns


def _said(state: State, turn: KeptTurn) -> list[bytes]:
    """All items of a turn, those it was asked with first."""
    asked = turn.input.strip()[1:-1]
    return [*([asked] if asked.strip() else []), *[item for _, item in _named(state, turn)]]


def _named(state: State, turn: KeptTurn) -> Sequence[tuple[str, bytes]]:
    kept = state.kept(turn.response)
    return () if kept is None else kept.items
