"""Does a probe find what a model was taught about maps?"""

from __future__ import annotations

from collections.abc import Callable

import mapgen
import numpy as np
from matplotlib.figure import Figure
from torch import nn

from demo.chapter import Chapter, Picture, Settings, Table, markdown_table, results_csv, step
from demo.data.helsinki import load_helsinki
from demo.planted_pollution import (
    DIRECTIONS,
    N_TEST,
    NOISE,
    PX_PER_M,
    REACH_M,
    SIZE_PX,
    STRENGTH,
    Array,
    Result,
    as_sweep,
    planted,
    run_seed,
)  # fmt: skip

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

# Random tiles, epochs and seeds.
SCALE = {"quick": (200, 3, [0]), "default": (2000, 8, [0]), "full": (8000, 21, [0, 1, 2])}
FACTORS = "on width, distance"
WHOLE_TILE_M = [(-41.0, -41.0), (41.0, -41.0), (41.0, 41.0), (-41.0, 41.0)]


def run(settings: Settings) -> Chapter:
    """Plant a truth, train on it, and probe what was learned."""
    n_scenes, epochs, seeds = SCALE[settings.mode]
    results = [run_seed(n_scenes, epochs, seed, keep=settings.mode == "full") for seed in seeds]
    with step("Helsinki"):
        tiles, effects = _edit_helsinki(
            [result.model for result in results], {"quick": 16, "default": 60, "full": 100}[settings.mode]
        )
    if settings.mode == "full":
        _write_csv(dict(zip(seeds, results)))
    return Chapter(
        title="mapgen: what does a model read from a map?",
        question="A network estimates air pollution from map images. Does changing one thing at a time show its rules?",
        code=CODE,
        thesis=THESIS,
        data=(
            f"Planted truth: {n_scenes:,} random tiles of 80 m ({SIZE_PX} px), six land covers, a trunk road, a "
            "motorway or none, of random width, angle and offset; pollution = land + strength(class) x log(width in m) "
            f"x (1 - distance / {REACH_M:g} m)², plus noise of standard deviation {NOISE:g}. {epochs} epochs of the "
            f"MapLUR architecture built for {SIZE_PX} px, seeds {seeds}; tests on {N_TEST:,} further tiles. Real "
            "maps: Helsinki (OpenStreetMap contributors, ODbL), cut into tiles and drawn in the same style."
        ),
        tables=[_performance_table(results), _recovery_table(results), _edit_table(effects)],
        pictures=[_curves(results), _contact_sheet(tiles)],
        findings=_findings(results, effects),
    )


def _edit_helsinki(models: list[nn.Module], limit: int) -> tuple[list[mapgen.Scene], dict[str, Array]]:
    """Return real tiles and, for each edit, how it changes the estimate on each of them: ``(models, tiles)``."""
    tiles = list(load_helsinki().tiles(size_px=SIZE_PX))
    tiles = [tiles[i] for i in np.linspace(0, len(tiles) - 1, min(limit, len(tiles))).astype(int)]
    edits: dict[str, Callable[[mapgen.Scene], mapgen.Scene]] = {
        "insert a trunk road of 6 m": lambda scene: scene.insert(mapgen.Road("trunk", width_m=6)),
        "insert a trunk road of 20 m": lambda scene: scene.insert(mapgen.Road("trunk", width_m=20)),
        "insert one of 20 m, 30 m away": lambda scene: scene.insert(
            mapgen.Road("trunk", width_m=20, offset=30 * PX_PER_M)
        ),
        "remove all roads": _without_roads,
        "cover everything with park": lambda scene: _without_roads(scene).insert(mapgen.Area("park", WHOLE_TILE_M)),
    }
    effects = {}
    for name, edit in {"": lambda scene: scene, **edits}.items():
        sweep = as_sweep([edit(scene) for scene in tiles])
        effects[name] = np.stack([mapgen.probe(model, sweep, antialias=True).output for model in models])
    before = effects.pop("")
    return tiles, {name: after - before for name, after in effects.items()}


def _without_roads(scene: mapgen.Scene) -> mapgen.Scene:
    while scene.roads:
        scene = scene.remove("roads[0]")
    return scene


def _spread(values: list[float], digits: int = 3) -> str:
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _performance_table(results: list[Result]) -> Table:
    rows = [
        [name, *(_spread([result.scores[name][k] for result in results]) for k in (0, 1))] for name in results[0].scores
    ]
    note = (
        f"On {N_TEST:,} test tiles; the noise alone has an RMSE of {NOISE:g}. Mean ± standard deviation over seeds, if "
        "many. LR, RF and MLP get mapgen.features. 'On width, distance': a road's presence, width and distance in "
        "place of its area, length and distance; 'linearised': the curves that the probes found in place of width and "
        "distance; 'products': width times distance in addition, which the thesis does not have.\n\n"
        f"Linearising lowers LR's RMSE by {_gain(results, FACTORS)}, with products by "
        f"{_gain(results, 'with products')}."
    )
    return Table("Table 6.1's rows on the planted truth", f"{markdown_table(['model', 'R²', 'RMSE'], rows)}\n\n{note}")


def _gain(results: list[Result], kind: str) -> str:
    """Say by how much linearising lowers the RMSE, with a 95 % interval over test tiles drawn again (all seeds)."""
    raw, linear = (np.stack([r.scores[f"LR {kind}{end}"][2] for r in results]) for end in ("", ", linearised"))
    picks = np.random.default_rng(0).integers(raw.shape[1], size=(2000, 1, raw.shape[1]))
    rows = np.arange(len(results))[:, None]
    drawn = [float((_rmse(raw[rows, pick]) - _rmse(linear[rows, pick])).mean()) for pick in picks]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{(_rmse(raw) - _rmse(linear)).mean():.3f} [{low:.3f}, {high:.3f}]"


def _rmse(squared: Array) -> Array:
    rmse: Array = np.sqrt(squared.mean(-1))
    return rmse


def _recovery_table(results: list[Result]) -> Table:
    rows = []
    for name in results[0].errors:
        response = results[0].responses.get(name)
        shape = ["", ""]
        if response is not None and response.sweep.factors.keys() <= {"roads[0].width_m", "distance_m"}:
            shape = [response.best_fit.form, f"{response.pearson:.3f}"]
        errors = [_spread([100 * result.errors[name][k] for result in results], 1) for k in (0, 1)]
        worst = f"{100 * max(result.errors[name][0] for result in results):.1f}"
        rows.append([name, errors[0], worst, errors[1], *shape])
    head = ["probe", "error in % of the range", "worst seed", "in % of the standard deviation", "best fit", "Pearson"]
    note = (
        "Error: root mean square of probe minus planted curve, over the range or the standard deviation of that curve. "
        "'Interaction alone': what is left of the table without the mean effects of width and of distance. Fit (lowest "
        "AICc) and correlation: first seed."
    )
    return Table("What the probes recovered", f"{markdown_table(head, rows)}\n\n{note}")


def _edit_table(effects: dict[str, Array]) -> Table:
    rows = []
    for name, change in effects.items():
        tiles = change.mean(0)
        spread = f"{np.quantile(tiles, 0.1):+.2f}", f"{np.quantile(tiles, 0.9):+.2f}"
        rows.append([name, _spread(change.mean(1).tolist(), 2), *spread])
    head = ["edit", "mean change", "10 % of the tiles", "90 %"]
    note = (
        "Change of the estimate over real tiles, which hold classes that the training tiles never showed. Mean ± "
        "standard deviation over seeds, if many; the other columns: tiles, averaged over seeds."
    )
    return Table("Counterfactual edits in Helsinki", f"{markdown_table(head, rows)}\n\n{note}")


def _findings(results: list[Result], effects: dict[str, Array]) -> list[str]:
    worst = {name: max(result.errors[name][0] for result in results) for name in results[0].errors}
    within = [name for name, error in worst.items() if error <= 0.1]
    last = max(worst, key=lambda name: worst[name])
    means = {name: np.mean([result.scores[name][0] for result in results]) for name in results[0].scores}
    directions = {name: results[0].responses[f"trunk distance {name}"] for name in DIRECTIONS}
    symmetry = mapgen.symmetry_test(directions)
    wide, far = effects["insert a trunk road of 20 m"].mean(), effects["insert one of 20 m, 30 m away"].mean()
    return [
        f"{len(within)} of {len(worst)} probes lie within 10 % of the planted curve for every seed; the worst is "
        f"{last} ({worst[last]:.1%}).",
        f"Linear regression: R² {means['LR']:.3f} on areas, lengths and distances, {means[f'LR {FACTORS}']:.3f} on "
        f"widths and distances, {means[f'LR {FACTORS}, linearised']:.3f} on linearised ones (RMSE lower by "
        f"{_gain(results, FACTORS)}); MapLUR: {means['MapLUR']:.3f}.",
        f"Left, right, top and bottom: estimates differ by at most {symmetry.relative_difference:.1%} of the range "
        f"(p = {symmetry.p_value:.3f}).",
        f"Helsinki: a wide trunk road changes the estimate by {wide:+.1f} on average, one 30 m away by {far:+.1f}.",
    ]


def _curves(results: list[Result]) -> Picture:
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, factor in zip(figure.subplots(1, 2), ("width", "distance right")):
        for road, colour in zip(STRENGTH, ("#d1495b", "#2f6fb0")):
            response = results[0].responses[f"{road} {factor}"]
            axes.plot(response.values, planted(response), color=colour, label=f"{road}, planted")
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


def _write_csv(results: dict[int, Result]) -> None:
    with results_csv("mapgen", "seed", "kind", "name", "value") as writer:
        for seed, result in results.items():
            for name, (r2, rmse, _) in result.scores.items():
                writer.writerows([[seed, "R2", name, f"{r2:.4f}"], [seed, "RMSE", name, f"{rmse:.4f}"]])
            for name, (of_range, of_deviation) in result.errors.items():
                writer.writerow([seed, "error / range", name, f"{of_range:.4f}"])
                writer.writerow([seed, "error / standard deviation", name, f"{of_deviation:.4f}"])
