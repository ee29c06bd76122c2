"""The schema of `config/scripts/*.yaml`: one version of one script in each file."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from runtime.personal import PersonalFields
from schemas.core.configuration import PolicyFileError, read_policy_file
from schemas.orders.contact import Channel
from tools.channels.script import Template
from tools.scripts.checking import findings
from tools.scripts.script import Script, Scripts, Variable, Wording

_VARIABLE: Final = r"^[a-z][a-z_]*$"


Name = Annotated[str, Field(pattern=_VARIABLE, max_length=32)]
Provider = Literal["aliyun_sms", "aliyun_voice"]
_Words = Annotated[str, Field(min_length=1, max_length=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VariableDocument(_Part):
    """A variable; without a default, an order that lacks the value goes to a person."""

    meaning: str = Field(min_length=1, max_length=64)
    default: str | None = Field(default=None, min_length=1, max_length=64)
    longest: int = Field(default=20, ge=1, le=64)


class TemplateDocument(_Part):
    """A template approved by a provider for this text, with the variables that it takes."""

    code: str = Field(min_length=1, max_length=64)
    variables: tuple[str, ...] = ()


class WordingDocument(_Part):
    """The text for one channel."""

    opening: str = Field(default="", max_length=200)
    text: _Words
    templates: dict[Provider, TemplateDocument] = Field(default_factory=dict)


class ScriptDocument(_Part):
    """The content of a script file."""

    script_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,23}$")
    version: int = Field(ge=1, le=9999)
    language: Literal["zh"] = "zh"
    meaning: str = Field(default="", max_length=200)
    variables: dict[Name, VariableDocument] = Field(default_factory=dict)
    channels: dict[Channel, WordingDocument] = Field(min_length=1)

    def as_script(self) -> Script:
        """Return the script in the file."""
        return Script(
            script_id=self.script_id,
            version=self.version,
            language=self.language,
            meaning=self.meaning,
            variables={
                name: Variable(meaning=each.meaning, default=each.default, longest=each.longest)
                for name, each in self.variables.items()
            },
            channels={channel: _wording(each) for channel, each in self.channels.items()},
        )


def load_scripts(folder: Path, personal: PersonalFields) -> Scripts:
    """Read every script of a folder, none of which says what is `personal`.

    Raises:
        PolicyFileError: a file cannot be used, two hold the same version of a script, or there is none.
    """
    files: dict[str, Path] = {}
    scripts = []
    for path in sorted(folder.glob("*.yaml")):
        script = load_script(path, personal)
        if other := files.get(script.reference):
            raise PolicyFileError(
                f"{path}: version {script.version} of '{script.script_id}' is in {other.name} already; "
                "raise `version`"
            )
        files[script.reference] = path
        scripts.append(script)
    if not scripts:
        raise PolicyFileError(f"{folder}: holds no script; put at least one *.yaml there (docs/scripts.md)")
    return Scripts(tuple(scripts))


def load_script(path: Path, personal: PersonalFields) -> Script:
    """Read one file.

    Raises:
        PolicyFileError: it cannot be used; the message names every field to correct.
    """
    script = read_policy_file(path, ScriptDocument).as_script()
    wrong = [finding for finding in findings(script, personal) if not finding.is_warning]
    if wrong:
        lines = [f"{path}: {len(wrong)} field(s) to correct:"]
        raise PolicyFileError("\n".join([*lines, *(f"  {each.field}: {each.message}" for each in wrong)]))
    return script


def _wording(document: WordingDocument) -> Wording:
    return Wording(
        opening=document.opening,
        text=document.text,
        templates={
            provider: Template(template.code, template.variables)
            for provider, template in document.templates.items()
        },
    )
