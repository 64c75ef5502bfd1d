"""The settings of the companies that paint: a key each, or for keyless ones an address, switches
one on. `settings.Settings` has them among all others.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from setting_forms import leads_somewhere


class ProviderSettings(BaseSettings):
    """Keys and addresses, by the names that the companies' own programs use where there are any."""

    runpod_api_key: SecretStr | None = Field(None, description="Switches the RunPod models on.")
    runpod_base_url: str = Field("https://api.runpod.ai/v2", description="RunPod's serverless API.")
    fal_key: SecretStr | None = Field(None, description="Switches the models at fal on.")
    fal_base_url: str = Field("https://queue.fal.run", description="fal's queue.")
    replicate_api_token: SecretStr | None = Field(
        None, description="Switches the models at Replicate on."
    )
    replicate_base_url: str = Field(
        "https://api.replicate.com/v1", description="Replicate's predictions."
    )
    bfl_api_key: SecretStr | None = Field(
        None, description="Switches the models at Black Forest Labs on."
    )
    bfl_base_url: str = Field("https://api.bfl.ai/v1", description="Black Forest Labs' API.")
    gemini_api_key: SecretStr | None = Field(
        None, description="Switches the models of the Gemini API on."
    )
    gemini_base_url: str = Field(
        "https://generativelanguage.googleapis.com", description="The Gemini API, without v1beta."
    )
    images_api_key: SecretStr | None = Field(
        None, description="Key of an OpenAI-shaped images server; unset: OPENAI_API_KEY at OpenAI."
    )
    images_base_url: str | None = Field(
        None, description="Any OpenAI-shaped images server, with its /v1; unset: OpenAI itself."
    )
    comfyui_base_url: str | None = Field(
        None, description="A ComfyUI of yours; switches its workflow templates on."
    )
    comfyui_workflows: Path | None = Field(
        None, description="Folder of workflow templates of your own, beside the built-in ones."
    )

    @field_validator(
        *("runpod_base_url", "fal_base_url", "replicate_base_url", "bfl_base_url"),
        *("gemini_base_url", "images_base_url", "comfyui_base_url"),
    )
    @classmethod
    def _is_where_a_provider_is(cls, value: str | None) -> str | None:
        if value is not None and not leads_somewhere(value):
            raise ValueError("must be an address that starts with http:// or https://")
        return value.rstrip("/") if value else value
