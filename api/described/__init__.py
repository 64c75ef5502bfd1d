"""What the outside may rely on, in words and shapes: all that OpenAPI says beyond what the routes
know of themselves. Nothing here runs when a request is answered.
"""
