"""The address of somebody else's Postgres: what our driver understands of it, and how it is told to
a person, which is without the password.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_SCHEMES = ("postgres", "postgresql")
#: What libpq's addresses may carry and our driver knows. Others are words between a host and its
#: own clients (`pgbouncer=true`, `channel_binding=require`, `schema=public`), which a server
#: would refuse as settings of its own.
_UNDERSTOOD = {
    *("host", "port", "dbname", "database", "user", "password", "passfile", "service"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
    *("krbsrvname", "gsslib", "application_name", "options"),
}


def understood(dsn: str) -> str:
    """The same address with nothing in its query that our driver would stumble over.

    Raises:
        ValueError: it is no address of a Postgres.
    """
    parts = urlsplit(dsn)
    if parts.scheme not in _SCHEMES:
        raise ValueError("an address begins with postgres:// or postgresql://")
    if _is_torn(dsn):
        raise ValueError("a password with one of / ? # in it has to be written with %2F, %3F, %23")
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name in _UNDERSTOOD
    ]
    asked = f"?{urlencode(query)}" if query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{asked}"


def spoken(dsn: str) -> str:
    """Host, port and name, as far as they can be made out."""
    try:
        parts = urlsplit(dsn)
        place = parts.netloc.rpartition("@")[2]
        socket = dict(parse_qsl(parts.query)).get("host", "")
    except ValueError:
        return "this address"
    if parts.scheme not in _SCHEMES or _is_torn(dsn):
        return "this address"
    return f"{place or socket or 'this machine'}{parts.path if parts.path != '/' else ''}"


def without_secret(sentence: str, dsn: str) -> str:
    """The sentence with neither the address nor its password in it, however they are written."""
    try:
        parts = urlsplit(dsn)
        written = parts.netloc.rpartition("@")[0].partition(":")[2]
        secrets = [written, dict(parse_qsl(parts.query)).get("password", "")]
    except ValueError:
        secrets = []
    for secret in [dsn, *secrets, *map(unquote, secrets)]:
        if secret:
            sentence = sentence.replace(secret, "***")
    return sentence


def _is_torn(dsn: str) -> bool:
    """Whether a character of the password ended what was to be name, password and host."""
    rest = dsn.partition("://")[2]
    return "@" in rest and "@" not in urlsplit(dsn).netloc
