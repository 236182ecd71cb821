"""One function per command of an administrator (create a key, top up, change a price).

Used by the command line and by the admin API."""
