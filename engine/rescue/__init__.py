"""What finds rows that are due or lost, and takes out those that cannot be carried."""
