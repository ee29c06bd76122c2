"""The ways to a customer: one contract, the adapter to a provider over HTTP, one within the process."""
