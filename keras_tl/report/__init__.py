"""The report of a run: one self-contained HTML file, written from the files of the run."""
