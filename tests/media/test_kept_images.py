"""The vault and images: found again by what they are, put back where they were, with their signatures (mapping.md 2.4)."""

import time

import msgspec
import pytest

from portico.core.assembly import tell
from portico.core.events import PartDelta, PartEnded, PartStarted
from portico.core.parts import Media, Part, Reasoning, Signature, Text, ToolCall
from portico.core.request import Message, Request, Role
from portico.core.response import Candidate, Response
from portico.dialects import openai_chat
from portico.dialects.openai_chat.media_out import markdown
from portico.vault import MediaKept, MemoryVault, TextKept, TurnRecord, TurnRecorder, keys_of_request, restore
from portico.vault.record import media_digest

SIGNER = "gemini-3@gemini"
HUGE = "U0lH" * 300_000
"""A signature as image models make them: larger than the picture."""


def sig(data: str) -> Signature:
    return Signature("google", data)


CAT, DOG = "iVBORw0KGgo=", "_9j-"
PARTS: tuple[Part, ...] = (
    Text("Here is a cat:\n", sig("VDE=")),
    Media("image/png", data=CAT, signature=sig(HUGE)),
    Text("And a dog.\n", sig("VDI=")),
    Media("image/jpeg", data=DOG, signature=sig("SUI=")),
)


def kept(*parts: Part) -> dict[str, TurnRecord]:
    recorder = TurnRecorder(SIGNER)
    recorder.feed_response(Response(None, None, (Candidate(0, parts, None),)))
    return {key: record for keys, record in recorder.records() for key in keys}


def asked(*parts: Part) -> Request:
    return Request("m", (Message(Role.USER, (Text("hi"),)), Message(Role.ASSISTANT, parts)))


def restored(records: dict[str, TurnRecord], *parts: Part) -> list[Part]:
    request = asked(*parts)
    found = {key: records[key] for key in keys_of_request(request) if key in records}
    return list(restore(request, found).messages[1].parts)


def named(part: Part) -> Part:
    """The part as it comes back: its signature says who made it."""
    assert isinstance(part, (Text, Media))
    assert part.signature is not None
    return msgspec.structs.replace(part, signature=Signature("google", part.signature.data, SIGNER))


def bare(part: Part) -> Part:
    """The part as a client keeps it."""
    assert isinstance(part, (Text, Media))
    return msgspec.structs.replace(part, signature=None)


FORMS = ("markdown", "images", "parts")


def echoed(form: str, trim: bool = False) -> tuple[Part, ...]:
    """The parts that a Chat message holds which shows the answer in this form, read by the dialect."""
    data = [("image/png", CAT), ("image/jpeg", DOG)]
    entries = [{"type": "image_url", "image_url": {"url": f"data:{mime};base64,{one}"}} for mime, one in data]
    texts = [part.text for part in PARTS if isinstance(part, Text)]
    message: dict[str, object] = {"role": "assistant"}
    if form == "markdown":
        content = "".join([part.text if isinstance(part, Text) else markdown(part) for part in PARTS])  # type: ignore[arg-type]
        message["content"] = content.strip() if trim else content
    elif form == "images":
        content = "".join(texts)
        message |= {"content": content.strip() if trim else content, "images": entries}
    else:
        spoken = [{"type": "text", "text": text} for text in texts]
        message["content"] = [spoken[0], entries[0], spoken[1], entries[1]]
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}, message]}
    return openai_chat.DIALECT.parse_request(body).messages[1].parts


@pytest.mark.parametrize("trim", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_comes_back_part_by_part_with_every_signature(form: str, trim: bool) -> None:
    """1.2, images[]; 2.4, rule e"""
    assert restored(kept(*PARTS), *echoed(form, trim)) == [named(part) for part in PARTS]


@pytest.mark.parametrize("form", FORMS)
def test_a_streamed_answer_is_kept_as_a_whole_one_is(form: str) -> None:
    recorder = TurnRecorder(SIGNER)
    for event in tell(Response(None, None, (Candidate(0, PARTS, None),))):
        recorder.feed(event)
    records = {key: record for keys, record in recorder.records() for key in keys}
    assert records == kept(*PARTS)


def test_an_image_that_comes_in_pieces_is_known_by_all_of_it() -> None:
    recorder = TurnRecorder(SIGNER)
    recorder.feed(PartStarted(0, 0, Media("image/png", data=CAT[:4])))
    for character in CAT[4:]:
        recorder.feed(PartDelta(0, 0, character))
    recorder.feed(PartEnded(0, 0, sig("QQ==")))
    ((keys, record),) = recorder.records()
    assert keys == [f"media:{media_digest(CAT)}"]
    assert record.parts == (MediaKept(media_digest(CAT), sig("QQ==")),)


def test_an_image_that_never_came_whole_is_not_kept() -> None:
    recorder = TurnRecorder(SIGNER)
    recorder.feed(PartStarted(0, 0, Media("image/png", data=CAT, signature=sig("QQ=="))))
    assert list(recorder.records()) == []


def test_drafts_are_not_kept() -> None:
    draft = Media("image/png", data=DOG, thought=True, signature=sig("QQ=="))
    assert [type(part) for record in kept(draft, *PARTS).values() for part in record.parts][:4] == [
        TextKept,
        MediaKept,
        TextKept,
        MediaKept,
    ]


# (name, what the client sends back, signatures of what goes out)
EDITED: list[tuple[str, list[Part], list[str | None]]] = [
    ("the images lost", [Text("Here is a cat:\nAnd a dog.\n")], ["VDE=", "VDI="]),
    ("the images lost, the text trimmed", [Text("Here is a cat:\nAnd a dog.")], ["VDE=", "VDI="]),
    ("one image lost", [bare(PARTS[0]), bare(PARTS[2]), bare(PARTS[3])], ["VDE=", "VDI=", "SUI="]),
    ("the text lost", [bare(PARTS[1]), bare(PARTS[3])], [HUGE, "SUI="]),
    ("the text edited", [Text("A cat."), bare(PARTS[1]), bare(PARTS[3])], [None, HUGE, "SUI="]),
    ("the text edited to the same length", [Text("here is a cat:\nAnd a dog.\n"), bare(PARTS[1])], [None, HUGE]),
    ("an image added", [*map(bare, PARTS), Media("image/png", data="eHg=")], [None, HUGE, None, "SUI=", None]),
    ("an image twice", [*map(bare, PARTS), bare(PARTS[1])], [None, HUGE, None, "SUI=", HUGE]),
    ("images in another order", [Text("Here is a cat:\nAnd a dog.\n"), bare(PARTS[3]), bare(PARTS[1])],
     ["VDE=", HUGE, "VDI=", "SUI="]),
    ("data in the other alphabet", [Text("Here is a cat:\nAnd a dog.\n"), bare(PARTS[1]),
     Media("image/jpeg", data="/9j+==")], ["VDE=", HUGE, "VDI=", "SUI="]),
    ("another image", [Media("image/png", data="eHg=")], [None]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts", "signatures"), EDITED, ids=[row[0] for row in EDITED])
def test_whatever_is_left_of_an_answer_keeps_its_own_signature_and_no_other(
    name: str, parts: list[Part], signatures: list[str | None]
) -> None:
    back = restored(kept(*PARTS), *parts)
    found = [part.signature.data if isinstance(part, (Text, Media)) and part.signature else None for part in back]
    assert found == signatures
    sent = {media_digest(part.data or "") for part in parts if isinstance(part, Media)}
    assert {media_digest(part.data or "") for part in back if isinstance(part, Media)} == sent


def test_a_kept_signature_wins_over_the_clients() -> None:
    parts = [msgspec.structs.replace(bare(part), signature=sig("Zm9yZWlnbg==")) for part in PARTS]
    assert restored(kept(*PARTS), *parts) == [named(part) for part in PARTS]


def test_thoughts_that_a_client_kept_stay_in_front() -> None:
    assert restored(kept(*PARTS), Reasoning("hm"), *map(bare, PARTS))[0] == Reasoning("hm")


def test_an_answer_with_calls_and_images_is_found_by_its_calls() -> None:
    call = ToolCall("call_A1", "f", "{}", minted=True, signature=sig("QQ=="))
    records = kept(*PARTS[:2], call)
    assert set(records) == {"call:callA1"}
    back = restored(records, bare(PARTS[0]), bare(PARTS[1]), ToolCall("call_A1", "f", "{}"))
    assert back[:2] == [named(PARTS[0]), named(PARTS[1])]


def test_an_unsigned_image_needs_no_vault() -> None:
    assert kept(Text("hello"), Media("image/png", data=CAT)) == {}


async def test_a_record_weighs_once_however_many_keys_lead_to_it() -> None:
    vault = MemoryVault(time.monotonic)
    records = kept(*PARTS)
    (record,) = {id(one): one for one in records.values()}.values()
    assert len(records) == 3
    vault.keep("t", list(records), record)
    assert vault.size_bytes == record.size_bytes
    assert len(HUGE) < record.size_bytes < len(HUGE) + 2_000
    vault.keep("t", list(records)[:1], kept(PARTS[1])[next(iter(records))])
    assert vault.size_bytes < 3 * len(HUGE)
    assert set(await vault.find("t", list(records))) == set(records)


async def test_a_vault_too_small_for_two_keeps_the_newer() -> None:
    vault = MemoryVault(time.monotonic, max_bytes=len(HUGE) + 5_000)
    for data in ("QUFB", "QkJC"):
        records = kept(Text(f"text {data}"), Media("image/png", data=data, signature=sig(HUGE)))
        vault.keep("t", list(records), next(iter(records.values())))
    assert len(vault) == 2
    assert list(await vault.find("t", list(records))) == list(records)
    assert vault.size_bytes == next(iter(records.values())).size_bytes


def test_one_picture_drawn_twice_has_two_signatures_also_in_an_edited_answer() -> None:
    """2.4, rule e: a signature is never moved to another part"""
    first = Media("image/png", data=CAT, signature=sig("SUI="))
    second = Media("image/png", data=CAT, signature=sig("SUM="))
    records = kept(Text("a", sig("VDE=")), first, second)
    back = restored(records, Text("edited"), bare(first), bare(second))
    assert back == [Text("edited"), named(first), named(second)]
