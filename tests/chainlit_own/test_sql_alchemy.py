"""What Chainlit asks of its SQLAlchemy layer, asked of ours; the package's conftest says how."""

from __future__ import annotations

import hashlib
import inspect
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType

import pytest
from chainlit.user import User

from tests.chainlit_own import source
from tests.chainlit_own.conftest import ByName

CLOCK = "asks the stock layer for the clock of its own rows; BaseDataLayer knows no such method"
#: Their names, and why one is not for us.
NAMES: dict[str, str | None] = {
    "test_create_and_get_element": None,
    "test_get_current_timestamp": CLOCK,
    "test_get_user": None,
    "test_create_user": None,
    "test_update_thread": None,
    "test_get_thread_author": None,
    "test_get_thread": None,
    "test_delete_thread": None,
    "test_update_thread_without_metadata_stores_empty_dict": None,
    "test_update_thread_with_explicit_metadata": None,
    "test_update_thread_with_empty_metadata": None,
    "test_update_thread_preserves_metadata_on_noop_call": None,
    "test_update_thread_merges_metadata": None,
    "test_update_thread_deletes_metadata_keys_via_none": None,
    "test_update_thread_name_update_preserves_metadata": None,
}


def test_all_that_chainlit_asks_are_named_here(theirs: ModuleType) -> None:
    assert [name for name in vars(theirs) if name.startswith("test_")] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_chainlit_is_satisfied(
    name: str,
    theirs: ModuleType,
    data_layer: ByName,
    test_user: User,
    mock_chainlit_context: AbstractAsyncContextManager[None],
) -> None:
    if reason := NAMES[name]:
        pytest.skip(reason)
    ours = {
        "data_layer": data_layer,
        "test_user": test_user,
        "mock_chainlit_context": mock_chainlit_context,
    }
    test = getattr(theirs, name)
    await test(**{needed: ours[needed] for needed in inspect.signature(test).parameters})


def test_without_an_index_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(source, "CACHE", tmp_path)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/nothing")
    with pytest.raises(source.Unavailable, match="no package index gave it: "):
        source.load()
    assert list(tmp_path.iterdir()) == []


def test_a_distribution_that_the_lock_does_not_name_is_not_known(tmp_path: Path) -> None:
    archive = tmp_path / "chainlit.tar.gz"
    archive.write_bytes(b"something else")
    assert not source.is_known(archive, ["0" * 64])
    assert source.is_known(archive, [hashlib.sha256(b"something else").hexdigest()])


def test_only_the_installed_version_of_the_lock_counts() -> None:
    packages = {"before==1": "a" * 64, "chainlit==2.0": "b" * 64, "next==1": "c" * 64}
    lock = "".join(f"{one} \\\n    --hash=sha256:{of}\n" for one, of in packages.items())
    assert source.locked_hashes(lock, "2.0") == ["b" * 64]
    with pytest.raises(source.Unavailable, match="not the one"):
        source.locked_hashes(lock, "2.1")
