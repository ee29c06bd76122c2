"""The local intent classifier: rules and a small linear model in pure Python, with guards around them."""
