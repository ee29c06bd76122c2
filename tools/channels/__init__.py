"""The channels to a customer: one contract, an HTTP adapter for each provider, one adapter within the process."""
