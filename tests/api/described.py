"""The description of the doors as a test holds answers against it: any status, media type, field or
value that is not described is a failure.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
from fastapi import FastAPI

import api
from api import openapi

Json = dict[str, Any]


def made_here() -> Json:
    """The description as a server in password mode gives it."""
    app = FastAPI()
    app.include_router(api.routes())
    return openapi.document(app.routes, requests_per_minute=1200, is_local=False)


class Described:
    """A description to be held against."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.strict = copy.deepcopy(document["components"])
        for shape in self.strict["schemas"].values():
            # To others fields may be added; a test wants to know of each.
            if "properties" in shape:
                shape.setdefault("additionalProperties", False)

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        """Method, path and operation."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def followed(self, node: Json) -> Json:
        """What a reference leads to."""
        while "$ref" in node:
            found: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def faults(self, schema: Json, value: object) -> list[str]:
        """What is wrong with a value."""
        whole = {**schema, "components": self.strict}
        validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [
            f"{list(error.instance_path)} {error.message}" for error in validator.iter_errors(value)
        ]

    def operation_of(self, method: str, path: str) -> Json:
        """The operation at an address; one without a parameter first."""
        fits = [
            (template.count("{"), operation)
            for known, template, operation in self.operations()
            if known == method
            and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]*", re.escape(template)), path)
        ]
        assert fits, f"{method} {path} is not described"
        return min(fits, key=lambda fit: fit[0])[1]

    def check(self, response: httpx.Response) -> None:
        """Hold an answer against its description; its body must have been read."""
        method, path = response.request.method, response.request.url.path
        at = f"{method} {path}: {response.status_code}"
        operation = self.operation_of(method, path)
        described = operation["responses"].get(str(response.status_code))
        assert described is not None, f"{at} is not described: {response.text[:300]}"
        described = self.followed(described)
        unknown = {"etag", "location", "retry-after", "content-range", "www-authenticate"} & set(
            response.headers
        ) - {name.lower() for name in described.get("headers", {})}
        # OpenAI's shapes and MCP say themselves which headers count there.
        assert not unknown or path.startswith(tuple(openapi.GROUPS)), f"{at}: {unknown}"
        media_type = response.headers.get("content-type", "").partition(";")[0]
        contents = described.get("content", {})
        if not contents or method == "HEAD":
            assert not response.content, f"{at} has a body"
            return
        content = contents.get(media_type, contents.get("*/*"))
        assert content is not None, f"{at} is {media_type}"
        if media_type.endswith("json"):
            assert not self.faults(content["schema"], json.loads(response.text)), (
                f"{at}: {self.faults(content['schema'], json.loads(response.text))} {response.text}"
            )
