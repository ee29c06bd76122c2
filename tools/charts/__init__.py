"""Charts as SVG that the server makes: no script, no style, every number also in a table."""
