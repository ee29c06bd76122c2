"""The order system, which carries out agreed actions: our own tables, or another system behind a webhook."""
