"""Real clients, unmodified, on a running Portico: `make clients`. See README.md."""
