"""The laws of the architecture page, judged over recorded traffic."""
