"""What the page of a model says that it can do is what a translation of such a request does."""

from importlib.resources import files

import msgspec
import pytest

from portico.catalog import ModelKind
from portico.core.errors import InvalidRequest
from portico.core.loss import CODES
from portico.core.target import ThinkingControl
from portico.relay.asked import home_of
from portico.relay.translate import DIALECTS, Translator
from portico.web import able, labels
from portico.web.able import Able, Answer, Found, Why
from portico.web.addresses import Address, Form, Locale
from portico.web.asks import CALLERS, THINGS, Thing
from portico.web.book import body_of, pages
from portico.web.showroom import Offer
from portico.web.site import conformance
from portico.web.words import translations
from portico.wire import jsontext
from web.rooms import CATALOG, HOUSE, KINDS, ask

CHAT = [one.name for one in CATALOG.models.values() if one.kind in (ModelKind.CHAT, ModelKind.COMPUTER_USE)]
LOOKED_AT = CHAT[::7]
ASKED = [(thing, caller) for thing in THINGS for caller in thing.asks]


def able_of(name: str) -> Able:
    model = CATALOG.models[name]
    kind = KINDS[model.vendor]
    found = able.able_of(Offer(kind, kind, name), model.capabilities_at(kind))
    assert found is not None
    return found


def found_of(name: str, thing: str, caller: str) -> Found:
    return next(one for one in able_of(name).abilities if one.name == thing).found[caller]


@pytest.mark.parametrize(("thing", "caller"), ASKED, ids=[f"{thing.name} in {caller}" for thing, caller in ASKED])
def test_a_small_request_asks_for_what_it_is_there_for(thing: Thing, caller: str) -> None:
    request = DIALECTS[caller].parse_request(thing.asks[caller], model="model", stream=thing.streamed or None)
    assert thing.said(request)


@pytest.mark.parametrize("name", LOOKED_AT)
def test_the_losses_of_a_page_are_those_that_a_translation_tells(name: str) -> None:
    found = able_of(name)
    kind = KINDS[CATALOG.models[name].vendor]
    looked_at = 0
    for thing, ability in zip(THINGS, found.abilities, strict=True):
        for caller, one in ability.found.items():
            if one.why in (Why.MODEL, Why.WORDS) or found.asked_in[caller] == caller or thing.name == "Several answers":
                continue
            translator = Translator(
                DIALECTS[caller], DIALECTS[found.asked_in[caller]], CATALOG, model=name, provider=kind
            )
            looked_at += 1
            try:
                losses = translator.request(thing.asks[caller]).losses
            except InvalidRequest:
                assert one == Found(Answer.NO, Why.REFUSED), (thing.name, caller)
            else:
                assert set(one.losses) <= {loss.code for loss in losses}, (thing.name, caller)
                assert one.why is not Why.REFUSED
                assert (one.answer is Answer.YES) <= (not one.losses)
    assert looked_at > 20


@pytest.mark.parametrize(
    ("name", "thing", "caller", "found"),
    [
        ("gemini-3.8-flash", "Tools", "openai_chat", Found(Answer.YES)),
        ("gemini-3.8-flash", "Video you send", "anthropic_messages", Found(Answer.NO, Why.WORDS)),
        ("gemini-3.8-flash", "Several answers", "openai_chat", Found(Answer.YES)),
        ("gemini-3.8-flash", "Several answers", "gemini", Found(Answer.NO, Why.PROVIDER)),
        ("gemini-3.8-flash", "One tool call at a time", "openai_chat", Found(Answer.LOSSY, None, ("1.13:parallel",))),
        ("gpt-5.5", "Web search", "openai_chat", Found(Answer.NO, Why.PROVIDER)),
        ("gpt-5.5", "Web search", "anthropic_messages", Found(Answer.YES)),
        ("gpt-4o", "Stop sequences", "openai_chat", Found(Answer.YES)),
        ("gpt-4o", "Stop sequences", "anthropic_messages", Found(Answer.NO, Why.LEFT_OUT, ("7.1:stop",))),
        ("claude-opus-5-5", "Citations of documents", "anthropic_messages", Found(Answer.YES)),
        ("claude-opus-5-5", "Audio you send", "gemini", Found(Answer.NO, Why.MODEL)),
        ("claude-haiku-4-5", "Thinking effort", "anthropic_messages", Found(Answer.LOSSY, None, ("1.7:thinking",))),
        ("gemini-3-pro-image", "Pictures it makes", "openai_responses", Found(Answer.YES)),
    ],
)
def test_what_is_known_of_some_models_is_found(name: str, thing: str, caller: str, found: Found) -> None:
    assert found_of(name, thing, caller) == found


def test_a_model_that_is_asked_in_no_dialect_of_chat_has_no_table() -> None:
    for name in ("gpt-image-2", "text-embedding-3-small", "gemini-embedding-2", "whisper-1"):
        model = CATALOG.models[name]
        kind = KINDS[model.vendor]
        assert able.able_of(Offer(kind, kind, name), model.capabilities_at(kind)) is None


@pytest.mark.parametrize("name", CHAT)
def test_every_effort_of_a_model_that_is_steered_becomes_something(name: str) -> None:
    control = CATALOG.models[name].capabilities.thinking.control
    efforts = able_of(name).efforts
    assert bool(efforts) == (control in (ThinkingControl.BUDGET, ThinkingControl.LEVEL))
    assert all(one.level is not None or one.budget is not None for one in efforts)


def test_the_table_of_efforts_in_the_documentation_is_what_the_pages_of_its_models_say() -> None:
    text = body_of(pages(Locale.EN)["/docs/thinking"], "http://localhost:8080")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    (head,) = [row for row in rows if row[0] == "effort"]
    told = {row[0].strip("`"): row[1:] for row in rows[rows.index(head) + 2 :][: len(able.EFFORTS) + 1]}
    titles = {one.title: one for one in CATALOG.models.values()}
    for at, title in enumerate(head[1:]):
        model = titles[title]
        for one in able_of(model.name).efforts:
            became = one.level or ("off" if one.budget == 0 and model.vendor == "anthropic" else f"{one.budget:,}")
            assert told[one.asked][at] == became, (title, one.asked)
        word = labels.unsaid(model.capabilities.thinking)
        assert told["nothing said"][at] == labels.UNSAID.get(word, word), title


@pytest.mark.parametrize("form", [Form.HTML, Form.MARKDOWN])
@pytest.mark.parametrize("name", ["gemini-3.8-flash", "gpt-5.5", "claude-haiku-4-5"])
async def test_a_page_tells_all_that_was_found(name: str, form: Form) -> None:
    text = (await ask(HOUSE, str(Address(f"/models/{name}", form=form)))).text
    found = able_of(name)
    for ability in found.abilities:
        assert ability.name in text
    for code in found.codes:
        assert code in text
        assert (f"/conformance#{conformance.place_of(code)}" in text) == (form is Form.HTML)
    for one in found.efforts:
        assert one.asked in text


# -- the run of the laws ---------------------------------------------------------------------------------------------------


def test_the_run_that_is_shown_asked_every_chat_model_of_the_catalog() -> None:
    """Else it is to be made anew: `make conformance`."""
    asked = [name for one in conformance.found().models for name in one.models]
    assert len(asked) == len(set(asked))
    assert set(asked) == {name for name in CHAT if home_of(CATALOG.models[name]) is not None}


def test_every_model_was_asked_by_callers_of_every_dialect() -> None:
    for one in conformance.found().models:
        assert set(one.callers) == set(CALLERS)
        for caller, asked in one.callers.items():
            assert asked.judged > 200, (one.models, caller)
            assert sum(asked.refusals.values()) == asked.refused
            assert all(0 < count <= asked.judged for count in asked.losses.values())
            assert set(asked.losses) <= set(CODES)


def test_every_law_has_its_words() -> None:
    for law in conformance.found().laws:
        assert conformance.in_words(law.law).text in {text for _, text in conformance.LAWS}, law.law


def test_the_record_of_the_run_stays_small() -> None:
    assert len((files("portico.web") / "data" / "conformance.json").read_bytes()) < 100_000


@pytest.mark.parametrize("locale", [Locale.ZH_CN, Locale.ZH_HK])
def test_every_name_of_a_law_of_a_loss_and_of_a_capability_is_said_in_chinese(locale: Locale) -> None:
    texts = [excuse.says for excuse in CODES.values()] + [text for _, text in conformance.LAWS]
    texts += [thing.name for thing in THINGS] + [*labels.WHYS.values(), *labels.ANSWERS.values(), *labels.BECAME]
    assert [text for text in texts if text not in translations(locale)] == []


def test_what_is_found_is_kept_for_as_long_as_the_catalog_says_the_same() -> None:
    offer = Offer("gemini", "gemini", "gemini-3.8-flash")
    known = CATALOG.models["gemini-3.8-flash"].capabilities_at("gemini")
    assert able.able_of(offer, known) is able.able_of(offer, known)
    other = msgspec.structs.replace(known, tools=False)
    changed = able.able_of(offer, other)
    assert changed is not None
    assert jsontext.encode(msgspec.to_builtins(changed)) != jsontext.encode(
        msgspec.to_builtins(able.able_of(offer, known))
    )
