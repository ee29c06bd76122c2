"""The numbers for metrics: counted as things happen, and never by looking through history."""
