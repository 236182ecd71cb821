"""What can be wrong with a file that settings are to come into. It is then left as it is."""


class Unmergeable(ValueError):
    """The file cannot be read, or has something else where a setting belongs."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why if line is None else f"line {line}: {why}")
        self.why = why
        self.line = line
