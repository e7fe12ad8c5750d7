"""Reports, letters, cards and the dictionary: published tables put together for ``workbench``."""
