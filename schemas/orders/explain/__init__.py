"""What the routes answer that show people where an order, or everything, stands and why."""
