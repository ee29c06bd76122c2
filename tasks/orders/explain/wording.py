"""Words the sentences that explain an order, in a language."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schemas.orders.explain.sentence import Name, Parameter, Reasons, Sentence, When
from schemas.orders.explain.words import name_of, words_in
from schemas.people.wording import question_of
from tasks.orders.explain.moment_format import MomentFormat

_ENDS: Final = (".", "。", "!", "?", "`")


@dataclass(frozen=True, slots=True)
class ExplanationWording:
    """The words of the language of a format of moments."""

    moment_format: MomentFormat

    def of(self, given: Parameter) -> str:
        """A sentence or a parameter of one, in words; empty for nothing."""
        match given:
            case Sentence(code=code, params=params):
                words: str = words_in(self.moment_format.language)["sentences"][code]
                return words.format_map({name: self.of(value) for name, value in params.items()})
            case When():
                return self.moment_format.until(given)
            case Name(of=kind, code=code):
                return name_of(kind, code, self.moment_format.language)
            case Reasons(why=why, text=text):
                return question_of(why, self.moment_format.language) or text
            case None | str() | int():
                return "" if given is None else str(given)
            case _:
                return self.joined(given, "list")

    def joined(self, given: Iterable[str | Sentence], mark: str) -> str:
        """Several one after another, with this mark between them."""
        return self.mark(mark).join(self.of(each) for each in given)

    def mark(self, name: str) -> str:
        """A mark between sentences or their parts."""
        return str(words_in(self.moment_format.language)["marks"][name])

    def ended(self, sentence: str) -> str:
        """A sentence with its full stop."""
        return sentence if sentence.endswith(_ENDS) else f"{sentence}{self.mark('end')}"
