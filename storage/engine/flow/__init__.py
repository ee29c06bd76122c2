"""What moves inside runs: branches at joins, scopes, variables, and what is waited for."""
