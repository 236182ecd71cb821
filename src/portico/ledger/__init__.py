"""Accounts, entries and holds: the only code that moves money. Amounts are nano-dollars."""
