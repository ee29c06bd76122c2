"""The places of a text that name a date, by how they name it."""
