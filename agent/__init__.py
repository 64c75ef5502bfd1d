"""The agent: messages in, events out. It knows no Chainlit and no provider.

`loop.Agent.reply` is the door; `chat_model.open_chat_model` says whom it talks to; `history` holds
the words in which a conversation is handed in.
"""
