"""A demo provider: a chat model and painters that need no key and no network.

It speaks the wires of OpenAI and RunPod, really draws, and keeps a ledger of what it was asked.
It imports nothing of the rest of the project, so it tells the product nothing it could not
learn from a real provider. `README.md` in this folder is its manual.
"""
