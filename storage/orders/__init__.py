"""The tables of suspended orders."""
