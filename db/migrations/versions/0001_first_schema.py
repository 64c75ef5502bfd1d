"""The first schema: people, conversations, and what is made in them."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = """
CREATE TABLE kinora.users (
    id UUID NOT NULL,
    identifier TEXT NOT NULL,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (identifier)
);
CREATE TABLE kinora.threads (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name TEXT,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    tags TEXT[],
    generation_count INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE
);
CREATE INDEX threads_by_user ON kinora.threads (user_id, created_at DESC, id DESC);
CREATE TABLE kinora.generations (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    thread_id UUID,
    number INTEGER,
    step_id UUID,
    call_index INTEGER,
    parent_id UUID,
    legacy_id TEXT,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    pinned BOOLEAN DEFAULT false NOT NULL,
    params JSONB DEFAULT '{}'::jsonb NOT NULL,
    progress DOUBLE PRECISION,
    queue_position INTEGER,
    error_code TEXT,
    error_message TEXT,
    error_retryable BOOLEAN,
    notes TEXT[] DEFAULT '{}'::text[] NOT NULL,
    charged TEXT DEFAULT 'no' NOT NULL,
    cost_estimated_usd NUMERIC(12, 6),
    cost_actual_usd NUMERIC(12, 6),
    attempt INTEGER DEFAULT 1 NOT NULL,
    claim BIGINT DEFAULT 0 NOT NULL,
    intent_claim BIGINT,
    version BIGINT DEFAULT 1 NOT NULL,
    provider_job JSONB,
    provider_outputs JSONB,
    deadline_at TIMESTAMPTZ,
    cancel_requested_at TIMESTAMPTZ,
    deleted_at TIMESTAMPTZ,
    submitted_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    queued_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT generations_handle UNIQUE (thread_id, number),
    CONSTRAINT generations_call UNIQUE (user_id, step_id, call_index),
    FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE,
    FOREIGN KEY(thread_id) REFERENCES kinora.threads (id) ON DELETE SET NULL,
    FOREIGN KEY(parent_id) REFERENCES kinora.generations (id) ON DELETE SET NULL,
    CHECK (kind IN ('image', 'video', 'audio')),
    CHECK (status IN ('queued', 'submitting', 'in_progress', 'storing',
                      'completed', 'failed', 'cancelled', 'unknown')),
    CHECK (charged IN ('no', 'yes', 'maybe'))
);
CREATE INDEX generations_by_user ON kinora.generations (user_id, created_at DESC, id DESC);
CREATE INDEX generations_open ON kinora.generations (status)
    WHERE status IN ('queued', 'submitting', 'in_progress', 'storing');
CREATE INDEX generations_parent ON kinora.generations (parent_id);
CREATE INDEX generations_deleted ON kinora.generations (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX generations_unknown ON kinora.generations (finished_at) WHERE status = 'unknown';
CREATE TABLE kinora.steps (
    id UUID NOT NULL,
    thread_id UUID NOT NULL,
    parent_id UUID,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    name TEXT DEFAULT '' NOT NULL,
    type TEXT DEFAULT 'undefined' NOT NULL,
    input TEXT DEFAULT '' NOT NULL,
    output TEXT DEFAULT '' NOT NULL,
    is_error BOOLEAN DEFAULT false NOT NULL,
    streaming BOOLEAN DEFAULT false NOT NULL,
    wait_for_answer BOOLEAN,
    metadata JSONB DEFAULT '{}'::jsonb NOT NULL,
    tags TEXT[],
    generation JSONB,
    show_input TEXT,
    language TEXT,
    icon TEXT,
    command TEXT,
    modes JSONB,
    default_open BOOLEAN,
    auto_collapse BOOLEAN,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    PRIMARY KEY (id),
    FOREIGN KEY(thread_id) REFERENCES kinora.threads (id) ON DELETE CASCADE
);
CREATE INDEX steps_by_thread ON kinora.steps (thread_id, created_at, seq);
CREATE TABLE kinora.assets (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    generation_id UUID,
    position INTEGER DEFAULT 0 NOT NULL,
    name TEXT,
    media_type TEXT NOT NULL,
    width_px INTEGER,
    height_px INTEGER,
    duration_s DOUBLE PRECISION,
    size_bytes BIGINT,
    sha256 TEXT,
    storage_key TEXT NOT NULL,
    thumbnail_key TEXT,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT assets_position UNIQUE (generation_id, position),
    FOREIGN KEY(user_id) REFERENCES kinora.users (id) ON DELETE CASCADE,
    FOREIGN KEY(generation_id) REFERENCES kinora.generations (id) ON DELETE CASCADE
);
CREATE INDEX assets_by_user ON kinora.assets (user_id);
CREATE TABLE kinora.attempts (
    generation_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    provider TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    submitted_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    outcome TEXT,
    provider_job_id TEXT,
    request_id TEXT,
    error_code TEXT,
    message TEXT,
    charged TEXT DEFAULT 'no' NOT NULL,
    cost_estimated_usd NUMERIC(12, 6),
    cost_actual_usd NUMERIC(12, 6),
    PRIMARY KEY (generation_id, attempt),
    FOREIGN KEY(generation_id) REFERENCES kinora.generations (id) ON DELETE CASCADE
);
CREATE TABLE kinora.feedbacks (
    id UUID NOT NULL,
    step_id UUID NOT NULL,
    value INTEGER NOT NULL,
    comment TEXT,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(step_id) REFERENCES kinora.steps (id) ON DELETE CASCADE
);
CREATE INDEX feedbacks_by_step ON kinora.feedbacks (step_id);
CREATE TABLE kinora.elements (
    id UUID NOT NULL,
    thread_id UUID NOT NULL,
    step_id UUID,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    type TEXT NOT NULL,
    name TEXT DEFAULT '' NOT NULL,
    display TEXT DEFAULT 'inline' NOT NULL,
    mime TEXT,
    url TEXT,
    object_key TEXT,
    chainlit_key TEXT,
    props JSONB DEFAULT '{}'::jsonb NOT NULL,
    size TEXT,
    language TEXT,
    page INTEGER,
    auto_play BOOLEAN,
    player_config JSONB,
    generation_id UUID,
    asset_id UUID,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(thread_id) REFERENCES kinora.threads (id) ON DELETE CASCADE,
    FOREIGN KEY(generation_id) REFERENCES kinora.generations (id) ON DELETE SET NULL,
    FOREIGN KEY(asset_id) REFERENCES kinora.assets (id) ON DELETE SET NULL
);
CREATE INDEX elements_by_generation ON kinora.elements (generation_id);
CREATE INDEX elements_by_thread ON kinora.elements (thread_id, seq);
CREATE TABLE kinora.inputs (
    generation_id UUID NOT NULL,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    asset_id UUID,
    PRIMARY KEY (generation_id, position),
    FOREIGN KEY(generation_id) REFERENCES kinora.generations (id) ON DELETE CASCADE,
    FOREIGN KEY(asset_id) REFERENCES kinora.assets (id) ON DELETE SET NULL
);
CREATE INDEX inputs_by_asset ON kinora.inputs (asset_id);
"""


def upgrade() -> None:
    for statement in SQL.split(";\n"):
        if statement.strip():
            op.execute(statement)
