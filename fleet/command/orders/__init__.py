"""Commands about suspended orders and their customers."""
