"""The routes of the five agents: what each is called for, and the tools (seed 000 section 四, 五)."""
