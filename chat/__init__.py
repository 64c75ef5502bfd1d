"""What the chat's door needs and Chainlit has no part in: what was said before, the pictures people
bring, and our own words.
"""
