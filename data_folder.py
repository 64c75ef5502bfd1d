"""The data folder of an installation, and what belongs to it: its secret, the keys that are made of
that, and where the bytes of pictures and films lie.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from db.embedded import default_data_dir
from db.s3_files import Bucket
from db.storages import Place
from settings import ROOT, Loaded


def prepare_data_dir(loaded: Loaded) -> Path:
    """Make the data folder if it is not there; only its owner may look into it, others may pass
    through.
    """
    data_dir = (loaded.settings.data_dir or default_data_dir(ROOT)).expanduser().resolve()
    data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    return data_dir


def read_secret(loaded: Loaded, data_dir: Path) -> bytes:
    """The installation's secret: as configured, else made once and kept in the data folder."""
    if loaded.settings.chainlit_auth_secret is not None:
        return loaded.settings.chainlit_auth_secret.get_secret_value().encode()
    path = data_dir / "secret"
    if not path.exists():
        fresh = path.with_name(f"secret.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            # A link fails where a rename would replace what another process has just made.
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text(encoding="utf-8").strip().encode()


def derived(secret: bytes, purpose: str) -> bytes:
    """A key made of the installation's secret for one purpose."""
    return hmac.new(secret, f"kinora:{purpose}".encode(), hashlib.sha256).digest()


def place_of(loaded: Loaded, data_dir: Path) -> Place:
    """Where the settings want the bytes of pictures and films."""
    settings = loaded.settings
    key_id, secret = settings.aws_access_key_id, settings.aws_secret_access_key
    access = Bucket(
        name="",
        endpoint_url=settings.aws_endpoint_url,
        region=settings.aws_region,
        key_id=key_id.get_secret_value() if key_id else None,
        secret=secret.get_secret_value() if secret else None,
    )
    return Place(data_dir=data_dir, url=settings.storage_url, access=access)
