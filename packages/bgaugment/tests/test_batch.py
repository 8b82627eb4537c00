import pytest
import torch
from bgaugment import BatchBackgroundReplacement, InBatchPool, ProceduralPool, TensorPool
from bgaugment.functional import remove_foreground, replace_background


def batch(n=8):
    images = torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 3, 6, 6).clone()
    masks = torch.zeros(n, 6, 6, dtype=torch.bool)
    masks[:, 2:4, 2:4] = True
    images[masks[:, None].expand_as(images)] = 200
    return images, masks


def test_each_image_gets_its_own_draw():
    images, masks = batch(64)
    pool = TensorPool(torch.arange(100, 150, dtype=torch.uint8)[:, None, None, None].expand(50, 3, 6, 6))
    replace = BatchBackgroundReplacement(pool)
    drawn = replace(images, masks, generator=torch.Generator().manual_seed(0))
    values = drawn[:, 0, 0, 0]
    assert len(values.unique()) > 20
    assert ((values >= 100) & (values < 150)).all()
    assert torch.equal(
        drawn, replace_background(images, masks, values[:, None, None, None].expand_as(images).contiguous())
    )
    assert torch.equal(drawn, replace(images, masks[:, None], generator=torch.Generator().manual_seed(0)))
    assert not torch.equal(drawn, replace(images, masks, generator=torch.Generator().manual_seed(1)))


def test_floats_sizes_and_shares():
    images, masks = batch(400)
    replace = BatchBackgroundReplacement(ProceduralPool(20, kinds=["solid"]).tensor((9, 9)), p=0.25)
    result = replace(images / 255, masks, generator=torch.Generator().manual_seed(0))
    unchanged = (result == images / 255).flatten(1).all(1)
    assert result.dtype == torch.float32
    assert 0.68 < unchanged.float().mean() < 0.82
    assert result.max() <= 1
    assert "20 backgrounds, p=0.25" in repr(replace)


@pytest.mark.parametrize("relation", ["any", "same", "other"])
def test_backgrounds_of_the_batch(relation):
    images, masks = batch(6)
    labels = torch.tensor([0, 0, 0, 1, 1, 2])
    replace = BatchBackgroundReplacement(InBatchPool(relation))
    seen = [set() for _ in range(6)]
    for seed in range(60):
        result = replace(images, masks, labels, generator=torch.Generator().manual_seed(seed))
        assert (result[masks[:, None].expand_as(result)] == 200).all()
        for i in range(6):
            seen[i].add(int(result[i, 0, 0, 0]))
    for i in range(6):
        partners = {
            j for j in range(6)
            if j != i and (relation == "any" or (labels[i] == labels[j]) == (relation == "same"))
        }  # fmt: skip
        assert seen[i] == (partners or {i})


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
@pytest.mark.parametrize("pool", ["tensor", "batch"])
def test_it_compiles_whole(backend, pool):
    images, masks = batch(4)
    if pool == "tensor":
        backgrounds = torch.full((1, 3, 6, 6), 9, dtype=torch.uint8)
        compiled = torch.compile(BatchBackgroundReplacement(TensorPool(backgrounds)), fullgraph=True, backend=backend)
        expected = [replace_background(images, masks, backgrounds)]
    else:  # of two images each gets the background of the other
        images, masks = images[:2], masks[:2]
        compiled = torch.compile(BatchBackgroundReplacement(InBatchPool()), fullgraph=True, backend=backend)
        expected = [replace_background(images, masks, remove_foreground(images, masks).flip(0))]
    assert torch.equal(compiled(images, masks), expected[0])


def test_backgrounds_move_with_the_module_and_stay_out_of_checkpoints():
    replace = BatchBackgroundReplacement(TensorPool(torch.zeros(2, 3, 4, 4)))
    assert replace.to("meta").backgrounds.device.type == "meta"
    assert replace.state_dict() == {}


def test_bad_input_is_named():
    images, masks = batch(4)
    with pytest.raises(
        TypeError, match=r"pool: expected a TensorPool \(pool.tensor\(size\) makes one\).* got ProceduralPool"
    ):
        BatchBackgroundReplacement(ProceduralPool())
    with pytest.raises(ValueError, match="relation: expected one of"):
        InBatchPool("none")
    with pytest.raises(ValueError, match="p: expected a probability"):
        BatchBackgroundReplacement(InBatchPool(), p=-1)
    with pytest.raises(ValueError, match=r"labels: expected \(4,\) classes for relation 'same', got none"):
        BatchBackgroundReplacement(InBatchPool("same"))(images, masks)
    with pytest.raises(ValueError, match=r"masks: expected \(n, h, w\) for \(n, c, h, w\) images"):
        BatchBackgroundReplacement(InBatchPool())(images, masks[:2])
