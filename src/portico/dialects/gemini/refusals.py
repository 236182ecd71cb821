"""Which optional field a 400 of Google's is about (mapping.md 1.6, last paragraph).

Google says it in words only, and in many (`Penalty is not enabled for models/…`, `Thinking level X is not supported for
this model`): the name of a field and a refusal in one sentence. The name it is learned under is neutral.
"""

import re
from typing import Final

_REFUSAL: Final = (
    r"(?:\b(?:is|are) (?:not (?:enabled|supported|allowed|available|permitted)|unsupported|disabled|invalid)"
    r"|\b(?:does not|doesn't|do not) (?:support|allow|accept)|\bunsupported\b|\bonly works in\b|\bcannot find field)"
)
_NAMES: Final = (
    ("penalties", r"penalt(?:y|ies)\b|(?:presence|frequency)_?penalty"),
    ("logprobs", r"log_?probs?\b|log probabilit"),
    ("n", r"(?:multiple|more than one) candidates?\b|candidate_?count"),
    ("thinking", r"\bthinking"),
    ("part_resolution", r"media_?resolution"),
    ("seed", r"\bseed\b"),
    ("sampling", r"\btemperature\b|\btop_?[pk]\b"),
)
_VALUE: Final = re.compile(
    r"\bis invalid\b|\b[Ii]nvalid value\b|\bonly works in\b|\b[Pp]lease (?:retry|choose|use)\b"
    r"|(?:penalty|budget|level|resolution|seed|temperature|top_?[kpKP]) (?:[A-Z][A-Z_]+\b|[-\d]|[\"'`])"
)
"""What is said of a value that was sent: another value of the field may be taken."""
_SENTENCES: Final = re.compile(r"(?<=\.)\s|\n")
_LONGEST: Final = 1000
"""Characters of a sentence that are looked at: all of them together, several times over."""
_REFUSED: Final = [
    (field, re.compile(rf"(?:{names}).*{_REFUSAL}|{_REFUSAL}.*(?:{names})", re.IGNORECASE)) for field, names in _NAMES
]


def refused_field(message: str) -> str | None:
    """The field that a message refuses for its model; None if it is about something else."""
    for sentence in _SENTENCES.split(message):
        for field, pattern in _REFUSED:
            if pattern.search(sentence, 0, _LONGEST):
                return field
    return None


def refuses_value(message: str) -> bool:
    """Whether a message that refuses a field only speaks of the value it had."""
    return _VALUE.search(message) is not None
