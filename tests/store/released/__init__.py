"""Databases as released versions of Portico made them: what an upgrade has to keep."""
