"""How the cost of each read grows with the number of orders."""
