"""Drafts become rows of ours: once, under their owners, a batch a transaction."""
