"""Full-text search in English and Russian, and tombstones: what was deleted stays deleted, whatever
write comes late.

`plain` is all that search knows of a text: words and nothing else. It names the code points itself,
since what counts as punctuation depends on the locale of the database. `stems_and_words` holds each
word twice: by its stem, and as it stands for the last word of a query, which is still being typed.
The configuration `russian` stems words of Latin letters as English. `lexemes` cuts a text where
those of the worst one still fit into a tsvector (1 MB), so that no message is refused for its
search.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SEARCH = r"""
CREATE FUNCTION kinora.plain(said TEXT) RETURNS TEXT
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.regexp_replace(
        pg_catalog.translate(said, U&'\0451\0401', U&'\0435\0415'),
        U&'[\0001-/:-@\\[-`{-\00A9\00AB-\00B4\00B6-\00B9\00BB-\00BF\00D7\00F7'
        '\2000-\206F\20A0-\20CF\2100-\2BFF\3000-\303F\FE00-\FE0F\FF00-\FF0F'
        '\+01F000-\+01FAFF]+',
        ' ', 'g'
    );
CREATE FUNCTION kinora.stems_and_words(plain TEXT) RETURNS TSVECTOR
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.strip(
        pg_catalog.to_tsvector('pg_catalog.russian', plain)
        OPERATOR(pg_catalog.||) pg_catalog.to_tsvector('pg_catalog.simple', plain)
    );
CREATE FUNCTION kinora.lexemes(said TEXT) RETURNS TSVECTOR
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN kinora.stems_and_words(kinora.plain(pg_catalog."left"(said, 50000)));
CREATE FUNCTION kinora.message_lexemes(type TEXT, output TEXT) RETURNS TSVECTOR
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE
        WHEN type OPERATOR(pg_catalog.=) ANY (ARRAY['user_message', 'assistant_message'])
        THEN kinora.lexemes(output)
    END;
CREATE FUNCTION kinora.wanted(asked TEXT) RETURNS TSQUERY
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (
        WITH said AS (
            SELECT pg_catalog.btrim(kinora.plain(pg_catalog."left"(asked, 200))) AS words
        ), split AS (
            SELECT pg_catalog.regexp_replace(words, '[^ ]+$', '') AS earlier,
                   pg_catalog.lower(pg_catalog.regexp_replace(words, '^.* ', '')) AS last
            FROM said
        ), stems AS (
            SELECT last, pg_catalog.plainto_tsquery('pg_catalog.russian', earlier) AS earlier,
                   pg_catalog.plainto_tsquery('pg_catalog.russian', last) AS stem
            FROM split
        )
        SELECT CASE
            WHEN pg_catalog.numnode(stem) OPERATOR(pg_catalog.=) 0 THEN earlier
            ELSE earlier OPERATOR(pg_catalog.&&) (stem OPERATOR(pg_catalog.||) (
                pg_catalog.concat('''', last, ''':*'))::pg_catalog.tsquery)
        END
        FROM stems
    );
ALTER TABLE kinora.threads
    ADD COLUMN deleted_at TIMESTAMPTZ,
    ADD COLUMN search TSVECTOR GENERATED ALWAYS AS (kinora.lexemes(name)) STORED;
CREATE INDEX threads_search ON kinora.threads USING gin (search);
ALTER TABLE kinora.steps
    ADD COLUMN deleted_at TIMESTAMPTZ,
    ADD COLUMN search TSVECTOR
        GENERATED ALWAYS AS (kinora.message_lexemes(type, output)) STORED;
CREATE INDEX steps_search ON kinora.steps USING gin (search) WHERE search IS NOT NULL;
ALTER TABLE kinora.generations
    ADD COLUMN search TSVECTOR GENERATED ALWAYS AS (kinora.lexemes(prompt)) STORED;
CREATE INDEX generations_search ON kinora.generations USING gin (search);
ALTER TABLE kinora.elements ADD COLUMN deleted_at TIMESTAMPTZ;
CREATE INDEX elements_by_asset ON kinora.elements (asset_id) WHERE asset_id IS NOT NULL;
ALTER TABLE kinora.assets
    ADD COLUMN released_at TIMESTAMPTZ,
    ADD COLUMN deleted_at TIMESTAMPTZ;
CREATE INDEX assets_deleted ON kinora.assets (id) WHERE deleted_at IS NOT NULL
"""


def upgrade() -> None:
    """Fill the search of what is there; nothing of before was deleted by halves."""
    for statement in SEARCH.split(";\n"):
        op.execute(statement.replace(":", r"\:"))
