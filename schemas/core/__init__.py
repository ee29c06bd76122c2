"""The data that every context shares: definitions, parameters, the form of bodies and errors."""
