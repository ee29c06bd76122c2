"""The data of who may call, and what for."""
