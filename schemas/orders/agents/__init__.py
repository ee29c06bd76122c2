"""Request and response bodies of the five agents' routes (seed 000 section 四, 五)."""
