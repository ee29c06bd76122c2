"""What people do to orders: decide, intervene, undo, bar contacts."""
