"""A file of models: read, checked, turned into rows of the catalogue; complaints name their line.

`models.toml` beside this file is the built-in one; MODELS_FILE is written the same way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from providers import toml_lines
from providers.contract import Price, Route
from providers.dialect import Dialect, Spelling
from providers.model import Bounds, Model
from providers.model_rows import ModelRow, ModelsFile, ProviderRow, RouteRow, SizesRow
from providers.model_rules import Problem, problems_of
from providers.sizes import Sizes, parse_size

#: Seconds from one look to the next, at first and at most, and until we give up; for each kind.
PACE = {"image": (1.0, 5.0, 600.0), "video": (3.0, 10.0, 2700.0)}
Shared = Mapping[str, ProviderRow]
T = TypeVar("T")


class ModelsFileError(Exception):
    """A file of models cannot be used; the message is one line that says where and why."""


class Source:
    """A file of models with the lines of its keys, for complaints."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.data: dict[str, Any] = {}
        try:
            text = path.read_bytes().decode("utf-8-sig")
            self.data = tomllib.loads(text)
        except OSError as error:
            raise ModelsFileError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ModelsFileError(f"{self.name}: not a text in UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"(.*) \(at line (\d+), column \d+\)", str(error))
            where, what = (f" line {found[2]}", found[1]) if found else ("", str(error))
            raise ModelsFileError(f"{self.name}{where}: not TOML: {what}") from None
        self._lines = toml_lines.lines_of(text)

    def complaint(self, problems: Iterable[Problem]) -> ModelsFileError:
        """Return the error for the problem that stands first in the file."""
        found = sorted(
            (toml_lines.line_of(self._lines, path), at, path, message)
            for at, (path, message) in enumerate(problems)
        )
        line, _, path, message = found[0]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return ModelsFileError(f"{self.name} line {line}: {self._owner(path)}{message}{more}")

    def _owner(self, path: toml_lines.Path) -> str:
        match path:
            case ("models", int(at), *_):
                named = self.data["models"][at]
                if isinstance(named, Mapping) and isinstance(named.get("id"), str):
                    return f"model `{named['id']}`: "
                return f"model {at + 1}: "
            case ("providers", str(name), *_):
                return f"provider `{name}`: "
        return ""


def read_models(path: Path, shared: Mapping[str, ProviderRow]) -> tuple[list[Model], Shared]:
    """Return a file's models, and what their providers' routes share: `shared` and its own.

    Raises:
        ModelsFileError: naming the file, the line, the model and what is wrong.
    """
    source = Source(path)
    try:
        file = ModelsFile.model_validate(source.data)
    except ValidationError as error:
        raise source.complaint([explain(detail) for detail in error.errors()]) from None
    if problems := list(problems_of(file)):
        raise source.complaint(problems)
    together = {**shared, **file.providers}
    return [model_of(row, together) for row in file.models], together


def explain(detail: ErrorDetails) -> tuple[toml_lines.Path, str]:
    """Return where something is wrong, and what, in words for the one who wrote it."""
    path = detail["loc"]
    names = [part for part in path if isinstance(part, str) and part != "[key]"]
    name = names[-1] if names else "the file"
    if names and isinstance(path[-1], int) and path[-1] >= 0:
        name = f"{name}[{path[-1] + 1}]"
    match detail["type"]:
        case "missing":
            return path[:-1], f"{name} is missing"
        case "extra_forbidden":
            return path, f"{name} is not a word of this table; see docs/models.md"
        case "value_error":
            return path, f"{name} {detail['ctx']['error']}"
        case "string_pattern_mismatch":
            return path, f"{name} is not written as it must be (`{detail['input']}`)"
    message = detail["msg"].replace("Input should be ", "must be ")
    return path, f"{name} {message[0].lower()}{message[1:]}"


def model_of(row: ModelRow, shared: Shared) -> Model:
    """Return a row as the rest of the house knows it."""
    return Model(
        id=row.id,
        label=row.label,
        kind=row.kind,
        demo=row.demo,
        inputs=tuple(row.inputs),
        aspect_ratios=tuple(row.aspect_ratios),
        default_aspect_ratio=row.default_aspect_ratio or first(row.aspect_ratios),
        sizes=sizes_of(row.sizes) if row.sizes else None,
        keeps_shape=row.keeps_shape,
        durations_s=tuple(row.durations_s),
        default_duration_s=row.default_duration_s or first(row.durations_s),
        resolutions=tuple(row.resolutions),
        default_resolution=row.default_resolution or first(row.resolutions),
        max_n=row.max_n,
        seed=row.seed,
        negative_prompt=row.negative_prompt,
        style=row.style,
        audio=row.audio,
        max_references=row.max_references,
        prompt_chars_max=row.prompt_chars_max,
        routes=tuple(route_of(row, route, shared) for route in row.routes),
    )


def sizes_of(row: SizesRow) -> Sizes:
    """Return the sizes a model makes."""
    return Sizes(
        choices=tuple(size for size in map(parse_size, row.choices) if size),
        multiple=row.multiple,
        min_px=row.min_px,
        max_px=row.max_px,
        square_px=row.square_px,
        long_side_px=row.long_side_px,
        short_side_px=row.short_side_px,
    )


def route_of(model: ModelRow, row: RouteRow, shared: Shared) -> Route:
    """Return a route with what its provider and its kind of model settle for it."""
    poll_s, poll_max_s, deadline_s = PACE[model.kind]
    provider = shared.get(row.provider, ProviderRow(on_lost_submit="ask"))
    return Route(
        provider=row.provider,
        endpoint=row.endpoint,
        on_lost_submit=row.on_lost_submit or provider.on_lost_submit,
        price=Price(**row.price.model_dump()) if row.price else None,
        poll_s=row.poll_s or poll_s,
        poll_max_s=row.poll_max_s or max(poll_max_s, row.poll_s or 0),
        deadline_s=row.deadline_s or deadline_s,
        inputs=tuple(row.inputs or model.inputs),
        result_hosts=(*provider.result_hosts, *row.result_hosts),
        dialect=Dialect(
            fields={word: Spelling(**field.model_dump()) for word, field in row.fields.items()},
            defaults=row.defaults,
            output=row.output,
            charges_failed=row.charges_failed,
        ),
        tells_cost=provider.tells_cost,
    )


def bounds_of(shared: Shared) -> dict[str, Bounds]:
    """Return what each provider takes, for those of which something is known."""
    return {
        name: Bounds(at_once=row.at_once, submits=row.submits, per_s=row.per_s)
        for name, row in shared.items()
        if row.at_once is not None or row.submits is not None
    }


def first(values: list[T]) -> T | None:
    """Return the first of a list, None of an empty one."""
    return values[0] if values else None
