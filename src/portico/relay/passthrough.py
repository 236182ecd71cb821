"""Calls whose caller and provider speak one dialect: the bytes pass, both ways, and the relay only watches.

So a field that is new today passes today. What a body must have changed, and what is looked at on the way back, is the
dialect's to say (`core.dialect.Passing`). A body that passes is read only if another candidate speaks another dialect.
"""

from collections.abc import Sequence
from typing import Final

from portico.catalog import Model, ModelKind, Resolved
from portico.core.dialect import Dialect, Passing, Reply, Seen
from portico.core.envelope import MARK
from portico.core.errors import UpstreamError
from portico.core.events import Failed
from portico.core.request import Request
from portico.core.usage import Usage
from portico.providers import EMBEDDING, GENERATING, ProviderKind, Spoken, Verb
from portico.routing import Deployment
from portico.vault import TurnRecorder
from portico.wire.sse import Around, Frame

ENVELOPE: Final = MARK.encode()


def passes_whole(resolved: Resolved, dialect: Dialect, verb: Verb, body: bytes) -> bool:
    """Whether a call may pass untouched: its model's name says nothing that its body would have to be told, and nothing in
    its body is meant for the gateway alone (another vendor's signature, in an envelope)."""
    plain = resolved == Resolved(resolved.model, resolved.asked)
    if dialect.passing is None or (not plain and verb in GENERATING):
        return False
    return ENVELOPE not in body and dialect.passing.may_pass(body)


def is_beyond(dialect: Dialect, verb: Verb, body: bytes, deployment: Deployment) -> bool:
    """Whether a body is in the dialect that is spoken there, and asks for what the model is known to refuse."""
    beyond = None if dialect.passing is None else dialect.passing.beyond
    if beyond is None or verb in EMBEDDING or not deployment.provider.kind.speaks(dialect):
        return False
    return beyond(body, deployment.capabilities)


def unread(dialect: Dialect, model: str, verb: Verb) -> Request:
    """What stands for a request while nobody has had to understand its body."""
    return Request(model=model, messages=(), stream=verb is Verb.STREAM, include_usage=True, where=dialect.where)


def spoken_for_counts(kind: ProviderKind) -> Spoken | None:
    """In which of its dialects a kind of provider counts tokens for callers of others; None: it does not."""
    return next((one for one in kind.spoken if Verb.COUNT_TOKENS in one.paths and one.dialect.counting), None)


def spoken_for_embeddings(kind: ProviderKind) -> Spoken | None:
    """The same for embeddings."""
    return next((one for one in kind.spoken if one.dialect.embedding and not _EMBEDS.isdisjoint(one.paths)), None)


_EMBEDS: Final = EMBEDDING | {Verb.PREDICT}


def takes(kind: ProviderKind, dialect: Dialect, verb: Verb, *, passes: bool) -> bool:
    """Whether providers of a kind can be asked this by callers of a dialect. `passes`: a body may go as it is to those who
    speak it; else it is translated, and only what all dialects know is."""
    spoken = kind.to(dialect)
    if passes and spoken.dialect.name == dialect.name and (verb in spoken.paths or verb not in EMBEDDING):
        return verb in spoken.paths
    if verb is Verb.COUNT_TOKENS:
        return dialect.counting is not None and spoken_for_counts(kind) is not None
    if verb in EMBEDDING:
        return dialect.embedding is not None and spoken_for_embeddings(kind) is not None
    return spoken.dialect.receives and verb in GENERATING and verb in spoken.paths


def body_for(passing: Passing, body: bytes, asked: str, deployment: Deployment, verb: Verb) -> bytes:
    """The caller's body for a deployment. In some dialects requests for an answer name their model in the path alone.

    Raises `BodyNotJson` and `InvalidRequest`, if the body has to be looked at.
    """
    if passing.model_in_path and (verb in GENERATING or asked == deployment.upstream_model):
        return body
    return passing.renamed(body, deployment.upstream_model)


_OF_ITS_OWN: Final = {
    ModelKind.EMBEDDING: "/v1/embeddings",
    ModelKind.IMAGE: "/v1/images/generations",
    ModelKind.SPEECH: "/v1/audio/speech",
    ModelKind.TRANSCRIPTION: "/v1/audio/transcriptions",
}
"""Where models are asked that answer no chats."""


def nobody_serves(model: Model, dialect: Dialect, verb: Verb, *, at_all: bool) -> str:
    """`at_all`: somebody serves the model, for something else."""
    chat = verb in GENERATING and dialect.receives
    if chat and at_all and (own := _OF_ITS_OWN.get(model.kind)) is not None:
        return f"{model.name} answers no chats. Ask it by POST {own}."
    return f"No configured provider serves {model.name}" + ("." if chat else " with this method.")


class PassingPump:
    """Frames of one attempt as they are, committed with the first. What `relay.pump.Pump` is for a translated stream."""

    def __init__(self, dialect: Dialect, passing: Passing, fresh_id: str, asked: bytes = b"") -> None:
        """`asked`: the caller's body."""
        self._dialect = dialect
        self._id = fresh_id
        self._watch = passing.watching(fresh_id, asked)
        self.more = self._watch.more
        """Whether a frame goes straight (`relay/straight.py`)."""
        self.recorder = TurnRecorder("")
        """Of nothing: callers of the provider's own dialect bring back what it signed."""
        self.committed = False
        self.ended = False
        self.failure: UpstreamError | None = None
        """What the stream ended with after it was committed."""

    @property
    def model(self) -> str | None:
        return self._watch.model

    @property
    def counts(self) -> bool:
        """Whether it is an answer: something is in it, or its end says why not."""
        return self._watch.counts

    @property
    def prompts(self) -> int:
        """How many upstream calls there are that are answers so far: it is the only one."""
        return int(self.counts)

    def seen(self) -> Seen:
        """What the stream told so far."""
        return self._watch.seen()

    def counted(self) -> Usage | None:
        """What was used so far."""
        return self._watch.seen().usage

    @property
    def unreported(self) -> int:
        """Bytes of text that the caller sees, while nothing is reported."""
        seen = self._watch.seen()
        return seen.shown if seen.usage is None else 0

    def feed(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames to send now. Raises `UpstreamError` while there have been none."""
        out: list[Frame] = []
        for frame in frames:
            if self.ended:
                break
            try:
                out += self._watch.feed(frame)
                self.ended = self._watch.ended
                if self.ended:
                    self.failure = UpstreamError()  # the provider told an error, and it was passed on
            except UpstreamError as error:
                out += self._failed(error)
            self.committed = self.committed or bool(out)
        return out

    def straight(self) -> Around | None:
        """What stands around the data of frames of which `more` is said, until another frame is fed; None while it is no
        answer, for nobody is told when it becomes one."""
        return Around(b"", b"", self._watch.named) if self.committed and self.counts and not self.ended else None

    def close(self, frames: Sequence[Frame] = ()) -> list[Frame]:
        """The provider is done: the last frames, and an error if the answer was not complete. Raises as `feed` does."""
        out = self.feed(frames)
        if not self.ended:
            try:
                self._watch.close()
            except UpstreamError as error:
                out += self._failed(error)
        return out

    def fail(self, error: UpstreamError) -> list[Frame]:
        """The provider broke off after something was sent: that is said as the dialect says it in a stream."""
        self.ended = True
        self.failure = error
        told = self._dialect.writer(Reply(self._id, 0, self.model)).feed(Failed(error))
        return [frame for frame in told if frame.event == "error"] or told[-1:]

    def _failed(self, error: UpstreamError) -> list[Frame]:
        if not self.committed:
            raise error
        return self.fail(error)
