"""The language of who asks, as the `Accept-Language` header says it."""

from typing import Annotated

from fastapi import Depends, Header

from schemas.core.language import Language, language_of


def _asked_for(
    accept_language: Annotated[
        str | None,
        Header(
            max_length=200, description="`zh` or `en`: the language of sentences for people; `zh` without it."
        ),
    ] = None,
) -> Language:
    return language_of(accept_language)


AskedLanguage = Annotated[Language, Depends(_asked_for)]
"""The language in which a route words sentences for people."""
