"""The local intent classifier: rules and a small linear model, scored in pure Python, with guards around them."""
