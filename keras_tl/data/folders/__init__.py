"""Readers of folders that hold one folder for each class, for all kinds of files."""
