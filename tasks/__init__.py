"""The actions of each agent, as plain typed functions with name, limits, retry and effect."""
