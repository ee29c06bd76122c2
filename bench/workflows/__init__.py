"""Measures general workflows: steps, loops, waits, outside agents."""
