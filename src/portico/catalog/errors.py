"""The catalog's own error: a mistake in a data file or an operator's entry, never a caller's."""


class CatalogError(ValueError):
    """The catalog cannot be used as it is written."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where
        """File, model and key: `google.toml: models.gemini-2.5-pro.prices[1].input`."""
        self.message = message
