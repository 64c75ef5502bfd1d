"""What the rows of the old systems mean in our words: pure functions over strangers' JSON."""
