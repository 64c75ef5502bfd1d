"""A chat model made of rules: it understands requests for pictures and films in seven languages.

`answer.answer(messages, tools)` is its one door and a pure function.
"""
