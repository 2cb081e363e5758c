"""Model formats, one file each: `SUFFIXES`, and `open_file(path) -> Opened`. Found by walking this folder."""
