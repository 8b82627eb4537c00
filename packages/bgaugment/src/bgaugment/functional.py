"""Pure functions: the composite, its inverse on backgrounds, and scores of masks and embeddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ._arguments import check_size
from ._composite import composite_array, composite_planes, composite_tensor
from ._core import shape_error, type_error, value_error
from ._images import Array, Image, dense, is_pil, like, pillow, to_tensor
from ._map_at_r import map_at_r
from ._mask import check_batch, check_feather, feathered, mask_array, mask_tensor, mask_values
from ._mask_scores import iou, overlap

__all__ = ["cover_crop", "iou", "map_at_r", "overlap", "remove_foreground", "replace_background"]

ImageT = TypeVar("ImageT", bound=Image)


def replace_background(image: ImageT, mask: Image, background: Image, *, feather: float = 0.0) -> ImageT:
    r"""Put the foreground of an image in front of another background.

    .. math:: I'_{:,:,c} = M \cdot I_{:,:,c} + (1 - M) \cdot B_{:,:,c}

    The result is the same for arrays, PIL images and tensors. Where the mask is 1 it equals ``image`` bit by bit,
    also when feathered. Integer results are rounded, halves to the even number.

    Args:
        image: ``(h, w, c)`` or ``(h, w)`` array, PIL image (L or RGB), or ``(c, h, w)`` or ``(n, c, h, w)`` tensor
            of any dtype and device; raw and normalised pixels are alike.
        mask: 1 on the foreground: bool, 8-bit 0..255, or anything else in [0, 1]. ``(h, w)`` or ``(h, w, 1)`` for an
            array or PIL image, ``(h, w)``, ``(1, h, w)``, ``(n, h, w)`` or ``(n, 1, h, w)`` for a tensor. On a device
            other than a CPU its values are not checked, nor those of the result.
        background: of the same kind, dtype and number of channels; where its size differs it is resized to cover the
            image and cut to its centre. One background serves a whole batch when it has no batch axis.
        feather: standard deviation in pixels of a Gaussian by which the mask fades out beyond its edge.

    Returns:
        A new image of the kind, shape, dtype and device of ``image``.

    Raises:
        TypeError: the three are of different kinds, or their dtypes differ.
        ValueError: shapes do not fit, mask values leave [0, 1], or the result is not finite.

    Example:
        >>> image = np.full((1, 3, 3), 200, np.uint8)
        >>> background = np.full((1, 3, 3), 100, np.uint8)
        >>> replace_background(image, np.array([[1.0, 0.25, 0.0]]), background)[0, :, 0]
        array([200, 125, 100], dtype=uint8)

    Reference:
        Chapter 11, Eq. 11.1; Kobs and Hotho, "On background bias in deep metric learning" (ICMV 2022).
    """
    check_feather(feather)
    if isinstance(image, Tensor):
        return _replace_tensor(image, mask, background, feather)  # type: ignore[return-value]
    if is_pil(image):
        return _replace_pil(image, mask, background, feather)  # type: ignore[no-any-return]
    if isinstance(image, np.ndarray):
        return _replace_array(image, mask, background, feather)  # type: ignore[return-value]
    raise type_error("image", "a numpy array, a PIL image or a tensor", image)


def _replace_pil(image: Any, mask: Image, background: Image, feather: float) -> Any:
    if image.mode not in ("L", "RGB"):
        raise value_error("image", "a PIL image of mode L or RGB (call image.convert)", image.mode)
    if isinstance(background, Tensor):
        raise type_error("background", "a PIL image or array, because image is a PIL image", background)
    shape = (image.height, image.width) if image.mode == "L" else (image.height, image.width, 3)
    weight, others = _fitted(shape, np.dtype(np.uint8), mask, like(background, image), feather)
    if weight.dtype != np.uint8 or not weight.size:
        mixed = composite_array(np.asarray(image).reshape(others.shape), weight, others)
        return _pil(image.mode, mixed)
    # Pillow rounds alike, and its own call saves two conversions; without a colour it fills nothing.
    made = pillow().new(image.mode, image.size, None)
    made.frombytes(np.ascontiguousarray(others))
    made.paste(image, (0, 0), _pil("L", weight))
    return made


def _pil(mode: str, array: Array) -> Any:
    return pillow().frombuffer(mode, array.shape[1::-1], np.ascontiguousarray(array), "raw", mode, 0, 1)


def _replace_array(image: Array, mask: Image, background: Image, feather: float) -> Array:
    weight, others = _fitted(image.shape, image.dtype, mask, background, feather)
    result = composite_array(image.reshape(others.shape), weight, others).reshape(image.shape)
    if result.dtype.kind == "f":
        _check_finite(bool(np.isfinite(result).all()))
    return result


def _fitted(
    shape: tuple[int, ...], dtype: np.dtype[Any], mask: Image, background: Image, feather: float
) -> tuple[Array, Array]:
    """Return the mask ``(h, w)`` and the background ``(h, w, c)`` for an image of a shape and dtype."""
    if isinstance(mask, Tensor) or not isinstance(background, np.ndarray):
        given = mask if isinstance(mask, Tensor) else background
        raise type_error("mask, background", "numpy arrays, because image is one", given)
    if dtype != background.dtype:
        raise TypeError(f"background: expected the dtype of image, {dtype}, got {background.dtype}")
    weight = mask_array(mask)
    shapes = {"image": shape, "mask": weight.shape, "background": background.shape}
    full, others = (*shape, 1) if len(shape) == 2 else shape, background
    others = others[..., None] if others.ndim == 2 else others
    weight = weight[..., 0] if weight.ndim == 3 and weight.shape[2] == 1 else weight
    if len(full) != 3 or weight.shape != full[:2]:
        raise shape_error("mask", "(h, w) of an (h, w, c) image", shapes)
    if others.ndim != 3 or others.shape[2] != full[2]:
        raise shape_error("background", "(height, width, c) with the channels of image", shapes)
    if others.shape != full:
        covering = cover_crop(to_tensor(others).movedim(-1, 0), (full[0], full[1]))
        others = np.ascontiguousarray(covering.movedim(0, -1).numpy())
    if feather:
        weight = feathered(to_tensor(weight)[None], feather)[0].numpy()
    return weight, others


def _replace_tensor(image: Tensor, mask: Image, background: Image, feather: float) -> Tensor:
    if not isinstance(mask, Tensor):
        raise type_error("mask", "a tensor, because image is one", mask)
    if not isinstance(background, Tensor):
        raise type_error("background", "a tensor, because image is one", background)
    if image.dtype != background.dtype:
        raise TypeError(f"background: expected the dtype of image, {image.dtype}, got {background.dtype}")
    front, its, behind = dense("image", image), dense("mask", mask), dense("background", background)
    # Which pixels are soft depends on the data: fine on a CPU, a synchronisation elsewhere, impossible when compiled.
    if front.dtype == torch.uint8 and front.is_cpu and its.is_cpu and not torch.compiler.is_compiling():
        # numpy sees the same memory, and each of its calls costs less.
        pixels, weight, others = front.numpy(), mask_values(its), behind.numpy()
        _check_shapes(pixels.shape, weight.shape, others.shape)
        if others.shape[-2:] != pixels.shape[-2:]:
            others = cover_crop(behind, pixels.shape[-2:]).numpy()
        if feather:
            weight = feathered(torch.from_numpy(weight).reshape(-1, *pixels.shape[-2:]), feather).numpy()
        result = torch.from_numpy(composite_planes(pixels, weight, others))
    else:
        result = _replace_anywhere(front, mask_tensor(its), behind, feather)
    return result if type(image) is Tensor else result.as_subclass(type(image))


def _replace_anywhere(image: Tensor, mask: Tensor, background: Tensor, feather: float) -> Tensor:
    """Replace the background by operations of torch alone."""
    _check_shapes(image.shape, mask.shape, background.shape)
    size = image.shape[-2:]
    if background.shape[-2:] != size:
        background = cover_crop(background, (size[0], size[1]))
    if feather:
        mask = feathered(mask.reshape(-1, *size), feather)
    background = background if background.ndim <= image.ndim else background[0]
    result = composite_tensor(image, mask.reshape(*image.shape[:-3], 1, *size), background)
    if result.dtype.is_floating_point and result.is_cpu and not torch.compiler.is_compiling():
        _check_finite(bool(result.isfinite().all()))
    return result


def _check_finite(finite: bool) -> None:
    if not finite:
        raise value_error("image, background", "finite values", "NaN or infinity")


def _check_shapes(image: Sequence[int], mask: Sequence[int], background: Sequence[int]) -> None:
    shapes = {"image": image, "mask": mask, "background": background}
    if len(image) not in (3, 4):
        raise shape_error("image", "(c, h, w) or (n, c, h, w)", shapes)
    if mask[-2:] != image[-2:] or math.prod(mask) * image[-3] != math.prod(image):
        raise shape_error("mask", "(h, w) for each image", shapes)
    if background[-3:-2] != image[-3:-2] or background[:-3] not in ((), (1,), image[:-3]):
        raise shape_error("background", "(c, height, width), one or one per image", shapes)


def cover_crop(background: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a background, its aspect kept, to the smallest that covers ``size`` and cut out the centre.

    Args:
        background: ``(..., c, height, width)`` of any dtype.
        size: height and width wanted.

    Returns:
        ``(..., c, *size)`` of the same dtype and device; bilinear with anti-aliasing.

    Raises:
        ValueError: there is no pixel, or ``size`` asks for none.

    Example:
        >>> cover_crop(torch.zeros(3, 20, 80), (10, 10)).shape
        torch.Size([3, 10, 10])
    """
    check_size(size)
    background = dense("background", background)
    if background.ndim < 3 or 0 in background.shape[-3:]:
        raise shape_error(
            "background", "(..., c, height, width) of at least one pixel", {"background": background.shape}
        )
    height, width = background.shape[-2:]
    scale = max(size[0] / height, size[1] / width)
    covering = max(size[0], round(height * scale)), max(size[1], round(width * scale))
    top, left = (covering[0] - size[0]) // 2, (covering[1] - size[1]) // 2
    if covering != (height, width):
        # 8-bit resizing differs between devices by a grey level, floating point does not.
        pixels = background.reshape(-1, *background.shape[-3:]).to(torch.promote_types(background.dtype, torch.float32))
        resized = interpolate(pixels, covering, mode="bilinear", antialias=True)
        resized = resized if background.dtype.is_floating_point else resized.round()
        background = resized.to(background.dtype).reshape(*background.shape[:-2], *covering)
    return background[..., top : top + size[0], left : left + size[1]]


def remove_foreground(images: Tensor, masks: Tensor) -> Tensor:
    """Fill the foreground smoothly with the colours around it, so that only the background is left.

    Each pixel takes what its mask hides from the next coarser level of an image pyramid of the background alone.
    An image that is all foreground becomes 0.

    Args:
        images: ``(n, c, h, w)`` of any dtype.
        masks: ``(n, h, w)`` or ``(n, 1, h, w)`` of 1 on the foreground: bool, 8-bit 0..255, or in [0, 1].

    Returns:
        ``(n, c, h, w)`` of the dtype of ``images``.

    Raises:
        ValueError: shapes do not fit or mask values leave [0, 1].

    Example:
        >>> image = torch.tensor([[[[10, 10, 200, 10]]]], dtype=torch.uint8)
        >>> remove_foreground(image, image == 200)
        tensor([[[[10, 10, 10, 10]]]], dtype=torch.uint8)

    Reference:
        Serves the mixed-same and mixed-rand backgrounds of Xiao et al., "Noise or signal" (2021), who tile instead.
    """
    check_batch(images, masks)
    weight = mask_tensor(masks).reshape(len(images), 1, *images.shape[2:])
    shown = 1 - (weight / 255 if weight.dtype == torch.uint8 else weight)
    filled = _fill(images * shown, shown)
    return (filled if images.dtype.is_floating_point else filled.round()).to(images.dtype)


def _fill(colour: Tensor, shown: Tensor) -> Tensor:
    if shown.shape[-2:] == (1, 1):
        return colour / shown.clamp_min(1e-6)
    coarser = _fill(avg_pool2d(colour, 2, ceil_mode=True), avg_pool2d(shown, 2, ceil_mode=True))
    around = interpolate(coarser, shown.shape[-2:], mode="bilinear", align_corners=False)
    return colour + (1 - shown) * around
