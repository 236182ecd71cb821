"""The changes, in order. `store/version.py` lists them too, for those who may not load a migration toolkit."""
