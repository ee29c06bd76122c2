"""What stands before every route: the id of a request, its measurement, HEAD."""
