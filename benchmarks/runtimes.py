"""One net in several runtimes, on one thread: how fast, how large, and whether they say the same.

    python -m venv OTHER
    OTHER/bin/pip install -e '.[train,litert]' ai-edge-quantizer nncf openvino
    OTHER/bin/python benchmarks/runtimes.py --json benchmarks/results/runtimes.json

The nets that ship are thawed to fp32, which every runtime gets; beside them run our int8 nets and
those that the runtimes' own tools make. Each of them runs in a process of its own on one core, in
the product's `Tagger`, with windows and batches as ever. Timed are the net for a window of 128
units, the tagger (units, net, spans) over made clinical notes (texts.py), and loading; memory is
that of the process after loading, and its peak. Answers are compared with torch's over documents
made of the shipped seeds: the largest difference of probabilities, and spans that only one of both
has. Times are the processor's, best of `--rounds`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import harness
import msgspec
import numpy as np
import texts
from msgspec.structs import replace

from scrubjay.model import bundle as bundles
from scrubjay.model import decode, runtimes
from scrubjay.model import tagger as tagging
from scrubjay.model.bundle import Bundle
from scrubjay.model.tagger import Tagger

UNITS = 128
NOTES = 8
DOCUMENTS = {"conv": 400, "encoder": 40}  # that answers are compared on
SAMPLES = 100  # that NNCF fixes its scales with
REFERENCE = "torch fp32"
# by name: the folder of the bundle under the net's, and the package that runs it
RUNTIMES = {
    "torch fp32": ("onnx", "torch"),
    "ONNX Runtime fp32": ("onnx", "onnxruntime"),
    "ONNX Runtime int8 (ships)": ("shipped", "onnxruntime"),
    "LiteRT fp32": ("litert", "ai-edge-litert"),
    "LiteRT int8 (ai-edge-quantizer)": ("litert-int8", "ai-edge-litert"),
    "OpenVINO fp32": ("onnx", "openvino"),
    "OpenVINO int8 (NNCF)": ("nncf", "openvino"),
    "OpenVINO, our int8": ("shipped", "openvino"),
    "numpy fp32": ("state-dict", "numpy"),
}


# --- the nets


def prepare(net: str, folder: Path) -> None:
    """Bundles of a net for all runtimes. Golden answers are left out: where another
    int8 net differs, that is to be counted, not refused."""
    from scrubjay.train import chain, run

    shipped = bundles.folder("fast").parent / net
    made, calibration = run.load(shipped), bundles.read(shipped).calibration
    shutil.copytree(shipped, folder / "shipped")
    for to in ("onnx", "litert", "state-dict"):
        chain.exported(made, folder / to, to, calibration)
    shutil.copytree(folder / "litert", folder / "litert-int8")
    _quantized_litert(folder / "litert-int8" / "model.tflite")
    shutil.copytree(folder / "onnx", folder / "nncf")
    _quantized_openvino(folder / "nncf")
    for bundle in folder.iterdir():
        told = msgspec.json.decode((bundle / "bundle.json").read_bytes(), type=Bundle)
        sums = {name: bundles.sha256(bundle / name) for name in told.sha256}
        bundles.write(bundle, replace(told, golden=(), sha256=sums))


def _quantized_litert(path: Path) -> None:
    """Weights of 8 bits; inputs are measured as they come."""
    from ai_edge_quantizer import quantizer, recipe

    made = quantizer.Quantizer(str(path), recipe.dynamic_wi8_afp32()).quantize()
    made.export_model(str(path), overwrite=True)


def _quantized_openvino(folder: Path) -> None:
    """Weights and inputs of 8 bits, scales by seeds that calibrate."""
    import nncf
    import openvino

    from scrubjay.train import material

    tagger = Tagger(folder, threads=1)
    held = [document.text for document in material.held_back()[:SAMPLES]]
    feed = tagging._FEEDS[tagger.bundle.kind]
    samples = [feed([own.cut(0, UNITS)]) for own in tagger.units(held)]
    kind = nncf.ModelType.TRANSFORMER if tagger.bundle.kind == "encoder" else None
    model = openvino.Core().read_model(folder / "model.onnx")
    made = nncf.quantize(model, nncf.Dataset(samples), subset_size=SAMPLES, model_type=kind)
    openvino.save_model(made, folder / "model.xml", compress_to_fp16=False)


# --- runtimes that the product has not


class OpenVino:
    """A session of OpenVINO."""

    def __init__(self, folder: Path) -> None:
        import openvino

        path = next(p for p in (folder / "model.xml", folder / "model.onnx") if p.exists())
        asked = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._net = openvino.Core().compile_model(path, "CPU", asked)
        self._names = [given.get_any_name() for given in self._net.inputs]

    def run(self, _: None, feeds: dict[str, Any]) -> list[Any]:
        """The scores."""
        return [self._net([feeds[name] for name in self._names])[0]]


# what a net of ours takes, in order
ORDER = {
    "conv": ("pieces", "shapes", "hints", "gaps", "words", "mask"),
    "encoder": ("pieces", "shapes", "gaps", "hints", "firsts"),
}


class Torch:
    """The net itself."""

    def __init__(self, folder: Path, kind: str) -> None:
        import torch

        from scrubjay.train import thaw

        torch.set_num_threads(1)
        self._net, self._order = thaw.net(folder.parent / "state-dict"), ORDER[kind]

    def run(self, _: None, feeds: dict[str, Any]) -> list[Any]:
        """The scores."""
        import torch

        with torch.inference_mode():
            given = [torch.from_numpy(feeds[name]) for name in self._order]
            return [self._net(*given).numpy()]


def session_of(package: str) -> Callable[..., Any]:
    """What loads a net: the product's own way, or another in its place."""
    if package == "openvino":
        return lambda folder, net, kind, threads: OpenVino(folder)
    if package == "torch":
        return lambda folder, net, kind, threads: Torch(folder, kind)
    return runtimes.session


# --- one of them, in a process of its own


def work(name: str, folder: Path, target: Path, rounds: int) -> None:
    """Measure, and print a JSON object."""
    harness.pin()
    bundle, package = RUNTIMES[name]
    runtimes.session = session_of(package)
    with first():
        start = time.process_time()
        tagger = Tagger(folder / bundle, threads=1)
        told: dict[str, Any] = {"load_s": harness.significant(time.process_time() - start, 3)}
        told |= timed(tagger, rounds)
    keep(tagger, target)
    print(json.dumps(told))


def timed(tagger: Tagger, rounds: int) -> dict[str, Any]:
    """Memory and speed of a tagger that has just been loaded."""
    loaded, notes = memory("VmRSS"), texts.notes(NOTES)
    feeds = tagging._FEEDS[tagger.bundle.kind]([tagger.units(notes)[0].cut(0, UNITS)])
    net = best(lambda: tagger._session.run(None, feeds), rounds)
    words = sum(len(note.split()) for note in notes)
    return {
        "loaded_MB": loaded,
        f"ms_{UNITS}_units": harness.significant(net * 1000, 3),
        "words_per_s": round(words / best(lambda: tagger.spans(notes), rounds)),
        "peak_MB": memory("VmHWM"),
    }


@contextmanager
def first() -> Iterator[None]:
    """Before all other work of the core, where the system allows it."""
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    usual, given = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        print("timed beside other work", file=sys.stderr)
    yield
    os.sched_setscheduler(0, usual, given)


def best(once: Callable[[], object], rounds: int) -> float:
    """Seconds of the quickest round, after one to warm up."""
    once()
    return min(harness.steady(once) for _ in range(rounds))


def memory(mark: str) -> float:
    """Of this process, in MB."""
    found = re.search(rf"{mark}:\s+(\d+)", Path("/proc/self/status").read_text())
    return round(int(found[1]) / 1024, 1) if found else 0.0


def keep(tagger: Tagger, target: Path) -> None:
    """What the net says of documents: probabilities of each unit, and spans."""
    documents = texts_of(DOCUMENTS[tagger.bundle.kind])
    units = tagger.units(documents)
    tags = tagger.probabilities(units)
    least = tagger.threshold()
    spans = [decode.spans(own, of, least) for own, of in zip(units, tags, strict=True)]
    np.save(target.with_suffix(".npy"), np.concatenate(tags))
    target.write_text(json.dumps([[span[:3] for span in found] for found in spans]), "utf-8")


def texts_of(count: int) -> list[str]:
    """Documents made of the seeds that ship."""
    from scrubjay.train import lists, seeds, synth

    made = synth.documents(seeds.shipped(), lists.shipped(), count, random.Random(texts.SEED))
    return [document.text for document in made]


# --- all of them


def measure(net: str, folder: Path, rounds: int) -> dict[str, Any]:
    """By runtime."""
    found: dict[str, Any] = {}
    for name, (bundle, package) in RUNTIMES.items():
        target = folder / f"{len(found)}.json"
        command = [sys.executable, __file__, "--rounds", str(rounds)]
        command += ["--worker", name, str(folder), str(target)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            found[name] = {"failed": reason(done.stderr, folder)}
            print(f"{net}: {name}: {found[name]}", file=sys.stderr)
            continue
        told = json.loads(done.stdout.splitlines()[-1])
        same = compared(target, folder / "0.json")
        found[name] = {**told, "net_MB": net_size(folder / bundle), "package": package, **same}
        print(f"{net}: {name}: {found[name]}", file=sys.stderr)
    return found


def reason(errors: str, folder: Path) -> str:
    """The last line of a failure, without places of this machine."""
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    return re.sub(r"\S*/\S*", "...", lines[-1].replace(str(folder), "..."))[:200]


def net_size(bundle: Path) -> float:
    """Of the files that hold the net, in MB."""
    made = next((bundle.glob("model.xml")), None)
    names = ["model.xml", "model.bin"] if made else [*bundles.read(bundle).sha256]
    names = [name for name in names if name not in bundles.FILES]
    return round(sum((bundle / name).stat().st_size for name in names) / 1e6, 1)


def compared(one: Path, other: Path) -> dict[str, Any]:
    """How far two runtimes' answers are apart."""
    mine, theirs = (json.loads(path.read_text("utf-8")) for path in (one, other))
    apart = np.abs(np.load(one.with_suffix(".npy")) - np.load(other.with_suffix(".npy")))
    pairs = [({*map(tuple, a)}, {*map(tuple, b)}) for a, b in zip(mine, theirs, strict=True)]
    return {
        "largest_difference": float(f"{apart.max():.2g}"),
        "differing_spans": sum(len(a ^ b) for a, b in pairs),
        "differing_documents": sum(a != b for a, b in pairs),
        "spans": sum(len(b) for _, b in pairs),
    }


def installed(package: str) -> float:
    """Size of an installed package alone, in MB."""
    files = distribution(package).files or []
    places = [Path(str(file.locate())) for file in files]
    return round(sum(place.stat().st_size for place in places if place.is_file()) / 1e6, 1)


def instructions() -> dict[str, bool]:
    """What of this processor int8 and fp32 hang on."""
    told = Path("/proc/cpuinfo").read_text()
    flags = set(re.findall(r"\w+", (re.search(r"flags\s*:(.*)", told) or [""])[0]))
    return {"avx512": "avx512f" in flags, "vnni": bool({"avx512_vnni", "avx_vnni"} & flags)}


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nets", default="fast,encoder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, dest="output")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        name, folder, target = asked.worker
        work(name, Path(folder), Path(target), asked.rounds)
        return
    packages = sorted({package for _, package in RUNTIMES.values()})
    told: dict[str, Any] = {
        "machine": harness.machine(), **instructions(),
        "versions": harness.versions(*packages, "ai-edge-quantizer", "nncf"),
        "installed_MB": {package: installed(package) for package in packages},
        "documents": DOCUMENTS, "reference": REFERENCE, "nets": {},
    }  # fmt: skip
    if asked.output and asked.output.exists():  # what is not measured now stays
        told["nets"] = json.loads(asked.output.read_text("utf-8"))["nets"]
    for net in asked.nets.split(","):
        with tempfile.TemporaryDirectory() as name:
            prepare(net, Path(name))
            told["nets"][net] = measure(net, Path(name), asked.rounds)
        harness.write(asked.output, told)


if __name__ == "__main__":
    main()
