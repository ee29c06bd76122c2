"""Training and judging the intent classifier: the only place that needs scikit-learn."""
