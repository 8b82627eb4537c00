"""Pollution that a known rule plants on random tiles, networks that learn it, and how well probes find the rule."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mapgen
import numpy as np
import torch
from mapgen.maplur import MapLUR, train
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from demo.chapter import step
from demo.data.cache import cached_array

SIZE_PX = 64  # at the thesis' 224 pixels an epoch takes 19 times as long
PX_PER_M = SIZE_PX / 80
NOISE = 1.0
REACH_M = 45.0
BASE = {"industrial": 37.7, "residential": 38.3, "commercial": 38.7, "park": 38.9, "forest": 39.3, "water": 41.7}
STRENGTH = {"trunk": 10.0, "motorway": 6.0}
WIDTHS_M = np.arange(3.0, 31.0, 1.5)
DISTANCES_M = np.arange(0.0, 33.0, 2.0)
# Random roads go beyond the probes on both sides: a network is worst at the ends of what it has seen.
TRAINING_WIDTHS_M = (2.0, 32.0)
TRAINING_DISTANCE_M = 36.0
DIRECTIONS = {"right": (0.0, 1), "left": (0.0, -1), "bottom": (90.0, 1), "top": (90.0, -1)}
RATES = ((3e-3, 4 / 7), (1e-3, 2 / 7), (2e-4, 1 / 7))  # of Adam, and shares of the epochs: fewer than the thesis'
N_TEST = 1000
Array = NDArray[np.float64]
Row = dict[str, float]


def truth(scene: mapgen.Scene) -> float:
    """Return the pollution without noise."""
    value = BASE[scene.land]
    for road in scene.roads:
        distance = abs(road.offset) / PX_PER_M
        value += STRENGTH[road.name] * math.log(road.width_m or 1) * max(0.0, 1 - distance / REACH_M) ** 2
    return value


@dataclass(frozen=True)
class Result:
    """What one seed gave: the network, scores by model, and responses and errors by probe.

    Scores are R², RMSE and the squared errors of the test tiles. Errors are shares of the planted curve's range and of
    its standard deviation.
    """

    model: nn.Module
    scores: dict[str, tuple[float, float, Array]]
    responses: dict[str, mapgen.Response]
    errors: dict[str, tuple[float, float]]


def run_seed(n_scenes: int, epochs: int, seed: int, *, keep: bool) -> Result:
    """Draw tiles, train MapLUR and the baselines, and probe the network."""
    with step(f"seed {seed}: drawing"):
        generator = np.random.default_rng(seed)
        parts = [_examples(n, generator) for n in (n_scenes, max(100, n_scenes // 8), N_TEST)]
    with step(f"seed {seed}: MapLUR"), torch.random.fork_rng():
        torch.manual_seed(seed)
        model = _train(parts[0], parts[1], epochs, seed, keep=keep)
    with step(f"seed {seed}: probes"):
        responses = {name: mapgen.probe(model, sweep, antialias=True) for name, sweep in _sweeps().items()}
        errors = {name: _relative_errors(response) for name, response in responses.items()}
        errors |= {f"{name}, interaction alone": _relative_errors(responses[name], interaction_alone) for name in
                   responses if " x " in name}  # fmt: skip
    with step(f"seed {seed}: baselines"):
        scores = _baselines(parts[0], parts[2], responses, seed)
        scores["MapLUR"] = _score(mapgen.probe(model, as_sweep(parts[2].scenes), antialias=True).output, parts[2].y)
    return Result(model, scores, responses, errors)


@dataclass(frozen=True)
class Examples:
    """Random tiles and their noisy pollution."""

    scenes: list[mapgen.Scene]
    images: NDArray[np.uint8]
    y: Array


def _examples(n: int, generator: np.random.Generator) -> Examples:
    scenes = []
    for _ in range(n):
        scene = _tile(str(generator.choice(list(BASE))))
        road = str(generator.choice(["none", *STRENGTH]))
        if road != "none":
            width, offset = float(generator.uniform(*TRAINING_WIDTHS_M)), TRAINING_DISTANCE_M * PX_PER_M
            offset *= float(generator.uniform()) ** 2  # many roads near the centre, where the truth has its peak
            upright = generator.uniform() < 0.5  # as the probes are: borders between pixels are a rare sight otherwise
            angle = 90.0 * float(generator.integers(4)) if upright else float(generator.uniform(0, 360))
            scene = scene.insert(mapgen.Road(road, width_m=width, angle=angle, offset=offset))
        scenes.append(scene)
    y = np.array([truth(scene) for scene in scenes]) + generator.normal(0, NOISE, n)
    return Examples(scenes, as_sweep(scenes).images(antialias=True), y)


def _tile(land: str) -> mapgen.Scene:
    return mapgen.Scene(size_m=80, size_px=SIZE_PX, land=land)


def as_sweep(scenes: list[mapgen.Scene]) -> mapgen.Sweep:
    """Return tiles as a sweep of their numbers."""
    return mapgen.Sweep(tuple(scenes), {"tile": tuple(range(len(scenes)))})


class _InUnits(nn.Module):
    """A network of standardised targets that answers in their units."""

    def __init__(self, network: nn.Module, mean: float, scale: float) -> None:
        super().__init__()
        self.network, self.mean, self.scale = network, mean, scale

    def forward(self, images: Tensor) -> Tensor:
        """Return estimates, ``(n, 1)``."""
        estimates: Tensor = self.network(images) * self.scale + self.mean
        return estimates


def _train(training: Examples, validation: Examples, epochs: int, seed: int, *, keep: bool) -> nn.Module:
    """Return a trained network; with ``keep`` it is stored, so that a long run goes on where it was interrupted."""
    network, mean, scale = MapLUR(SIZE_PX), training.y.mean(), training.y.std()
    targets, held_out = (training.y - mean) / scale, (validation.y - mean) / scale

    def trained() -> NDArray[np.float32]:
        for number, (rate, share) in enumerate(RATES):
            train(network, training.images, targets, validation.images, held_out, epochs=max(1, round(epochs * share)),
                  batch_size=32, learning_rate=rate, seed=seed + 1000 * number, progress=False)  # fmt: skip
        return torch.cat([values.flatten().float() for values in network.state_dict().values()]).numpy()

    if keep:
        settings = repr((RATES, epochs, seed, SIZE_PX)).encode() + training.images.tobytes() + targets.tobytes()
        name = f"planted_pollution_{seed}_{hashlib.sha256(settings).hexdigest()[:12]}"
        _set_state(network, torch.from_numpy(cached_array(name, trained)))
    else:
        trained()
    return _InUnits(network, float(mean), float(scale)).eval()


def _set_state(network: nn.Module, values: Tensor) -> None:
    state = network.state_dict()
    parts = values.split([tensor.numel() for tensor in state.values()])
    network.load_state_dict({name: part.reshape(state[name].shape) for name, part in zip(state, parts)})


def _sweeps() -> dict[str, mapgen.Sweep]:
    """Return the probes: the land, a width, a distance in four directions, width and distance together."""
    sweeps = {"land": mapgen.sweep(_tile("park"), "land", list(BASE))}
    for road in STRENGTH:
        scene = _tile("park").insert(mapgen.Road(road, width_m=12.0))
        sweeps[f"{road} width"] = mapgen.sweep(scene, "roads[0].width_m", WIDTHS_M.tolist())
        for direction, (angle, sign) in DIRECTIONS.items():
            turned = scene.replace("roads[0].angle", angle)
            offsets = [sign * distance * PX_PER_M for distance in DISTANCES_M]
            scenes = mapgen.sweep(turned, "roads[0].offset", offsets).scenes
            sweeps[f"{road} distance {direction}"] = mapgen.Sweep(scenes, {"distance_m": DISTANCES_M.tolist()})
        both = {"roads[0].width_m": WIDTHS_M[::4].tolist(), "roads[0].offset": (DISTANCES_M[::4] * PX_PER_M).tolist()}
        sweeps[f"{road} width x distance"] = mapgen.grid(scene, both)
    return sweeps


def interaction_alone(surface: Array) -> Array:
    """Return what a table of widths and distances holds beyond the sum of a row's and a column's effect."""
    table = surface.reshape(len(WIDTHS_M[::4]), len(DISTANCES_M[::4]))
    return np.asarray(table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()).ravel()


def planted(response: mapgen.Response) -> Array:
    """Return what a perfect network would answer."""
    return np.array([truth(scene) for scene in response.sweep.scenes])


def _relative_errors(
    response: mapgen.Response, part: Callable[[Array], Array] = lambda curve: curve
) -> tuple[float, float]:
    """Return the root mean square error of a probe over the range and over the standard deviation of the truth."""
    wanted, found = part(planted(response)), part(response.output)
    error = float(np.sqrt(np.square(found - wanted).mean()))
    return error / float(np.ptp(wanted)), error / float(wanted.std())


def _baselines(
    training: Examples, test: Examples, responses: dict[str, mapgen.Response], seed: int
) -> dict[str, tuple[float, float, Array]]:
    """Return the scores of models on ``mapgen.features``, and of linear regression on widths and distances."""
    rows = [[mapgen.features(scene, classes=[*BASE, *STRENGTH]) for scene in part.scenes] for part in (training, test)]
    curves = {
        f"{road} {factor}": mapgen.linearise(responses[f"{road} {probe}"])
        for road in STRENGTH
        for factor, probe in (("width", "width"), ("distance", "distance right"))
    }
    factors = [[_factors(row) for row in part] for part in rows]
    linear = [[_factors(row, curves) for row in part] for part in rows]
    network = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=2000, early_stopping=True, random_state=seed)
    models: dict[str, tuple[Any, list[list[Row]]]] = {
        "mean": (DummyRegressor(), rows),
        "LR": (_scaled(LinearRegression()), rows),
        "LR on width, distance": (_scaled(LinearRegression()), factors),
        "LR on width, distance, linearised": (_scaled(LinearRegression()), linear),
        "LR with products": (_scaled(LinearRegression()), [_with_products(part) for part in factors]),
        "LR with products, linearised": (_scaled(LinearRegression()), [_with_products(part) for part in linear]),
        "RF": (RandomForestRegressor(n_estimators=200, random_state=seed), rows),
        "MLP": (_scaled(network), rows),
    }
    tables = {name: [_matrix(part) for part in parts] for name, (_, parts) in models.items()}
    return {
        name: _score(model.fit(tables[name][0], training.y).predict(tables[name][1]), test.y)
        for name, (model, _) in models.items()
    }


def _factors(row: Row, curves: Mapping[str, Callable[[float], Any]] | None = None) -> Row:
    """Put a road's presence, width and distance (0 without it) in place of its area, length and distance.

    With the presence as a feature of its own, curves that are straight lines change nothing for a linear model: what
    they improve is what they bend.
    """
    changed = dict(row)
    for road in STRENGTH:
        area, length, distance = (changed.pop(f"{road}_{name}") for name in ("area_m2", "length_m", "distance_m"))
        there = length > 0
        changed[f"{road}_there"] = float(there)
        for factor, value in (("width", area / (length or 1)), ("distance", distance)):
            curve = (lambda x: x) if curves is None else curves[f"{road} {factor}"]
            changed[f"{road}_{factor}"] = float(curve(value)) if there else 0.0
    return changed


def _with_products(rows: list[Row]) -> list[Row]:
    """Add the product of each road's width and distance; the thesis has none."""
    return [
        row | {f"{road}_product": row[f"{road}_width"] * row[f"{road}_distance"] for road in STRENGTH} for row in rows
    ]


def _matrix(rows: list[Row]) -> Array:
    return np.array([list(row.values()) for row in rows])


def _scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def _score(estimates: Array, y: Array) -> tuple[float, float, Array]:
    squared = np.square(estimates - y)
    return float(r2_score(y, estimates)), float(np.sqrt(squared.mean())), squared
