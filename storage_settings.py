"""Where the bytes of pictures and films lie: a folder, or a bucket of Amazon's S3 or of anything
that speaks its API. `settings.Settings` has these among all others.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from setting_forms import leads_somewhere

FILE, S3 = "file://", "s3://"
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, 2026-11.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_FORMS = "must be file:///path or s3://bucket or s3://bucket/prefix"


class StorageSettings(BaseSettings):
    """The place, and for a bucket the names that Amazon's own programs use."""

    storage_url: str | None = Field(
        None, description="file:///path or s3://bucket/prefix; unset: a folder in DATA_DIR."
    )
    aws_access_key_id: SecretStr | None = Field(
        None, description="Key of the bucket; unset: the machine's own role."
    )
    aws_secret_access_key: SecretStr | None = Field(None, description="The key's secret.")
    aws_region: str | None = Field(None, description="Region of the bucket.")
    aws_endpoint_url: str | None = Field(
        None, description="An S3-compatible server; unset: Amazon's."
    )

    @field_validator("storage_url")
    @classmethod
    def _is_a_storage(cls, value: str | None) -> str | None:
        if value is not None:
            check_storage_url(value)
        return value

    @field_validator("aws_endpoint_url")
    @classmethod
    def _is_where_a_bucket_is(cls, value: str | None) -> str | None:
        if value is not None and not leads_somewhere(value):
            raise ValueError("must be an address that starts with http:// or https://")
        return value.rstrip("/") if value else value

    def check_storage(self) -> None:
        """Raises: ValueError: half a key."""
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together")


def check_storage_url(url: str) -> None:
    """Raises: ValueError: no storage is named like this; the message says what one is."""
    if url.startswith(FILE):
        if not Path(url.removeprefix(FILE)).is_absolute():
            raise ValueError(f"{_FORMS}; a path begins with /")
        return
    bucket, _, prefix = url.removeprefix(S3).rstrip("/").partition("/")
    is_bucket = url.startswith(S3) and _BUCKET.fullmatch(bucket)
    if not is_bucket or (prefix and not _PREFIX.fullmatch(prefix)):
        raise ValueError(_FORMS)
