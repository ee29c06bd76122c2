"""The language of sentences for people that a command shows: `--lang`, else `UNPEND_LANGUAGE`, else Chinese."""

from typing import Annotated

import typer

from schemas.core.language import Language

Lang = Annotated[
    Language,
    typer.Option("--lang", envvar="UNPEND_LANGUAGE", help="The language of the sentences for people."),
]
"""The option of commands that show sentences for people."""
