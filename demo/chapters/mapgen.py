"""Does a probe find what a model was taught about maps?"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mapgen
import numpy as np
import torch
from mapgen.maplur import MapLUR, train
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from demo.chapter import RESULTS, Chapter, Picture, Settings, Table, markdown_table, step
from demo.data.helsinki import load_helsinki

CODE = """
import mapgen

moved = mapgen.distance_sweep("right")            # a trunk road, 0 to 90 pixels from the centre
response = mapgen.probe(my_model, moved)          # torch, ONNX, scikit-learn or any callable
print(response.pearson, response.best_fit.form)   # and .spearman, .fits, .saturation_point(), .plot()
transform = mapgen.linearise(response)            # for the distance feature of a linear model
"""
THESIS = (
    "MapLUR beat the baselines on London's nitrogen dioxide (R² .673 against .662 for a random forest and .487 for "
    "linear regression, Table 6.1). Generated maps then showed that its estimate rises with a road's width, more "
    "logarithmically than linearly (Figure 6.2), and falls with its distance, closer to a square than to a line, with "
    "Pearson correlations below -.6 (Figure 6.3)."
)
SIZE_PX = 64  # at the thesis' 224 pixels an epoch takes 19 times as long
PX_PER_M = SIZE_PX / 80
NOISE = 1.0
REACH_M = 45.0
BASE = {"industrial": 37.7, "residential": 38.3, "commercial": 38.7, "park": 38.9, "forest": 39.3, "water": 41.7}
STRENGTH = {"trunk": 10.0, "motorway": 6.0}
WIDTHS_M = np.arange(3.0, 31.0, 1.5)
DISTANCES_M = np.arange(0.0, 33.0, 2.0)
DIRECTIONS = {"right": (0.0, 1), "left": (0.0, -1), "bottom": (90.0, 1), "top": (90.0, -1)}
Array = NDArray[np.float64]


def run(settings: Settings) -> Chapter:
    """Plant a truth, train on it, and probe what was learned."""
    n_scenes, epochs, seeds = {"quick": (200, 2, 1), "default": (2000, 8, 1), "full": (8000, 60, 3)}[settings.mode]
    results = [_one_seed(n_scenes, epochs, seed) for seed in range(seeds)]
    with step("Helsinki"):
        tiles, effects = _edit_helsinki(results[0].model, {"quick": 16, "default": 60, "full": 200}[settings.mode])
    if settings.mode == "full":
        _write_csv(results)
    return Chapter(
        title="mapgen: what does a model read from a map?",
        question="A network estimates air pollution from map images. Does changing one thing at a time show its rules?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"Planted truth: {n_scenes:,} random tiles of 80 m ({SIZE_PX} px), six land covers, a trunk road, a "
            "motorway or none, of random width, angle and offset; pollution = land + strength(class) x log(width in m) "
            f"x (1 - distance / {REACH_M:g} m)², plus noise of standard deviation {NOISE:g}. {epochs} epochs of the "
            f"MapLUR architecture built for {SIZE_PX} px, {seeds} seed(s); tests on 500 further tiles. Real maps: the "
            "centre of Helsinki (OpenStreetMap contributors, ODbL), cut into tiles and drawn in the same style."
        ),
        tables=[_performance_table(results), _recovery_table(results), _edit_table(effects)],
        pictures=[_curves(results), _contact_sheet(tiles)],
        findings=_findings(results, effects),
    )


def truth(scene: mapgen.Scene) -> float:
    """Return the pollution without noise."""
    value = BASE[scene.land]
    for road in scene.roads:
        distance = abs(road.offset) / PX_PER_M
        value += STRENGTH[road.name] * math.log(road.width_m or 1) * max(0.0, 1 - distance / REACH_M) ** 2
    return value


@dataclass(frozen=True)
class Result:
    """What one seed gave."""

    model: nn.Module
    scores: dict[str, tuple[float, float]]
    responses: dict[str, mapgen.Response]
    errors: dict[str, float]


def _one_seed(n_scenes: int, epochs: int, seed: int) -> Result:
    with step(f"seed {seed}: drawing"):
        generator = np.random.default_rng(seed)
        parts = [_examples(n, generator) for n in (n_scenes, max(100, n_scenes // 8), 500)]
    with step(f"seed {seed}: MapLUR"), torch.random.fork_rng():
        torch.manual_seed(seed)
        model = _train(parts[0], parts[1], epochs, seed)
    with step(f"seed {seed}: probes"):
        responses = {name: mapgen.probe(model, sweep, antialias=True) for name, sweep in _sweeps().items()}
        errors = {name: _relative_error(response) for name, response in responses.items() if name != "no road"}
    with step(f"seed {seed}: baselines"):
        scores = _baselines(parts[0], parts[2], responses, seed)
        scores["MapLUR"] = _score(mapgen.probe(model, _as_sweep(parts[2].scenes), antialias=True).output, parts[2].y)
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
            width, angle = generator.uniform(WIDTHS_M[0], WIDTHS_M[-1]), float(generator.integers(360))
            offset = generator.uniform(0, DISTANCES_M[-1]) * PX_PER_M
            scene = scene.insert(mapgen.Road(road, width_m=float(width), angle=angle, offset=float(offset)))
        scenes.append(scene)
    y = np.array([truth(scene) for scene in scenes]) + generator.normal(0, NOISE, n)
    return Examples(scenes, _as_sweep(scenes).images(antialias=True), y)


def _tile(land: str) -> mapgen.Scene:
    return mapgen.Scene(size_m=80, size_px=SIZE_PX, land=land)


def _as_sweep(scenes: list[mapgen.Scene]) -> mapgen.Sweep:
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


def _train(training: Examples, validation: Examples, epochs: int, seed: int) -> nn.Module:
    network, mean, scale = MapLUR(SIZE_PX), training.y.mean(), training.y.std()
    targets, held_out = (training.y - mean) / scale, (validation.y - mean) / scale
    first = epochs * 2 // 3
    for rate, share in ((3e-3, first), (5e-4, epochs - first)):  # few epochs: larger steps than the thesis', then less
        train(network, training.images, targets, validation.images, held_out, epochs=share, batch_size=32,
              learning_rate=rate, seed=seed, progress=False)  # fmt: skip
    return _InUnits(network, float(mean), float(scale)).eval()


def _sweeps() -> dict[str, mapgen.Sweep]:
    """Return the probes: a width, a distance in four directions, both together; each on a tile of its own class."""
    sweeps = {"no road": mapgen.Sweep((_tile("park"),), {"land": ("park",)})}
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


def _relative_error(response: mapgen.Response) -> float:
    """Return the error of a probe, as a share of the range of the planted curve."""
    planted = np.array([truth(scene) for scene in response.sweep.scenes])
    return float(np.sqrt(np.square(response.output - planted).mean()) / np.ptp(planted))


def _baselines(
    training: Examples, test: Examples, responses: dict[str, mapgen.Response], seed: int
) -> dict[str, tuple[float, float]]:
    """Return R² and RMSE of the models on hand-made features, raw and linearised."""
    classes = [*BASE, *STRENGTH]
    tables = []
    for part in (training, test):
        rows = [mapgen.features(scene, classes=classes) for scene in part.scenes]
        for row in rows:
            row.update(
                {f"{road}_width_m": row[f"{road}_area_m2"] / (row[f"{road}_length_m"] or 1) for road in STRENGTH}
            )
        tables.append(rows)
    without = float(responses["no road"].output[0])
    raw = [np.array([_design(row) for row in rows]) for rows in tables]
    linear = [np.array([_design(_linearised(row, responses, without)) for row in rows]) for rows in tables]
    network = MLPRegressor(hidden_layer_sizes=(64, 64), max_iter=2000, early_stopping=True, random_state=seed)
    models: dict[str, tuple[Any, list[Array]]] = {
        "mean": (DummyRegressor(), raw),
        "LR": (make_pipeline(StandardScaler(), LinearRegression()), raw),
        "LR, linearised": (make_pipeline(StandardScaler(), LinearRegression()), linear),
        "RF": (RandomForestRegressor(n_estimators=200, random_state=seed), raw),
        "MLP": (make_pipeline(StandardScaler(), network), raw),
    }
    return {name: _score(model.fit(x[0], training.y).predict(x[1]), test.y) for name, (model, x) in models.items()}


def _design(row: dict[str, float]) -> list[float]:
    """Return the features of a tile, and of each road width times distance."""
    return [*row.values(), *(row[f"{road}_width_m"] * row[f"{road}_distance_m"] for road in STRENGTH)]


def _linearised(row: dict[str, float], responses: dict[str, mapgen.Response], without: float) -> dict[str, float]:
    """Replace width and distance of a road by the increase that the probes found for them; of no road by 0."""
    changed = dict(row)
    for road in STRENGTH:
        for feature, probe in (("width_m", f"{road} width"), ("distance_m", f"{road} distance right")):
            curve, there = mapgen.linearise(responses[probe]), row[f"{road}_length_m"] > 0
            changed[f"{road}_{feature}"] = float(curve(row[f"{road}_{feature}"])) - without if there else 0.0
    return changed


def _score(estimates: Array, y: Array) -> tuple[float, float]:
    return float(r2_score(y, estimates)), float(np.sqrt(np.square(estimates - y).mean()))


def _edit_helsinki(model: nn.Module, limit: int) -> tuple[list[mapgen.Scene], dict[str, Array]]:
    """Return real tiles and, for each edit, how it changes the model's estimate on each of them."""
    tiles = list(load_helsinki().tiles(size_px=SIZE_PX))[:limit]
    edits: dict[str, Callable[[mapgen.Scene], mapgen.Scene]] = {
        "insert a trunk road of 6 m": lambda scene: scene.insert(mapgen.Road("trunk", width_m=6)),
        "insert a trunk road of 20 m": lambda scene: scene.insert(mapgen.Road("trunk", width_m=20)),
        "insert one of 20 m, 30 m away": lambda scene: scene.insert(
            mapgen.Road("trunk", width_m=20, offset=30 * PX_PER_M)
        ),
        "remove all roads": lambda scene: mapgen.Scene(
            size_m=80, size_px=SIZE_PX, land=scene.land, features=[f for f in scene.features if f.type != "road"]
        ),
    }
    before = mapgen.probe(model, _as_sweep(tiles), antialias=True).output
    effects = {
        name: mapgen.probe(model, _as_sweep([edit(scene) for scene in tiles]), antialias=True).output - before
        for name, edit in edits.items()
    }
    return tiles, effects


def _spread(values: list[float], digits: int = 3) -> str:
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _performance_table(results: list[Result]) -> Table:
    rows = [
        [name, *(_spread([result.scores[name][k] for result in results]) for k in (0, 1))] for name in results[0].scores
    ]
    note = (
        f"On 500 test tiles; the noise alone has an RMSE of {NOISE:g}. Mean ± standard deviation over seeds, if many."
    )
    return Table("Table 6.1's rows on the planted truth", f"{markdown_table(['model', 'R²', 'RMSE'], rows)}\n\n{note}")


def _recovery_table(results: list[Result]) -> Table:
    rows = []
    for name in results[0].errors:
        response = results[0].responses[name]
        single = len(response.sweep.factors) == 1
        shape = [response.best_fit.form, f"{response.pearson:.3f}"] if single else ["", ""]
        error = _spread([100 * result.errors[name] for result in results], 1)
        rows.append([name, error, *shape])
    head = ["probe", "error in % of the range", "best fit", "Pearson"]
    note = "Error: root mean square of probe minus planted curve. Fit (lowest AICc) and correlation: first seed."
    return Table("What the probes recovered", f"{markdown_table(head, rows)}\n\n{note}")


def _edit_table(effects: dict[str, Array]) -> Table:
    rows = [
        [name, f"{change.mean():+.2f}", f"{np.quantile(change, 0.1):+.2f}", f"{np.quantile(change, 0.9):+.2f}"]
        for name, change in effects.items()
    ]
    head = ["edit", "mean change", "10 %", "90 %"]
    note = "Change of the estimate over real tiles that hold classes which the training tiles never showed."
    return Table("Counterfactual edits in Helsinki", f"{markdown_table(head, rows)}\n\n{note}")


def _findings(results: list[Result], effects: dict[str, Array]) -> list[str]:
    errors = {name: float(np.mean([result.errors[name] for result in results])) for name in results[0].errors}
    within = [name for name, error in errors.items() if error <= 0.1]
    worst = max(errors, key=lambda name: errors[name])
    means = {name: np.mean([result.scores[name][0] for result in results]) for name in results[0].scores}
    directions = {name: results[0].responses[f"trunk distance {name}"] for name in DIRECTIONS}
    symmetry = mapgen.symmetry_test(directions)
    wide, far = effects["insert a trunk road of 20 m"].mean(), effects["insert one of 20 m, 30 m away"].mean()
    return [
        f"{len(within)} of {len(errors)} probes lie within 10 % of the planted curve; the worst is {worst} "
        f"({errors[worst]:.1%}).",
        f"Linear regression: R² {means['LR']:.3f} on raw and {means['LR, linearised']:.3f} on linearised features, "
        f"both with products of width and distance, which the thesis does not have; MapLUR: {means['MapLUR']:.3f}.",
        f"Left, right, top and bottom: estimates differ by at most {symmetry.relative_difference:.1%} of the range "
        f"(p = {symmetry.p_value:.3f}).",
        f"Helsinki: a wide trunk road changes the estimate by {wide:+.1f} on average, one 30 m away by {far:+.1f}.",
    ]


def _curves(results: list[Result]) -> Picture:
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, factor in zip(figure.subplots(1, 2), ("width", "distance right")):
        for road, colour in zip(STRENGTH, ("#d1495b", "#2f6fb0")):
            response = results[0].responses[f"{road} {factor}"]
            planted = [truth(scene) for scene in response.sweep.scenes]
            axes.plot(response.values, planted, color=colour, label=f"{road}, planted")
            axes.plot(response.values, response.output, "o", color=colour, markersize=4, label=f"{road}, probed")
        axes.set(xlabel=f"{factor.split()[0]} of the road in m", ylabel="pollution")
        axes.legend(fontsize=9)
    return Picture.of(figure, "Planted curves, and what the probes of the trained network found (first seed).")


def _contact_sheet(tiles: list[mapgen.Scene]) -> Picture:
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    shown = [tiles[i] for i in np.linspace(0, len(tiles) - 1, 16).astype(int)]
    for axes, tile in zip(figure.subplots(2, 8).flat, shown):
        axes.imshow(mapgen.render(tile.replace("size_px", 224), antialias=True))
        axes.axis("off")
    return Picture.of(figure, "Tiles of Helsinki, 80 m each. © OpenStreetMap contributors (ODbL).")


def _write_csv(results: list[Result]) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / "mapgen.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "kind", "name", "value"])
        for seed, result in enumerate(results):
            for name, (r2, rmse) in result.scores.items():
                writer.writerows([[seed, "R2", name, f"{r2:.4f}"], [seed, "RMSE", name, f"{rmse:.4f}"]])
            writer.writerows([seed, "relative error", name, f"{error:.4f}"] for name, error in result.errors.items())
