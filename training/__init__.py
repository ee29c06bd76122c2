"""Trains and evaluates the intent classifier: the only package that needs scikit-learn."""
