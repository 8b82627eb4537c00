import numpy as np
import pytest
import torch
from bgaugment import ClassPool, FolderPool, ListPool, ProceduralPool, TensorPool
from PIL import Image

KINDS = ["solid", "gradient", "noise", "pattern", "texture"]


def contents(pool, size=(16, 16)):
    return {background.numpy().tobytes() for background in pool.tensor(size).backgrounds}


def solid(value, size=(4, 4)):
    return np.full((*size, 3), value, np.uint8)


def test_split_pools_never_meet(photos):
    pools = [
        FolderPool(photos),
        ListPool([solid(i) for i in range(9)]),
        TensorPool(torch.arange(9, dtype=torch.uint8)[:, None, None, None].expand(9, 3, 4, 4)),
        ProceduralPool(60),
    ]
    for pool in pools:
        first, second = pool.split(seed=1, fraction=1 / 3)
        assert len(first) == len(pool) // 3
        assert len(first) + len(second) == len(pool)
        assert not contents(first) & contents(second)
        assert contents(first) | contents(second) == contents(pool)
        assert contents(pool.split(seed=1, fraction=1 / 3)[0]) == contents(first)
        assert contents(pool.split(seed=2, fraction=1 / 3)[0]) != contents(first)
        assert len(first.split(seed=0)[0]) >= 1


def test_equal_backgrounds_stay_together(tmp_path):
    for name in ("a", "b", "c", "d"):
        Image.fromarray(solid(9 if name in "ab" else ord(name))).save(tmp_path / f"{name}.png")
    for pool in (FolderPool(tmp_path), ListPool([solid(9), solid(9), solid(1), solid(2)])):
        for seed in range(4):
            first, second = pool.split(seed)
            assert not contents(first) & contents(second)
            assert len(first) + len(second) == 4


def test_draws_are_uniform_and_seeded():
    pool = ListPool([solid(i) for i in range(4)])
    drawn = [int(pool.draw((4, 4), rng)[0, 0, 0]) for rng in [np.random.default_rng(3)] for _ in range(2000)]
    assert np.bincount(drawn).min() > 400
    again = np.random.default_rng(3)
    assert drawn[:50] == [int(pool.draw((4, 4), again)[0, 0, 0]) for _ in range(50)]


@pytest.mark.parametrize("kind", KINDS)
def test_procedural_backgrounds_differ_and_fit(kind):
    pool = ProceduralPool(40, kinds=[kind])
    assert len(contents(pool)) == 40
    image = pool.render(3, (30, 20))
    assert image.shape == (30, 20, 3)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, ProceduralPool(5, kinds=[kind]).render(3, (30, 20)))
    assert (image != ProceduralPool(40, kinds=[kind], seed=1).render(3, (30, 20))).any()
    assert (image.std((0, 1)).max() > 0) == (kind != "solid")


def test_solid_colours_are_never_the_same():
    pool = ProceduralPool(3000, kinds=["solid"])
    assert len({pool.render(i, (1, 1)).tobytes() for i in range(3000)}) == 3000


def test_files_are_reduced_and_transformed(tmp_path):
    Image.fromarray(solid(80, (100, 300))).save(tmp_path / "wide.png")
    pool = FolderPool(tmp_path, max_side=60, transform=lambda image: image + 1)
    drawn = pool.draw((8, 8), np.random.default_rng(0))
    assert drawn.shape == (20, 60, 3)
    assert (drawn == 81).all()


def test_images_may_come_one_by_one():
    assert len(ListPool(np.full((2, 2, 3), level, np.uint8) for level in (0, 9))) == 2


def test_bad_pools_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="folder: expected image files"):
        FolderPool(tmp_path / "empty")
    with pytest.raises(ValueError, match="pool: expected at least one background"):
        ListPool([])
    with pytest.raises(ValueError, match="n: expected a whole number from 1 to 10000000, got 0"):
        ProceduralPool(0)
    with pytest.raises(ValueError, match=r"backgrounds: expected \(n, c, h, w\), got backgrounds \(3, 4, 4\)"):
        TensorPool(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match="kinds: expected some of"):
        ProceduralPool(kinds=["sky"])
    with pytest.raises(ValueError, match="fraction: expected two pools of the 1 different backgrounds"):
        ListPool([solid(1), solid(1)]).split(0)
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(OSError, match=r"broken\.png: cannot be read as an image"):
        ListPool([tmp_path / "broken.png"]).draw((4, 4), np.random.default_rng(0))


def test_class_pool_draws_backgrounds_of_the_wanted_class(rng):
    images = [solid(10 * i, (8, 8)) for i in range(6)]
    masks = [np.zeros((8, 8), bool) for _ in images]
    for image, mask in zip(images, masks):
        image[2:5, 2:5], mask[2:5, 2:5] = 255, True
    labels = ["a", "a", "a", "b", "b", "c"]
    wanted = {"same": {10, 20}, "other": {30, 40, 50}, "any": {10, 20, 30, 40, 50}}
    for relation, values in wanted.items():
        pool = ClassPool(images, masks, labels, relation=relation)
        drawn = [pool.draw((8, 8), rng, index=0, label="a") for _ in range(60)]
        assert {int(background.max()) for background in drawn} == values
        assert all(background.min() == background.max() for background in drawn)  # the foreground is gone
    with pytest.raises(ValueError, match="pool: expected an image of same class for each image, got none for 'c'"):
        ClassPool(images, masks, labels, relation="same").draw((8, 8), rng, index=5, label="c")
    with pytest.raises(ValueError, match="pool: expected BGAugmentDataset or background_gap"):
        ClassPool(images, masks, labels, relation="same").draw((8, 8), rng)
    with pytest.raises(ValueError, match="relation: expected one of"):
        ClassPool(images, masks, labels, relation="none")
    with pytest.raises(ValueError, match="labels: expected one mask and one label per image"):
        ClassPool(images, masks[1:], labels, relation="any")
