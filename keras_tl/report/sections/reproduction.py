"""What the model is, and how it is made again."""

from keras_tl.export.card import overview
from keras_tl.report.blocks import Code, Facts, Notes, Paragraph, Section
from keras_tl.report.material import Material


def reproduction(material: Material) -> Section:
    """The configuration, the calls and the versions; limits of use."""
    facts = material.facts
    versions = facts["versions"]["trained_with"] or {}
    about = overview(facts) | {
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items())
    }
    blocks = [
        Facts(about),
        Paragraph("The same data and versions, and these calls, give the same model:"),
        Code("\n".join(facts["calls"])),
        Notes("Limits and risks", facts["limits"]),
    ]
    return Section("model", "Model and how to reproduce it", blocks)
