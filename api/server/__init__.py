"""The HTTP server: who calls, in which form, what is answered when something is wrong."""
