"""Rules for every order: agreements, appointments, contact constraints, wording."""
