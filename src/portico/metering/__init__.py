"""What a call costs: the ceiling that is held before it, the charge after it, the receipt. Pure."""
