"""The console: pages for the people who decide and watch (CONSOLE.md)."""
