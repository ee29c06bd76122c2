"""What people do with definitions, whether by the API or on a page: look, check, keep, activate, retire."""
