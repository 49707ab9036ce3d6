"""Pages that a program shows in a browser: a local server, guarded, and messages both ways."""
