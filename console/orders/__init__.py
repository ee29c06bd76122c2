"""Pages about suspended orders."""
