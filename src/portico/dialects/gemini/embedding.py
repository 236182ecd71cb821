"""What is different about answers that are embeddings (mapping.md 5.1)."""

from typing import Any


def embedding_metadata(fields: dict[str, Any]) -> dict[str, Any]:
    """The usageMetadata of an embedding as other answers have it, its names in camelCase.

    It has no total, for there is nothing but the prompt, and spells its details otherwise. Without a count it stays.
    """
    if fields.get("totalTokenCount") is not None or fields.get("promptTokenCount") is None:
        return fields
    shown = dict(fields)
    if (details := shown.pop("promptTokenDetails", None)) is not None:
        shown["promptTokensDetails"] = details
    return {**shown, "totalTokenCount": fields["promptTokenCount"]}
