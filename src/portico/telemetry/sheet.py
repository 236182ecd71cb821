"""Numbers that forked processes share: rows of float64 cells in anonymous shared memory, one row a process.

Only its own process writes a row (and, once that has ended, its supervisor), so that no lock is needed: an aligned cell
of eight bytes is written and read whole. A process that takes the place of another goes on with its row.
"""

import mmap
from typing import Final

_CELL_BYTES: Final = 8


class Sheet:
    """`rows` x `width` cells, all 0.0. To be made before forking."""

    def __init__(self, rows: int, width: int) -> None:
        self.rows = rows
        self.width = width
        self._cells = memoryview(mmap.mmap(-1, rows * width * _CELL_BYTES)).cast("d")

    def row(self, number: int) -> "memoryview[float]":
        """The cells of one process, to be read and written."""
        return self._cells[number * self.width : (number + 1) * self.width]

    def total(self, cell: int) -> float:
        """A cell of all rows together."""
        return sum(self._cells[cell :: self.width])
