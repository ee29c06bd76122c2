"""HTTP requests of workflows: where they may go, with which secrets, and what comes of them."""
