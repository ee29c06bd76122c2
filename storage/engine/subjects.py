"""The tables of what runs are about: a product names its own, so that lists of runs can show more than the run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTable:
    """A product's table of subjects, by the names of its columns; constants of the code, never anything from outside.

    A subject has several runs at most over time; the one that its row names is its own.
    """

    product: str
    """The product's name."""
    table: str
    subject_id: str
    """The column that `runs.subject_id` refers to."""
    run_id: str
    """The column that names the subject's own run."""
    order_id: str
    """The column with the id that the outside knows the subject by."""
    state: str
    """The column with the business state."""
    attempt: str | None = None
    """The column that counts the attempts of the present round, where there are any."""
