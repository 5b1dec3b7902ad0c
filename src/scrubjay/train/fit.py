"""Training: batches in, a better net out. Resumable, seeded, on a CPU or a GPU if there is one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from scrubjay.train import batches
from scrubjay.train.batches import Batch, Packed
from scrubjay.train.net import EncoderTagger, Size, Tagger, build, surprise

Loss = Callable[[Tensor, Batch], Tensor]


class Plan(msgspec.Struct, frozen=True):
    """How a net is trained. Ends after `minutes` or `units`, whichever comes first."""

    rate: float = 2e-3
    batch: int = 3000
    minutes: float = 30.0
    units: float = 1e12
    warm: float = 0.05  # share of the time in which the rate rises
    forget: float = 0.15
    decay: float = 0.01
    freeze_words: bool = False
    seed: int = 1
    save_every: float = 5.0  # minutes


def fit(
    net: Tagger,
    source: Callable[[int], Packed],
    plan: Plan,
    folder: Path,
    loss: Loss | None = None,
    tell: Callable[[str], None] = print,
) -> Tagger:
    """Train. `source(epoch)` gives the data of an epoch, which may differ each time. The state is
    saved in `folder`, and training goes on from there if it was interrupted."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(plan.seed)
    net.to(device).train()
    if plan.freeze_words:
        net.words.weight.requires_grad = False
    trained = [weight for weight in net.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, plan.rate, betas=(0.9, 0.98), weight_decay=plan.decay)
    done = _resume(folder, net, optimizer)
    begun = saved = time.monotonic()
    seen, mean = 0, 0.0
    data = _epochs(source, plan, isinstance(net, EncoderTagger), device)
    for step, (batch, sets) in enumerate(data, 1):
        passed = done + (time.monotonic() - begun) / 60
        share = max(passed / plan.minutes, seen / plan.units)
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _rate(share, plan.warm)
        scores = net(*inputs(net, batch))
        value = loss(scores, batch) if loss else surprise(scores, batch.targets, sets, batch.mask)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        seen += int(batch.mask.sum())
        mean += (float(value.detach()) - mean) / min(step, 200)
        if step % 200 == 0:
            tell(f"{passed:6.1f} min  {seen / 1e6:7.2f} M units  loss {mean:.4f}")
        if time.monotonic() - saved > 60 * plan.save_every:
            _save(folder, net, optimizer, passed)
            saved = time.monotonic()
    _save(folder, net, optimizer, plan.minutes)
    return net.eval()


def inputs(net: Tagger, batch: Batch) -> Sequence[Tensor]:
    """What a net wants of a batch."""
    last = batch.firsts if isinstance(net, EncoderTagger) else batch.mask
    return batch.pieces, batch.shapes, batch.gaps, batch.hints, last


def _epochs(
    source: Callable[[int], Packed], plan: Plan, encoder: bool, device: torch.device
) -> Iterator[tuple[Batch, Tensor]]:
    epoch = 0
    while True:
        packed = source(epoch)
        sets = batches.sets_of(packed).to(device)
        generator = np.random.default_rng((plan.seed, epoch))
        for batch in batches.batches(
            packed, plan.batch, generator, encoder=encoder, forget=plan.forget
        ):
            yield Batch(*(part.to(device) for part in batch)), sets
        epoch += 1


def _rate(share: float, warm: float) -> float:
    """Up for a while, then down along a cosine."""
    if share < warm:
        return share / warm
    return 0.5 * (1 + math.cos(math.pi * (share - warm) / (1 - warm))) + 0.002


def save(net: Tagger, path: Path) -> None:
    """A net as one file: its size and its weights."""
    state = {name: weight.cpu() for name, weight in net.state_dict().items()}
    torch.save({"size": msgspec.to_builtins(net.size), "weights": state}, path)


def load(path: Path) -> Tagger:
    """Read it back."""
    told = torch.load(path, weights_only=True, map_location="cpu")
    net = build(msgspec.convert(told["size"], Size))
    net.load_state_dict(told["weights"])
    return net.eval()


def _save(folder: Path, net: Tagger, optimizer: torch.optim.Optimizer, minutes: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save(net, folder / "net.new")
    torch.save({"optimizer": optimizer.state_dict(), "minutes": minutes}, folder / "state.new")
    (folder / "net.new").replace(folder / "net.pt")
    (folder / "state.new").replace(folder / "state.pt")


def _resume(folder: Path, net: Tagger, optimizer: torch.optim.Optimizer) -> float:
    if not (folder / "state.pt").exists():
        return 0.0
    net.load_state_dict(load(folder / "net.pt").state_dict())
    state = torch.load(folder / "state.pt", weights_only=True)
    optimizer.load_state_dict(state["optimizer"])
    minutes: float = state["minutes"]
    return minutes
