"""Commands about the fleet as processes and servers."""
