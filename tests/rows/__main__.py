"""`python -m rows`: writes tests/rows.md from the ledger and says how the rows stand."""

import sys

from rows.ledger import ENTRIES, TABLE, counts, read_entries, table

entries = read_entries(ENTRIES.read_text(encoding="utf-8"))
TABLE.write_text(table(entries), encoding="utf-8")
sys.stdout.write(f"{TABLE.name}: " + ", ".join(f"{number} {kind}" for kind, number in counts(entries).items()) + "\n")
