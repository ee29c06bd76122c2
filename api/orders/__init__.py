"""The routes of suspended orders."""
