"""A smoke run of every recipe."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

RECIPES = Path(__file__).parents[1] / "recipes"


def small_photos(folder):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(0, 255, (32, 32, 3)).astype(np.uint8)
            content = tf.io.encode_jpeg(pixels).numpy()
            (folder / name / f"{number}.jpg").write_bytes(content)
    return folder


def run_recipe(recipe, *arguments):
    command = [sys.executable, RECIPES / recipe, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_recipe_has_a_smoke_run_here():
    source = Path(__file__).read_text("utf-8")
    recipes = list(RECIPES.rglob("*.py"))
    assert recipes
    assert [r.name for r in recipes if f'"{r.name}",' not in source] == []


def test_photos(tmp_path):
    out = run_recipe(
        "photos.py",
        *(small_photos(tmp_path / "photos"), "--image-size", 32, "--head-epochs", 1),
        *("--fine-tune-epochs", 1, "--out", tmp_path / "run", "--export", tmp_path / "model"),
    )
    assert "Test accuracy after fine-tuning" in out
    assert (tmp_path / "run.html").exists()
    assert (tmp_path / "model" / "1" / "saved_model.pb").exists()


def test_few_shot(tmp_path):
    out = run_recipe(
        "few_shot.py",
        *(small_photos(tmp_path / "photos"), "--image-size", 32, "--per-class", 2, 3),
        *("--seeds", 2, "--epochs", 1, "--out", tmp_path / "few.png"),
    )
    assert "  2 images a class: test accuracy" in out
    assert "  3 images a class: test accuracy" in out
    assert (tmp_path / "few.png").exists()
