"""Calls of outside agents over the API, by the same claim and record as the fleet's."""
