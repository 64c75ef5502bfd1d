"""The way in from the old systems: their rows become ours, whole and once.

`run` goes from table to table: `reading` makes rows of bytes, `mapping` makes drafts of rows,
`writing` makes generations, threads and people of drafts, and `report` says what became of each.
"""
