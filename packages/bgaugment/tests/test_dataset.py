from operator import itemgetter

import numpy as np
import pytest
import torch
from bgaugment import BGAugmentDataset, ClassPool, ListPool
from torch.utils.data import DataLoader

POOL = ListPool([np.full((4, 4, 3), i, np.uint8) for i in range(100)])
ITEMS = [(np.full((4, 4, 3), 200, np.uint8), i % 3, f"item {i}") for i in range(16)]
MASKS = [np.eye(4, dtype=bool)] * 16


# What tells the drawn background; a spawned worker could not import a function of this file.
value = itemgetter((0, 3, 0))


def epochs(workers, n=3, *, seed=0, persistent=False, **options):
    data = BGAugmentDataset(ITEMS, MASKS, POOL, seed=seed, transform=value)
    loader = DataLoader(data, batch_size=4, num_workers=workers, persistent_workers=persistent, **options)
    return [torch.cat([values for values, *_ in loader]).tolist() for _ in range(n)]


def test_items_pass_on_what_they_have():
    image, label, name = BGAugmentDataset(ITEMS, MASKS, POOL)[-1]
    assert (label, name) == (0, "item 15")
    assert (image[np.eye(4, dtype=bool)] == 200).all()
    assert len(BGAugmentDataset(ITEMS, MASKS, POOL)) == 16
    with pytest.raises(IndexError):
        BGAugmentDataset(ITEMS, MASKS, POOL)[16]


@pytest.mark.parametrize("workers", [0, 2])
def test_epochs_differ_and_runs_are_equal(workers):
    runs = [epochs(workers) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len({tuple(epoch) for epoch in runs[0]}) == 3
    assert len(set(runs[0][0])) > 8
    assert runs[0] != epochs(workers, seed=1)


def test_persistent_workers_draw_like_new_ones():
    assert epochs(2, persistent=True) == epochs(2)


@pytest.mark.slow
def test_spawned_workers_draw_the_same():
    assert epochs(2, 2, persistent=True, multiprocessing_context="spawn") == epochs(2, 2)


def test_workers_that_fetch_the_same_item_at_once_do_not_share_a_draw():
    runs = [epochs(2, 2, sampler=[3] * 64) for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    first, second = ([drawn for start in range(worker, 16, 2) for drawn in runs[0][0][4 * start : 4 * start + 4]]
                     for worker in range(2))  # fmt: skip
    assert sum(a == b for a, b in zip(first, second)) < 8
    assert runs[0][0] != runs[0][1]


def test_set_epoch_resumes():
    def drawn(first):
        data = BGAugmentDataset(ITEMS, MASKS, POOL)
        result = []
        for epoch in range(first, 3):
            data.set_epoch(epoch)
            result.append([value(data[i][0]) for i in range(16)])
        return result

    assert drawn(0)[2] == drawn(2)[0]
    assert drawn(0)[0] != drawn(0)[1]


def test_an_item_drawn_twice_differs():
    data = BGAugmentDataset(ITEMS, MASKS, POOL)
    assert len({value(data[3][0]) for _ in range(10)}) > 5


def test_joint_transform_sees_image_and_mask():
    def crop(image, mask):
        return image[:2], mask[:2]

    image = BGAugmentDataset(ITEMS, MASKS, POOL, joint_transform=crop)[0][0]
    assert image.shape == (2, 4, 3)
    assert (image == 200).all(-1).sum() == 2


def test_class_pools_know_the_item():
    images = [np.full((4, 4, 3), i, np.uint8) for i in range(16)]
    labels = [i % 3 for i in range(16)]
    pool = ClassPool(images, [np.zeros((4, 4), bool)] * 16, labels, relation="same")
    items = list(zip(images, map(torch.tensor, labels)))
    data = BGAugmentDataset(items, MASKS, pool)
    for index in range(16):
        drawn = value(data[index][0])
        assert drawn % 3 == index % 3
        assert drawn != index


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="masks: expected 16 masks for as many items, got 15"):
        BGAugmentDataset(ITEMS, MASKS[1:], POOL)
    with pytest.raises(TypeError, match=r"dataset: expected items \(image, label, ...\), got ndarray"):
        BGAugmentDataset([ITEMS[0][0]], MASKS[:1], POOL)[0]
    with pytest.raises(ValueError, match="mask: expected"):
        BGAugmentDataset(ITEMS, [np.zeros((3, 4))] * 16, POOL)[0]
