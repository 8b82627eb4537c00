"""Put one image in front of another with albumentations, as often as each line of standard input says.

`bench.py` runs this in an environment of its own: python albumentations_overlay.py ARRAYS.npz
"""

import sys

import albumentations
import cv2
import numpy as np

cv2.setNumThreads(1)
arrays = np.load(sys.argv[1])
overlay = albumentations.OverlayElements(p=1)
element = {"image": arrays["image"], "mask": arrays["mask"], "bbox": [0, 0, 1, 1]}
result = overlay(image=arrays["background"], overlay_metadata=element)["image"]
# Its mask is all or nothing; what is all or nothing in ours comes out alike.
sure = np.isin(arrays["mask"], (0, 255))
expected = np.where(arrays["mask"][..., None] == 255, arrays["image"], arrays["background"])
np.testing.assert_array_equal(result[sure], expected[sure])
print(albumentations.__version__, flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        overlay(image=arrays["background"], overlay_metadata=element)
    print(flush=True)
