"""The catalogue of defects: what feeds.md says of files, rows and cells, as cases that an official can read."""
