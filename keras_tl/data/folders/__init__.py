"""Folders of class folders, whatever kind of files they hold."""
