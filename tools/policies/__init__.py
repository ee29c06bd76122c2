"""The policies in `config/policies/`."""
