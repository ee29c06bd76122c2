"""HTTP requests as steps, and the calls that answer them."""
