"""The simulated customer: a call-centre, SMS and IM provider over HTTP, and the people behind it."""
