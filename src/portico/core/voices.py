"""Voices: OpenAI's names and Google's (mapping.md 5.3). Google's are matched whatever their case."""

from collections.abc import Mapping
from typing import Final

GOOGLE: Final = (
    "Zephyr", "Puck", "Charon", "Kore", "Fenrir", "Leda", "Orus", "Aoede", "Callirrhoe", "Autonoe", "Enceladus", "Iapetus",
    "Umbriel", "Algieba", "Despina", "Erinome", "Algenib", "Rasalgethi", "Laomedeia", "Achernar", "Alnilam", "Schedar",
    "Gacrux", "Pulcherrima", "Achird", "Zubenelgenubi", "Vindemiatrix", "Sadachbia", "Sadaltager", "Sulafat",
)  # fmt: skip

OPENAI: Final[Mapping[str, str]] = {
    "alloy": "Kore",
    "ash": "Iapetus",
    "ballad": "Algieba",
    "cedar": "Achird",
    "coral": "Sulafat",
    "echo": "Charon",
    "fable": "Umbriel",
    "marin": "Despina",
    "nova": "Leda",
    "onyx": "Orus",
    "sage": "Vindemiatrix",
    "shimmer": "Achernar",
    "verse": "Puck",
}
"""OpenAI's voice -> the one of Google's that is nearest to it."""

_BY_FOLDED_NAME: Final = {**{name.lower(): name for name in GOOGLE}, **OPENAI}


def google_voice(name: str) -> str | None:
    """Google's name for a voice of either; None for one that neither has."""
    return _BY_FOLDED_NAME.get(name.strip().lower())
