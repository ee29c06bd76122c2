"""Outgoing webhooks: permitted addresses, signatures and sending."""
