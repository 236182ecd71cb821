"""Images inside the content, and back again (mapping.md 1.2, 2.8): the model's text is its own afterwards."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.core.parts import Media, Part, Signature, Text, text_of
from portico.dialects.openai_chat.media_out import AROUND, markdown, pieces, split_markdown, without_markdown_media

A, B = Media("image/png", data="iVBORw0KGgo="), Media("image/jpeg", data="_9j-")
CSV = Media("text/csv", data="YSxi")


def content(parts: Sequence[Part]) -> str:
    """What a client is shown."""
    return "".join([markdown(part) if isinstance(part, Media) else text_of([part]) for part in parts])


# (name, parts)
ANSWERS: list[tuple[str, list[Part]]] = [
    ("an image alone", [A]),
    ("text, image", [Text("Here:"), A]),
    ("image, text", [A, Text("There.")]),
    ("text, image, text", [Text("Here:\n"), A, Text("\nThere.")]),
    ("two images", [A, B]),
    ("two images and text between", [A, Text("\n\n"), B]),
    ("white space of the model's own", [Text("\n\nHere:\n\n"), A, Text("\n\n\nThere.\n")]),
    ("a file", [Text("Here:"), CSV, Text("There.")]),
    ("brackets around", [Text("[a](b) ![c] ]("), A, Text(") [d]")]),
    ("text alone", [Text("nothing of the kind ](data: here")]),
]


@pytest.mark.parametrize(("name", "parts"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_what_was_told_as_markdown_comes_back_as_it_was(name: str, parts: list[Part]) -> None:
    assert split_markdown(content(parts)) == parts


@pytest.mark.parametrize(("name", "parts"), ANSWERS, ids=[row[0] for row in ANSWERS])
@pytest.mark.parametrize("trim", [str.strip, str.rstrip, str.lstrip])
def test_a_client_that_trims_loses_no_image_and_no_word(
    name: str, parts: list[Part], trim: Callable[[str], str]
) -> None:
    back = split_markdown(trim(content(parts)))
    assert [part for part in back if isinstance(part, Media)] == [part for part in parts if isinstance(part, Media)]
    assert text_of(back).strip() == text_of(parts).strip()


WORDS = st.text(alphabet=" \n[]()!adt:b;,", max_size=12)
PARTS = st.lists(st.one_of(WORDS.filter(bool).map(Text), st.sampled_from([A, B, CSV])), min_size=1, max_size=6)


@given(parts=PARTS)
def test_whatever_stands_around_images_stays_the_models_own(parts: list[Part]) -> None:
    back = split_markdown(content(parts))
    assert [part for part in back if isinstance(part, Media)] == [part for part in parts if isinstance(part, Media)]
    assert text_of(back) == text_of(parts)


def test_an_image_is_on_lines_of_its_own_and_a_file_is_a_link() -> None:
    assert markdown(A) == "\n\n![image](data:image/png;base64,iVBORw0KGgo=)\n\n"
    assert markdown(CSV) == "\n\n[file.csv](data:text/csv;base64,YSxi)\n\n"
    named = Media("application/pdf", data="JVBERi0=", name="my [best] (one).pdf")
    assert markdown(named) == "\n\n[my_best_one_.pdf](data:application/pdf;base64,JVBERi0=)\n\n"
    assert split_markdown(markdown(named)) == [Media("application/pdf", data="JVBERi0=")]
    assert markdown(Media("video/mp4", uri="https://x.example/a (1).mp4")).strip() == (
        "[file.mp4](https://x.example/a%20%281%29.mp4)"
    )
    assert markdown(Media("application/of-the-future", data="YQ==")).startswith("\n\n[file](")


# What others write, and what is no image at all: (content, media, text)
OTHERS: list[tuple[str, list[Part], str]] = [
    ("![](data:image/png;base64,QUJD)", [Media("image/png", data="QUJD")], ""),
    ("a ![cat](data:image/png;base64,QUJD) b", [Media("image/png", data="QUJD")], "a  b"),
    ("![x](data:image/svg+xml;charset=utf-8;base64,QUJD)", [Media("image/svg+xml;charset=utf-8", data="QUJD")], ""),
    ("![x](https://x.example/a.png)", [], "![x](https://x.example/a.png)"),
    ("![x](data:image/png,abc)", [], "![x](data:image/png,abc)"),
    ("![x](data:image/png;base64,)", [], "![x](data:image/png;base64,)"),
    ("![x](data:image/png;base64,QUJD", [], "![x](data:image/png;base64,QUJD"),
    ("](data:image/png;base64,QUJD)", [], "](data:image/png;base64,QUJD)"),
    ("![x](data:image/png;base64,Q UJD)", [], "![x](data:image/png;base64,Q UJD)"),
]


@pytest.mark.parametrize(("text", "media", "left"), OTHERS, ids=range(len(OTHERS)))
def test_only_data_that_is_data_is_taken_out(text: str, media: list[Part], left: str) -> None:
    back = split_markdown(text)
    assert [part for part in back if isinstance(part, Media)] == media
    assert text_of(back) == left


def test_signed_text_and_other_parts_are_let_be() -> None:
    signed = Text(content([A]), Signature("google", "QQ=="))
    assert without_markdown_media([signed, A]) == [signed, A]
    assert without_markdown_media([Text("x"), Text(content([A]))]) == [Text("x"), A]


@pytest.mark.parametrize(
    "text",
    [
        "[x](data:" * 200_000,
        "](data:image/png;base64," * 100_000,
        "[" * 10**6 + "](data:" * 10,
        "![x](data:image/png;base64," + "A" * 5_000_000,
        "![x](data:" + ";a" * 10**6,
    ],
    ids=range(5),
)
def test_what_only_looks_like_much_data_is_read_once_and_left(text: str) -> None:
    assert text_of(split_markdown(text)) == text


@pytest.mark.parametrize(("most", "count"), [(0, 1), (10**6, 1), (16, 3), (1, 48)])
def test_an_image_may_be_cut_into_pieces(most: int, count: int) -> None:
    text = markdown(A)
    cut = list(pieces(text, most))
    assert len(text) == 48
    assert (len(cut), "".join(cut)) == (count, text)
    assert text.startswith(AROUND)


@pytest.mark.parametrize("mime", [None, "image/x_y", "image/png"])
def test_a_picture_of_any_type_comes_back_as_a_picture(mime: str | None) -> None:
    """1.2: megabytes of base64 are never read as text, whatever their type is called"""
    assert split_markdown(markdown(Media(mime, data="AAAA"))) == [Media(mime, data="AAAA")]
