"""The report: one HTML file with everything in it, made from what a run keeps."""
