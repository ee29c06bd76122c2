"""Reports as typed documents, and each of them as Markdown, HTML, CSV and PDF."""
