"""The tools over the Model Context Protocol, for the language models of others: `/api/mcp`,
streamable HTTP without sessions.

A request carries everything that its answer needs, so nothing here lives longer than one request,
and any replica may answer the next one. What an SDK's server would do beside the protocol itself
(who comes in, from which page, how large a body) stands in front of every door already.
"""

from __future__ import annotations

from api.mcp_door.door import router

__all__ = ["router"]
