"""What an operator does at a terminal, beside the running server."""
