"""The site: docs/ laid out for the site generator, with a reference from docstrings and from --help.

`make docs` builds it into build/site, `make docs-serve` shows it. docs/ itself stays plain Markdown, read
where it lies: what only a site can have is put in as it is laid out, at HTML comments (reference.py).
"""
