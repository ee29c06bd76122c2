"""Input from outside between steps: callbacks, signals, replies of customers."""
