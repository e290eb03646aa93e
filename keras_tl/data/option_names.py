"""Names of the command-line options for the Python arguments of the data sources."""

FLAGS = {
    "image": "--image-column",
    "root": "--root",
    "text": "--text-column",
    "text_pair": "--text-pair-column",
    "label": "--label-column",
    "split": "--split-column",
    "separator": "--label-separator",
    "task": "--task",
    "slices": "--by",
    "groups": "--groups",
    "classes": "--class",
    "data_dir": "--data-dir",
    "download": "--no-download",
}
