"""Private texts in the parameters of general work: encrypted for storage, decrypted for the work."""

from collections.abc import Mapping
from typing import Any

from runtime.cipher import Cipher, is_printed
from runtime.mask import mask_text


def sealed(
    parameters: Mapping[str, Any], schema: Mapping[str, Any] | None, run_id: str, cipher: Cipher
) -> dict[str, Any]:
    """The parameters with every text sealed that the schema calls `writeOnly` (JSON Schema 2020-12, validation 9.4)."""
    properties = (schema or {}).get("properties") or {}
    return {
        name: cipher.seal_text(value, place_of(name, run_id))
        if isinstance(value, str) and properties.get(name, {}).get("writeOnly") is True
        else value
        for name, value in parameters.items()
    }


def opened(given: Mapping[str, Any], run_id: str, cipher: Cipher) -> dict[str, Any]:
    """What `sealed` was given; what was never sealed is given back as it is.

    Raises:
        UnreadableCiphertext: it was sealed with another key, or for another run.
    """
    return {
        name: cipher.open_text(value, place_of(name, run_id)) if is_printed(value) else value
        for name, value in given.items()
    }


def place_of(name: str, run_id: str) -> str:
    """What the words in this parameter of a run are bound to."""
    return f"runs.variables.{name}.{run_id}"


def masked(value: Any) -> Any:
    """JSON as it may be shown: phone numbers masked, written as text or as a number, and nothing that is sealed."""
    if isinstance(value, str):
        return "****" if is_printed(value) else mask_text(value)
    if isinstance(value, Mapping):
        return {mask_text(name): masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
        return value if mask_text(text) == text else mask_text(text)
    return value
