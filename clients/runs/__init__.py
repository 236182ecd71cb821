"""One module for each client: how it is configured and run without a terminal. Each has its clients in `CLIENTS`."""
