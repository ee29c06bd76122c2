"""The data of suspended orders."""
