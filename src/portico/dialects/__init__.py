"""Wire formats, spoken both ways. One folder a dialect; no dialect knows another."""
