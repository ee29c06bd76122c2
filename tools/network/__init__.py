"""How requests reach other machines: addresses that may be spoken to, and a connection."""
