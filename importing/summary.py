"""The report of an import in words, for whoever stands at the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from importing.report import Report, Table

#: Why a row is not here, in words.
REASONS = {
    "younger": "still in progress over there; run the import again later",
    "text": "texts, which are no pictures, films or sounds",
    "other": "files of another type",
    "no_id": "without an id",
    "broken_id": "with an id that cannot be one",
    "carried_over": "their chats have newer rows in Message_v2",
    "no_chat": "their chats are not here",
    "deleted_here": "their chats were deleted here since",
    "no_message": "their messages are not here",
    "no_content": "nothing in them could be shown",
    "role": "words of the system or of tools, not of anybody",
    "bad_json": "not readable as JSON",
    "no_object": "JSON, but no object",
    "too_long": "larger than 64 MiB",
    "too_deep": "nested too deep to be read",
    "too_many_values": "with too many values to be read",
    "broken_content": "documents whose content is no JSON",
    "unknown_kind": "documents of a kind nobody knows",
    "empty_document": "documents without a text",
    "no_owner": "chats of nobody",
    "broken_vote": "neither up nor down",
    "refused_by_database": "the database would not have them",
}


def summary(report: Report) -> str:
    """Several lines, each table with its counts."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    seconds = max(report.seconds(), 0.001)
    yield ""
    rate = report.rows_read / seconds
    yield f"Read {report.rows_read:,} rows in {_time(seconds)} ({rate:,.0f} a second)."
    for name, table in report.tables.items():
        yield from _table(name, table)
    yield from (f"! {note}" for note in report.notes)
    if made := ", ".join(f"{count:,} {what}" for what, count in report.made.items() if count):
        yield f"{'It would make' if report.dry_run else 'Made'}: {made}."
    yield from _files(report)
    yield from _endings(report)


def _table(name: str, table: Table) -> Iterator[str]:
    outcomes = table.outcomes
    yield (
        f"{name:<24}{table.read:>11,} read{outcomes['taken']:>11,} new"
        f"{outcomes['merged']:>9,} joined{outcomes['unchanged']:>11,} there already"
    )
    for status, count in sorted(table.statuses.items()):
        yield f"{'':<24}{count:>11,} {status}"
    for word, count in [*table.left_out.items(), *table.not_taken.items()]:
        fate = "left for later" if word in table.left_out else "not taken"
        yield f"{'':<24}{count:>11,} {fate}: {REASONS.get(word, word)}"
    for word, count in sorted(table.remarks.items()):
        yield f"{'':<24}{count:>11,} remarks: {word}"


def _files(report: Report) -> Iterator[str]:
    if files := report.files:
        yield (
            f"Files: {files['copied']:,} copied ({files['bytes'] >> 20:,} MiB),"
            f" {files['gone']:,} gone for ever, {files['not_now']:,} did not come now,"
            f" {files['gone_before']:,} known to be gone."
        )


def _endings(report: Report) -> Iterator[str]:
    if not report.is_whole:
        yield "It was stopped before its end; run it again, it goes on where it stood."
    elif report.dry_run:
        yield "This was a dry run: nothing has been changed."
    if report.made["people"]:
        yield (
            "Passwords were not taken over:"
            " `manage.py users password EMAIL` gives a person a new one."
        )
    if report.made["owners without an e-mail"]:
        yield (
            "Owners without an e-mail are accounts of their own:"
            " `manage.py users adopt IDENTITY EMAIL` gives theirs to a person."
        )


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
