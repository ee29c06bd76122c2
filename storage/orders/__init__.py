"""What is kept of suspended orders."""
