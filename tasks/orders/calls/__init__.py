"""What outside agents call for over the API: the same claim and record as the fleet."""
