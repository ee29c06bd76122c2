"""The work: what each agent does, as plain typed functions, declared with name, limits, retry and effect."""
