"""The way in from the old systems: their rows become ours, whole and once."""
