"""What holds for every order, whoever acts: agreements, appointments, contact constraints, wording."""
