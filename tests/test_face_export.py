"""The face encoder as an ONNX file: in the form that insightface loads, with torch's answers."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from mediagen.personalize.arcface import ArcFace, export_arcface, standard
from mediagen.personalize.portraits import face_pool

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ArcFace, Path]:
    """An encoder of faces, and its ONNX file."""
    pytest.importorskip("onnxscript")
    model = ArcFace.from_preset("debug").train()
    model(torch.randn(8, 3, 112, 112))  # statistics that are not those of a new network
    path = tmp_path_factory.mktemp("onnx") / "w600k.onnx"
    assert export_arcface(model.eval(), path) <= 1e-4
    return model, path


def test_the_onnx_file_has_the_form_that_insightface_loads_and_answers_alike(exported: tuple[ArcFace, Path]) -> None:
    import onnxruntime

    model, path = exported
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (into,), (out,) = session.get_inputs(), session.get_outputs()
    # What insightface's model_zoo routes on: one input of 112 x 112, one output, no input of another shape.
    assert into.shape[1:] == [3, 112, 112] and out.shape[1:] == [512] and isinstance(into.shape[0], str)
    import onnx

    names = [node.name for node in onnx.load(str(path)).graph.node[:8]]
    assert not any(name.startswith(("Sub", "_minus", "Mul", "_mul")) for name in names), (
        "or it takes mean 0 and spread 1"
    )
    faces = face_pool(range(3), 1)[0][:, 0]
    there = np.asarray(session.run(None, {into.name: standard(faces).numpy()})[0])
    with torch.no_grad():
        here = model(standard(faces)).numpy()
    np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())


def test_insightface_loads_the_file_and_answers_alike(exported: tuple[ArcFace, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, as it is imported
        zoo = pytest.importorskip("insightface.model_zoo", exc_type=ImportError)
    model, path = exported
    theirs = zoo.get_model(str(path), providers=["CPUExecutionProvider"])
    assert theirs.taskname == "recognition" and (theirs.input_mean, theirs.input_std) == (127.5, 127.5)
    faces = face_pool(range(3), 1)[0][:, 0]
    there = theirs.get_feat([np.ascontiguousarray(face.numpy()[..., ::-1]) for face in faces])  # it reads BGR
    with torch.no_grad():
        here = model(standard(faces)).numpy()
    np.testing.assert_allclose(there, here, atol=1e-4 * np.abs(here).max())
