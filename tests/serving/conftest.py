"""One server of made-up models, shared by the tests of this folder."""

import pytest

from tests.served_models import save_image_model, save_pair_model
from tests.serving_server import serving


@pytest.fixture(scope="session")
def made_models(tmp_path_factory):
    """The folder of the models' folders."""
    root = tmp_path_factory.mktemp("models")
    save_image_model(root / "photos", version=3)
    save_image_model(root / "photos", version=12)
    save_image_model(root / "prices", "regression")
    save_pair_model(root / "pairs")
    return root


@pytest.fixture(scope="session")
def made_server(made_models):
    """Its addresses, by protocol."""
    models = {folder.name: folder for folder in made_models.iterdir()}
    with serving(models, "--label=new=12") as found:
        yield found
