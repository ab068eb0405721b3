"""Clips and their files: `clip` is the record that travels, `read` and `write` its files, `checks` guards them."""
