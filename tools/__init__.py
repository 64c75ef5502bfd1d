"""What may be asked of Kinora: one list of tools for the chat, the widget, HTTP and MCP; `registry`
holds it.
"""
