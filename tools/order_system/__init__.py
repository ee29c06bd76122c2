"""The order system, in which agreed actions are carried out: our own tables, or another system behind a webhook."""
