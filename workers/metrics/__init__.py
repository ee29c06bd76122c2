"""The exporter: what was committed, as Prometheus series."""
