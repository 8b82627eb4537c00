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


def test_epochs_differ_and_runs_are_equal_with_any_workers():
    single = epochs(0)
    assert single == epochs(0)
    assert single == epochs(2)
    assert single == epochs(2, persistent=True)
    assert len({tuple(epoch) for epoch in single}) == 3
    assert len(set(single[0])) > 8
    assert single != epochs(0, seed=1)


@pytest.mark.slow
def test_spawned_workers_draw_the_same():
    assert epochs(2, 2, persistent=True, multiprocessing_context="spawn") == epochs(0, 2)


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
