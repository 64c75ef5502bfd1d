"""The brain."""
