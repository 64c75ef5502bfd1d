"""The painter: landscapes with a subject, drawn from a prompt and a seed, still or moving.

`picture.paint_pictures` draws, `edit.edited` changes a picture, `motion.frames` moves one.
"""
