import hashlib
import io
import json
import os
import pickle
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import cargen._generate
import numpy as np
import polars
import pytest
from cargen import CarMesh, CarProperties, IndexRenderer, Manifest, contact_sheet, digest, generate, sample
from PIL import Image


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_settings(folder):
    return {path: data for path, data in contents(folder).items() if path.name != "settings.json"}


def test_a_folder_holds_images_masks_and_properties(tmp_path, fake):
    table = polars.read_parquet(generate(tmp_path, n=10, seed=3, shard_size=4, make_renderer=fake.make))
    assert table.drop("image", "mask").to_dicts() == [asdict(car) for car in sample(10, seed=3)]
    for row, car in zip(table.to_dicts(), sample(10, seed=3)):
        expected = fake.draw(car)
        assert (np.asarray(Image.open(tmp_path / row["image"])) == expected.image).all()
        assert (np.asarray(Image.open(tmp_path / row["mask"])) == expected.mask).all()
    assert sorted(path.name for path in (tmp_path / "shards").iterdir()) == [f"00000{k}.parquet" for k in (0, 4, 8)]
    assert json.loads((tmp_path / "settings.json").read_text())["seed"] == 3


def test_workers_write_the_same_files_and_survive_a_kill(tmp_path, fake):
    generate(tmp_path / "1", n=12, seed=1, shard_size=2, make_renderer=fake.make)
    assert any(car.rotation == 90 for car in sample(12, seed=1))
    with pytest.warns(RuntimeWarning, match="a worker died; [0-9]+ images are left"):
        generate(tmp_path / "2", n=12, seed=1, shard_size=2, workers=2, make_renderer=fake.killed_once)
    assert without_settings(tmp_path / "1") == without_settings(tmp_path / "2")


JOB = """
import fake_cars
from cargen import generate
if __name__ == "__main__":
    generate("out", n=200, seed=1, shard_size=4, workers=2, progress=False, make_renderer=fake_cars.slow)
"""


@pytest.mark.kills
@pytest.mark.parametrize("victim", ["a worker", "the job"])
def test_killed_at_ten_random_points_the_files_are_those_of_one_run(victim, tmp_path, fake, monkeypatch):
    generate(tmp_path / "whole", n=200, seed=1, shard_size=4, make_renderer=fake.make)
    (tmp_path / "job.py").write_text(JOB)
    monkeypatch.setenv("PYTHONPATH", str(Path(fake.__file__).parent))
    command = [sys.executable, "-W", "ignore", "job.py"]
    moments, kills, workers = random.Random(0), 0, set()
    while kills < 10:
        with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as job:
            drawn = len(list(tmp_path.glob("out/images/*")))
            while len(list(tmp_path.glob("out/images/*"))) in (0, drawn) and job.poll() is None:
                time.sleep(0.005)
            while kills < 10 and job.poll() is None:
                time.sleep(moments.uniform(0, 0.15))
                started = children(job.pid)
                workers |= {*started}
                if victim != "a worker":
                    (os.kill if kills % 2 else os.killpg)(job.pid, signal.SIGKILL)  # alone, or with its workers
                    kills += 1
                    break
                if started:
                    os.kill(moments.choice(started), signal.SIGKILL)
                    kills += 1
        if victim == "a worker" and job.returncode == 0:
            shutil.rmtree(tmp_path / "out")  # it was over before the tenth kill
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    assert without_settings(tmp_path / "out") == without_settings(tmp_path / "whole")
    deadline = time.monotonic() + 20
    while any(alive(worker) for worker in workers):  # nobody goes on drawing for a job that is dead
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children(pid):
    """Return the processes that draw for a job; another child of it only keeps track of semaphores."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError):
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def alive(pid):
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_the_digest_is_that_of_the_pixels(tmp_path, fake):
    generate(tmp_path / "a", n=6, shard_size=2, workers=2, make_renderer=fake.make)
    generate(tmp_path / "b", n=6, make_renderer=fake.make)
    pictures = [fake.draw(car) for car in sample(6)]
    pixels = b"".join([*(picture.image.tobytes() for picture in pictures), *(p.mask.tobytes() for p in pictures)])
    assert digest(tmp_path / "a") == digest(tmp_path / "b") == hashlib.sha256(pixels).hexdigest()
    changed = np.asarray(Image.open(tmp_path / "b" / "masks" / "000003.png")) ^ 1
    Image.fromarray(changed).save(tmp_path / "b" / "masks" / "000003.png")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        digest(tmp_path)
    (tmp_path / "properties.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="folder: expected one of a finished run"):
        digest(tmp_path)


def test_a_run_that_was_killed_at_once_goes_on(tmp_path, fake):
    (tmp_path / ".settings-0123abcd.json").write_text("{")
    generate(tmp_path, n=2, make_renderer=fake.make)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.filterwarnings("ignore:a worker died:RuntimeWarning")
def test_workers_that_always_die_are_given_up(tmp_path, fake):
    with pytest.raises(ChildProcessError, match="three times in a row a worker died"):
        generate(tmp_path, n=2, workers=2, make_renderer=fake.always_killed)
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_error_stops_the_workers(tmp_path, fake):
    with pytest.raises(ValueError, match="no such colour"):
        generate(tmp_path / "out", n=200, shard_size=1, workers=2, make_renderer=fake.always_failing)
    assert len(Path(os.environ["KILLED_ONCE"]).read_text()) < 20  # the other shards were not begun


def test_an_interrupted_run_continues(tmp_path, fake, monkeypatch):
    generate(tmp_path / "whole", n=10, shard_size=3, make_renderer=fake.make)
    draw, drawn = cargen._generate._draw_shard, []

    def fails_in_the_second_shard(drawing, folder, shard):
        if drawn:
            (folder / "images" / f"{shard.start:06d}.png").write_bytes(b"half")  # a crash inside a write
            raise OSError(28, "No space left on device")
        drawn.append(shard.start)
        return draw(drawing, folder, shard)

    monkeypatch.setattr(cargen._generate, "_draw_shard", fails_in_the_second_shard)
    with pytest.raises(OSError, match="No space left"):
        generate(tmp_path / "part", n=10, shard_size=3, make_renderer=fake.make)
    assert not (tmp_path / "part" / "properties.parquet").exists()
    assert [path.name for path in (tmp_path / "part" / "shards").iterdir()] == ["000000.parquet"]

    monkeypatch.setattr(
        cargen._generate, "_draw_shard", lambda d, folder, shard: drawn.append(shard.start) or draw(d, folder, shard)
    )
    for _ in range(2):  # the second time there is nothing left to do
        generate(tmp_path / "part", n=10, shard_size=3, make_renderer=fake.make)
        assert drawn == [0, 3, 6, 9]
    assert contents(tmp_path / "part") == contents(tmp_path / "whole")


def test_a_full_disk_leaves_no_shard_done(tmp_path, fake, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        generate(tmp_path / "out", n=3, make_renderer=fake.make)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_disk_with_room_for_images_alone(tmp_path, fake, monkeypatch):
    monkeypatch.setattr("cargen._default.TORCS", None)  # its manifest in settings.json would find no room either
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, allowed[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            generate(tmp_path, n=3, values={"model": ["sedan"]}, make_renderer=fake.make)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert len(list(tmp_path.rglob("*.png"))) == 6
    assert not list(tmp_path.rglob("*.parquet"))


def test_folders_of_something_else_are_refused(tmp_path, fake):
    generate(tmp_path / "a", n=3, make_renderer=fake.make)
    before = contents(tmp_path / "a")
    for other in ({"n": 4}, {"seed": 1}, {"values": {"rotation": [0]}}, {"size_px": 32}, {"quality": "photo"}):
        with pytest.raises(ValueError, match="out: expected an empty folder, or one of the same run"):
            generate(tmp_path / "a", **{"n": 3, "make_renderer": fake.make} | other)
    assert contents(tmp_path / "a") == before
    with pytest.raises(ValueError, match="out: expected an empty folder"):
        generate(Path(__file__).parent, n=3, make_renderer=fake.make)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n: expected a whole number, at least 1, got 0"),
        ({"workers": 0}, "workers: expected a whole number"),
        ({"shard_size": 1.5}, "shard_size: expected a whole number"),
        ({"seed": -1}, "seed: expected a whole number, at least 0"),
        ({"size_px": 0}, "size_px: expected a whole number, from 8 to 4096, got 0"),
        ({"quality": "best"}, "quality: expected one of preview, photo, got 'best'"),
        ({"values": {"model": ["tank"]}}, r"values\['model'\]: expected some of .*sedan, .*, got tank"),
        ({"values": {"speed": [1]}}, "property: expected one of"),
    ],
)
def test_bad_requests_write_nothing(options, message, tmp_path, fake):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "out", **{"n": 1, "make_renderer": fake.make} | options)
    assert not (tmp_path / "out").exists()


def test_a_manifest_names_the_models_and_its_files_are_part_of_the_run(tmp_path, fake, obj_file):
    meshes = Manifest([CarMesh("box", obj_file.name, "CC0")], obj_file.parent)
    table = polars.read_parquet(generate(tmp_path / "out", n=3, meshes=meshes, make_renderer=fake.make))
    assert table["model"].to_list() == ["box"] * 3
    obj_file.write_text(obj_file.read_text() + "\n# changed")
    with pytest.raises(ValueError, match="out: expected an empty folder, or one of the same run"):
        generate(tmp_path / "out", n=3, meshes=meshes, make_renderer=fake.make)


def test_meshes_are_a_manifest(tmp_path, fake):
    with pytest.raises(TypeError, match="meshes: expected a Manifest or None, got str"):
        generate(tmp_path / "out", n=1, meshes="cars.json", make_renderer=fake.make)


def test_missing_partners_name_their_extras(tmp_path, fake, monkeypatch):
    monkeypatch.setattr(
        "cargen._render.version", lambda _: (_ for _ in ()).throw(cargen._render.PackageNotFoundError("bpy"))
    )
    for call in (lambda: generate(tmp_path / "out", n=1), lambda: cargen.render(CarProperties())):
        with pytest.raises(ImportError, match=r'bpy is not installed: pip install "cargen\[blender\]"'):
            call()
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match=r'pip install "cargen\[cli\]"'):
        generate(tmp_path / "out", n=1, make_renderer=fake.make)
    assert not (tmp_path / "out").exists()


def test_a_batch_of_indices_is_drawn_as_by_ray_data(fake):
    drawing = pickle.loads(pickle.dumps(IndexRenderer(seed=3, make_renderer=fake.make)))
    batch = drawing({"id": np.array([4, 2])})
    cars = sample(5, seed=3)
    assert batch["id"] == [4, 2]
    assert batch["rotation"] == [cars[4].rotation, cars[2].rotation]
    for row, index in enumerate((4, 2)):
        assert (np.asarray(Image.open(io.BytesIO(batch["image"][row]))) == fake.draw(cars[index]).image).all()
        assert (np.asarray(Image.open(io.BytesIO(batch["mask"][row]))) == fake.draw(cars[index]).mask).all()
    assert drawing({"id": []})["image"] == []


def test_dask_maps_over_indices(fake):
    from dask import bag

    drawing = IndexRenderer(seed=3, make_renderer=fake.make)
    rows = bag.from_sequence(range(9), npartitions=4).map_partitions(drawing.rows).compute(scheduler="synchronous")
    assert rows == [*drawing.rows(range(9))]


def test_a_contact_sheet_has_a_row_for_each_property(fake):
    sheet = np.asarray(contact_sheet(fake.draw, values={"car_hue": [0.0, 0.5], "rotation": [0, 90, 180]}))
    blank = np.asarray(contact_sheet(fake.draw, values={"car_hue": [0.0], "rotation": [0, 90, 180]}))
    assert sheet.shape == blank.shape
    assert (sheet[: len(sheet) // 2] != blank[: len(sheet) // 2]).any()
    assert (sheet[len(sheet) // 2 :] == blank[len(sheet) // 2 :]).all()
    expected = fake.draw(CarProperties(car_hue=0.0)).image
    assert (sheet[:8, 150:158] == expected).all()
