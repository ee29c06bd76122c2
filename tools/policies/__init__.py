"""The files of `config/policies/`, and what each decides."""
