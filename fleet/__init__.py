"""The machine: the `unpend` command, the embedded servers, the supervisor, the simulated customer."""
