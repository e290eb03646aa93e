"""Folders of class folders, for all kinds of files."""
