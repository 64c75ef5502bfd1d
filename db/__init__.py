"""The memory: tables, migrations, queries, Chainlit's data layer, files and the embedded Postgres.
SQL stands only here.
"""
