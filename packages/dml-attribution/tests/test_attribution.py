import pytest
import torch
import torch.nn.functional as F
from dml_attribution import LOSS_DISTANCES, EmbeddingAttribution, postprocess
from torch import nn

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
BLACK = -torch.tensor(IMAGENET["mean"]) / torch.tensor(IMAGENET["std"])


def reference_distance(name, a, b):
    a, b = F.normalize(a), F.normalize(b)
    return {
        "euclidean": lambda: (a - b).norm(dim=1),
        "sqeuclidean": lambda: (a - b).norm(dim=1) ** 2,
        "cosine": lambda: 1 - F.cosine_similarity(a, b),
        "dot": lambda: -(a * b).sum(1),
        "snr": lambda: (a - b).var(1) / a.var(1),
    }[name]()


def slow_gradients(net, images, name, n_samples, seed):
    """One image, one sample at a time, with ordinary backward passes."""
    net = net.eval()
    base = net(BLACK.reshape(1, 3, 1, 1).expand(1, *images.shape[1:])).detach()
    result = []
    for image in images:
        generator = torch.Generator().manual_seed(seed)
        sigma = 0.15 * (image.max() - image.min())
        samples = []
        for _ in range(n_samples):
            noisy = (image + sigma * torch.randn(image.shape, generator=generator))[None].requires_grad_()
            reference_distance(name, net(noisy), base).sum().backward()
            samples.append(noisy.grad[0])
        result.append(torch.stack(samples))
    return torch.stack(result)  # (n, samples, c, h, w)


def slow_scale(maps):
    import numpy as np

    result = []
    for g in maps.detach().numpy():
        low, high = g.min(), np.percentile(g, 99)
        result.append(np.clip((g - low) / (high - low), 0, 1))
    return torch.tensor(np.stack(result))


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cosine", "dot", "snr"])
def test_gradients_and_maps_equal_a_double_loop(make_net, images, name):
    samples = slow_gradients(make_net(), images, name, n_samples=5, seed=3)
    attribution = EmbeddingAttribution(make_net(), distance=name, **IMAGENET)
    sampling = {"n_samples": 5, "batch_size": 3}

    def seeded():
        return torch.Generator().manual_seed(3)

    gradients = attribution.gradients(images, generator=seeded(), **sampling)
    torch.testing.assert_close(gradients, samples.mean(1), rtol=1e-4, atol=1e-6)
    text = slow_scale(samples.mean(1).abs().mean(1))
    torch.testing.assert_close(attribution.attribute(images, generator=seeded(), **sampling), text, rtol=0, atol=1e-4)
    first = slow_scale(samples.mean(2).abs().mean(1))
    maps = attribution.attribute(images, order="channel_first", generator=seeded(), **sampling)
    torch.testing.assert_close(maps, first, rtol=0, atol=1e-4)


def test_cosine_and_squared_euclidean_give_the_same_maps(make_net, images):
    one, other = (
        EmbeddingAttribution(make_net(), distance=d, **IMAGENET).attribute(images, n_samples=3)
        for d in ("cosine", "sqeuclidean")
    )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_every_loss_of_the_table_has_a_distance(make_net, images):
    assert len(LOSS_DISTANCES) == 14
    for distance in LOSS_DISTANCES.values():
        assert EmbeddingAttribution(make_net(), distance=distance, **IMAGENET).attribute(images, n_samples=1).max() == 1


@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_a_batch_equals_single_calls(make_net, batch_size):
    images = torch.randn(32, 3, 16, 16)
    attribution = EmbeddingAttribution(make_net(), **IMAGENET)
    generator = torch.Generator().manual_seed(5)
    batch = attribution.attribute(images, n_samples=4, batch_size=batch_size, generator=generator)
    single = [attribution.attribute(image[None], n_samples=4, generator=generator) for image in images]
    torch.testing.assert_close(batch, torch.cat(single), rtol=0, atol=1e-5)


def test_noise_is_paired_between_models_and_changes_with_the_seed(images):
    seen = []

    class Spy(nn.Module):
        def forward(self, x):
            seen.append(x.detach().clone())
            return x.mean((2, 3))

    for seed, batch_size in ((1, 2), (1, 8), (2, 8)):
        generator = torch.Generator().manual_seed(seed)
        EmbeddingAttribution(Spy(), **IMAGENET).gradients(
            images, n_samples=4, batch_size=batch_size, generator=generator
        )
    first, second, third = torch.cat(seen[1:9]), torch.cat(seen[10:12]), torch.cat(seen[13:15])
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    noise = first[0] - images[0]
    assert float(noise.std()) == pytest.approx(0.15 * float(images[0].max() - images[0].min()), rel=0.1)


def test_black_is_black_before_the_normalisation(make_net, images):
    pytest.importorskip("PIL")
    import numpy as np

    def transform(picture):
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255
        return (pixels - torch.tensor(IMAGENET["mean"])[:, None, None]) / torch.tensor(IMAGENET["std"])[:, None, None]

    black = BLACK[:, None, None].expand(images.shape[1:])
    expected = EmbeddingAttribution(make_net(), baseline=black).attribute(images, n_samples=2)
    for options in (IMAGENET, {"transform": transform}, {"baseline": lambda x: black}):
        attribution = EmbeddingAttribution(make_net(), **options)
        assert torch.equal(attribution.baselines(images)[0], black)
        assert torch.equal(attribution.attribute(images, n_samples=2), expected)
    with pytest.raises(ValueError, match=r"baseline: expected mean= and std= .* got mean=None, std=None"):
        EmbeddingAttribution(make_net())


def test_distance_zero_gives_zeros(make_net, images):
    attribution = EmbeddingAttribution(make_net(), **IMAGENET)
    images[1] = BLACK[:, None, None]
    for noise in (0.0, 0.15):
        maps = attribution.attribute(images, n_samples=3, noise=noise)
        assert torch.equal(maps[1], torch.zeros(16, 20))
        assert maps[0].max() == 1
    constant = EmbeddingAttribution(lambda x: x.sum((2, 3)) * 0, **IMAGENET)
    assert not constant.attribute(images, n_samples=2).any()
    assert not EmbeddingAttribution(make_net(), reference=images).attribute(images, n_samples=2).any()


def test_constant_and_sparse_maps():
    gradients = torch.full((2, 3, 20, 20), 2.0)
    gradients[1, :, 4, 4] = -5.0
    maps = postprocess(gradients)
    assert not maps[0].any()
    assert maps[1].sum() == maps[1, 4, 4] == 1


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was(make_net, images, fails):
    net = make_net()
    net.body[1].eval()
    net.body[0].weight.requires_grad_(False)
    net.body[8].bias.grad = torch.ones(8)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [p.requires_grad for p in net.parameters()], [m.training for m in net.modules()]
    images.requires_grad_()
    calls = []

    def output(embeddings):
        calls.append(1)
        if fails and len(calls) == 3:
            raise RuntimeError("in the middle")
        return embeddings

    attribution = EmbeddingAttribution(net, output=output, **IMAGENET)
    if fails:
        with pytest.raises(RuntimeError, match="in the middle"):
            attribution.attribute(images)
    else:
        with torch.inference_mode():
            attribution.attribute(images, n_samples=2)
    assert flags == ([p.requires_grad for p in net.parameters()], [m.training for m in net.modules()])
    assert [p.grad is None for p in net.parameters()] == [True] * 7 + [False]
    assert torch.equal(net.body[8].bias.grad, torch.ones(8))
    assert images.grad is None
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.is_grad_enabled()


def test_a_bound_method_freezes_its_module(make_net, images):
    net = make_net()
    modes = []
    net.encode_image = None
    hook = net.body.register_forward_hook(lambda module, inputs, output: modes.append(module.training))
    EmbeddingAttribution(net.forward, **IMAGENET).attribute(images, n_samples=1)
    hook.remove()
    assert modes
    assert not any(modes)
    assert net.training


def test_outputs_in_tuples_mappings_and_objects(make_net, images):
    from types import SimpleNamespace

    net = make_net().eval()
    expected = EmbeddingAttribution(net, **IMAGENET).attribute(images, n_samples=2)
    cases = [
        (lambda x: (net(x), x), None),
        (lambda x: [x, net(x)], 1),
        (lambda x: {"embeds": net(x)}, "embeds"),
        (lambda x: SimpleNamespace(embeds=net(x)), "embeds"),
        (lambda x: {"a": {"b": net(x)}}, lambda result: result["a"]["b"]),
    ]
    for forward, output in cases:
        attribution = EmbeddingAttribution(forward, output=output, **IMAGENET)
        assert torch.equal(attribution.attribute(images, n_samples=2), expected)
    with pytest.raises(TypeError, match=r"output: expected the key.* out of \['embeds'\], got dict"):
        EmbeddingAttribution(lambda x: {"embeds": net(x)}, **IMAGENET).attribute(images)


def test_half_precision_and_autocast(make_net, images):
    full = EmbeddingAttribution(make_net(), **IMAGENET).attribute(images, n_samples=8)
    half = EmbeddingAttribution(make_net().bfloat16(), **IMAGENET).attribute(images.bfloat16(), n_samples=8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = EmbeddingAttribution(make_net(), **IMAGENET).attribute(images, n_samples=8)
    assert (half.dtype, cast.dtype) == (torch.bfloat16, torch.float32)
    for maps in (half.float(), cast):
        assert torch.corrcoef(torch.stack([maps.flatten(), full.flatten()]))[0, 1] > 0.98


def test_nothing_is_float64(make_net, images):
    from torch.utils._python_dispatch import TorchDispatchMode

    class No64(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            assert not (isinstance(result, torch.Tensor) and result.dtype == torch.float64), function
            return result

    with No64():
        EmbeddingAttribution(make_net(), **IMAGENET).attribute(images, n_samples=2)


def test_pair_and_triplet(make_net, images):
    net = make_net()
    a, b = images[:2], images[2:]
    first, second = EmbeddingAttribution(net, **IMAGENET).pair(a, b, n_samples=3)
    assert torch.equal(first, EmbeddingAttribution(net, reference=b).attribute(a, n_samples=3))
    assert torch.equal(second, EmbeddingAttribution(net, reference=a).attribute(b, n_samples=3))

    negative = images.flip(0)[:2]
    maps = EmbeddingAttribution(net, distance="snr", **IMAGENET).triplet(a, b, negative, noise=0.0)
    net.eval()
    inputs = [x.clone().requires_grad_() for x in (a, b, negative)]
    x, p, n = (F.normalize(net(image)) for image in inputs)
    loss = ((x - p).var(1) - (x - n).var(1)) / x.var(1)
    for actual, gradient in zip(maps, torch.autograd.grad(loss.sum(), inputs)):
        torch.testing.assert_close(actual, slow_scale(gradient.abs().mean(1)), rtol=0, atol=1e-4)


def test_integrated_gradients_are_complete(make_net, images):
    attribution = EmbeddingAttribution(make_net(), distance="sqeuclidean", **IMAGENET)
    values = attribution.integrated_gradients(images, n_steps=200, batch_size=3)
    torch.testing.assert_close(values.sum((1, 2, 3)), attribution.distances(images), rtol=0.03, atol=1e-3)
    assert not attribution.integrated_gradients(attribution.baselines(images)).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "n_samples: expected a whole number of at least 1, got 0"),
        ({"noise": -0.1}, "noise: expected a share"),
        ({"noise": float("nan")}, "noise: expected a share"),
        ({"batch_size": 0}, "batch_size: expected a whole number of at least 1, got 0"),
        ({"order": "last"}, "order: expected 'text' or 'channel_first', got 'last'"),
    ],
)
def test_bad_options(make_net, images, options, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingAttribution(make_net(), **IMAGENET).attribute(images, **options)


def test_bad_images(make_net, images):
    attribute = EmbeddingAttribution(make_net(), **IMAGENET).attribute
    with pytest.raises(TypeError, match=r"inputs: expected a tensor, got ndarray"):
        attribute(images.numpy())
    with pytest.raises(ValueError, match=r"inputs: expected a batch .* got inputs \(3, 16, 20\)"):
        attribute(images[0])
    with pytest.raises(ValueError, match="inputs: expected a batch"):
        attribute(images[:0])
    with pytest.raises(ValueError, match=r"inputs: expected images .* got torch.uint8"):
        attribute(images.byte())
    images[0, 0, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="inputs: expected finite values, got NaN or infinity"):
        attribute(images)


def test_bad_models(make_net, images):
    net = make_net()

    def attribute(forward, **options):
        return EmbeddingAttribution(forward, **(options or IMAGENET)).attribute(images, n_samples=2)

    path = "forward_func: expected a gradient path"
    with pytest.raises(ValueError, match=path):
        attribute(torch.no_grad()(net.forward))
    with pytest.raises(ValueError, match=path):
        attribute(lambda x: net(x.detach()))
    with pytest.raises(ValueError, match=path):
        attribute(lambda x: nn.Parameter(torch.ones(len(x), 2)) * 2)
    with pytest.raises(ValueError, match=r"forward_func: expected floating-point embeddings.* got torch.int64"):
        attribute(lambda x: net(x).argmax(1, keepdim=True))
    for output in ("pooler_output", 5):
        with pytest.raises(ValueError, match=rf"output: expected what the model's Tensor has, got {output!r}"):
            attribute(net, output=output, **IMAGENET)
    with pytest.raises(ValueError, match=r"forward_func: expected embeddings \(n, d\).* output \(1, 3, 16, 20\)"):
        attribute(lambda x: x)
    with pytest.raises(ValueError, match="forward_func: expected finite embeddings"):
        attribute(lambda x: net(x) * float("inf"))
    with pytest.raises(ValueError, match=r"distance: expected one of .* got 'manhattan'"):
        attribute(net, distance="manhattan", **IMAGENET)
    with pytest.raises(ValueError, match=r"distance: expected one value per pair of rows"):
        attribute(net, distance=lambda a, b: a @ b.T, **IMAGENET)
    with pytest.raises(ValueError, match=r"baseline: expected the shape of one input, got inputs \(4, 3, 16, 20\)"):
        attribute(net, baseline=torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match=r"reference: expected the shape of one input or one image per input"):
        attribute(net, reference=images[:3])
    with pytest.raises(ValueError, match="mean: expected one number per channel"):
        attribute(net, mean=[0.5, 0.5], std=[1.0, 1.0])
    with pytest.raises(ValueError, match="std: expected positive numbers, got 0"):
        attribute(net, mean=0.5, std=0)


def test_unnormalised_embeddings(make_net, images):
    """The length of an embedding matters only where it is asked for."""
    net = make_net().eval()
    gradients = {
        (normalize, factor): EmbeddingAttribution(
            lambda x, factor=factor: net(x) * factor, normalize_embeddings=normalize, **IMAGENET
        ).gradients(images, n_samples=2)
        for normalize in (True, False)
        for factor in (1.0, 100.0)
    }
    torch.testing.assert_close(gradients[True, 1.0], gradients[True, 100.0], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(gradients[False, 1.0] * 100, gradients[False, 100.0], rtol=1e-3, atol=1e-5)


def spied(forward):
    """Return the model and the list of the inputs it is given."""
    seen = []

    def model(x):
        seen.append(x)
        return forward(x)

    return model, seen


def is_channels_last(x):
    return x.is_contiguous(memory_format=torch.channels_last)


def test_models_run_in_the_faster_memory_format(make_net, images):
    model, seen = spied(make_net().eval())
    attribution = EmbeddingAttribution(model, **IMAGENET)
    gradients = attribution.gradients(images, n_samples=3)
    assert [is_channels_last(x) for x in seen] == [False, True, True, True]  # black, and three passes
    assert gradients.is_contiguous()
    same = attribution.gradients(images.contiguous(memory_format=torch.channels_last), n_samples=3)
    assert torch.equal(same, gradients)

    # In float64 it would be slower.
    model, seen = spied(make_net().eval().double())
    double = EmbeddingAttribution(model, **IMAGENET).gradients(images.double(), n_samples=3)
    assert all(x.is_contiguous() for x in seen)
    assert double.dtype == torch.float64


def test_a_model_that_refuses_the_faster_memory_format_gets_the_other(make_net, images):
    net = make_net().eval()

    def flat(x):
        maps = net.body[:6](x)
        return net.body[7:](maps.view(len(x), -1))

    gradients = EmbeddingAttribution(lambda x: net.body[7:](net.body[:6](x).flatten(1)), **IMAGENET).gradients
    model, seen = spied(flat)
    refused = EmbeddingAttribution(model, **IMAGENET).gradients(images, n_samples=3)
    assert [is_channels_last(x) for x in seen[1:]] == [True, False, False, False]  # tried once
    torch.testing.assert_close(refused, gradients(images, n_samples=3), rtol=1e-4, atol=1e-6)


def test_a_model_may_view_its_input(images):
    attribution = EmbeddingAttribution(lambda x: x.view(len(x), -1), **IMAGENET)
    assert attribution.attribute(images, n_samples=2).amax((1, 2)).tolist() == [1, 1, 1, 1]
    maps = attribution.pair(images, images[:1], n_samples=2)
    assert [m.shape for m in maps] == [(4, 16, 20)] * 2
    assert attribution.integrated_gradients(images, n_steps=2).shape == images.shape


@pytest.mark.parametrize(("call", "calls"), [(2, 3), (3, 3)])  # in the first pass it may be the memory format
def test_a_models_own_error_is_not_hidden(make_net, images, call, calls):
    net = make_net().eval()

    def fails(x):
        if len(seen) >= call:
            raise RuntimeError("no such layer")
        return net(x)

    model, seen = spied(fails)
    with pytest.raises(RuntimeError, match="no such layer") as error:
        EmbeddingAttribution(model, **IMAGENET).attribute(images)
    assert len(seen) == calls
    assert error.value.__context__ is None
