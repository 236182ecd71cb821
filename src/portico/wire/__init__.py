"""What is on the wire, before anybody knows what it means: JSON text, SSE frames, HTTP messages as plain values."""
