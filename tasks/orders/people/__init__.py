"""What people do with orders: decide, intervene, undo, block contacts."""
