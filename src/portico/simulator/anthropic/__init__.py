"""Anthropic as an upstream: Messages, token counts, models; at Anthropic or at Vertex AI."""
