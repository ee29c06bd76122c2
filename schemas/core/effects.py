"""What a step does to our own tables, as values: returned by the work, written by `record` (SPEC.md §3)."""


class Effect:
    """One change to some table. Each context declares its own kinds, and registers who writes them."""

    __slots__ = ()
