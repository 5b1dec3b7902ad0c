"""Training: batches in, a better net out. Resumable, seeded, on a CPU or a GPU if there is one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from scrubjay.errors import UsageError
from scrubjay.train import batches
from scrubjay.train.batches import Batch, Packed
from scrubjay.train.net import EncoderTagger, Size, Tagger, build, surprise

Loss = Callable[[Tagger, Batch, Tensor], Tensor]  # the last: the sets of allowed tags


Learnt = tuple[Tagger, nn.Module]  # the net, and the loss where it has weights


class Plan(msgspec.Struct, frozen=True):
    """How a net is trained. Ends after `minutes` of training, the making of data aside, or `units`,
    whichever comes first."""

    rate: float = 2e-3
    batch: int = 3000
    minutes: float = 30.0
    units: float = 1e12
    warm: float = 0.05  # share of the time in which the rate rises
    forget: float = 0.15
    decay: float = 0.01
    freeze_words: bool = False
    drop: float = 0.1  # of the numbers between layers are left out
    half: bool = False  # computed in bfloat16, which processors with AMX and GPUs are fast at
    seed: int = 1
    save_every: float = 5.0  # minutes


class _Place(msgspec.Struct):
    """How far a training is."""

    minutes: float = 0.0
    units: int = 0
    step: int = 0
    epoch: int = 0
    batch: int = 0  # done of the epoch
    mean: float = 0.0  # of the loss lately

    def share(self, plan: Plan) -> float:
        """Of the whole."""
        return max(self.minutes / plan.minutes, self.units / plan.units)

    def count(self, units: int, loss: float) -> None:
        """A step more."""
        self.step += 1
        self.batch += 1
        self.units += units
        self.mean += (loss - self.mean) / min(self.step, 200)


def fit(
    net: Tagger,
    source: Callable[[int], Packed],
    plan: Plan,
    folder: Path,
    loss: Loss | None = None,
    tell: Callable[[str], None] = print,
) -> Tagger:
    """Train. `source(epoch)` gives the data of an epoch, which may differ each time. The state is
    saved in `folder`, and training goes on from there if it was interrupted: on a CPU, and with a
    plan that counts units, to the very same net. A loss that is a module has weights of its own,
    which are trained, too, and left behind."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net.to(device).train()
    net.drop.p = plan.drop
    wanted = loss or marked
    learnt = (net, wanted.to(device) if isinstance(wanted, nn.Module) else nn.Module())
    trained = [*_trained(net, plan), *learnt[1].parameters()]
    optimizer = torch.optim.AdamW(trained, plan.rate, betas=(0.9, 0.98), weight_decay=plan.decay)
    place = _resume(folder, learnt, optimizer)
    saved = place.minutes
    data = _epochs(source, plan, place, isinstance(net, EncoderTagger), device)
    while (share := place.share(plan)) < 1:
        batch, sets = next(data)
        begun = time.monotonic()
        torch.manual_seed(plan.seed * 1_000_003 + place.step)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * _rate(share, plan.warm)
        with precision(device, plan.half):
            value = wanted(net, batch, sets)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        place.count(int(batch.mask.sum()), float(value.detach()))
        place.minutes += (time.monotonic() - begun) / 60
        if place.step % 200 == 0:
            tell(_told(place))
        if place.minutes - saved >= plan.save_every:
            _save(folder, learnt, optimizer, place)
            saved = place.minutes
    _save(folder, learnt, optimizer, place)
    return net.cpu().eval()


@contextmanager
def precision(device: torch.device, half: bool) -> Iterator[None]:
    """What is computed in: if `half`, bfloat16; on a CPU with attention step by step, which is
    faster then."""
    if not half:
        yield
        return
    step_by_step = sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
    with torch.autocast(device.type, torch.bfloat16), step_by_step:
        yield


def marked(net: Tagger, batch: Batch, sets: Tensor) -> Tensor:
    """The surprise of a net at the tags that the data allows."""
    return surprise(net(*inputs(net, batch)), batch.targets, sets, batch.mask)


def _trained(net: Tagger, plan: Plan) -> list[torch.nn.Parameter]:
    """The weights that change."""
    net.words.weight.requires_grad = not plan.freeze_words
    return [weight for weight in net.parameters() if weight.requires_grad]


def _told(place: _Place) -> str:
    return f"{place.minutes:6.1f} min  {place.units / 1e6:7.2f} M units  loss {place.mean:.4f}"


def inputs(net: Tagger, batch: Batch) -> Sequence[Tensor]:
    """What a net wants of a batch."""
    if isinstance(net, EncoderTagger):
        return batch.pieces, batch.shapes, batch.gaps, batch.hints, batch.firsts
    pieces, shapes, hints = (
        part.flatten(0, 1) for part in (batch.pieces, batch.shapes, batch.hints)
    )
    each = torch.arange(len(pieces), device=pieces.device).view(batch.gaps.shape)
    return pieces, shapes, hints, batch.gaps, each, batch.mask


def _epochs(
    source: Callable[[int], Packed], plan: Plan, place: _Place, encoder: bool, device: torch.device
) -> Iterator[tuple[Batch, Tensor]]:
    """Batches for ever, from where the training is."""
    while True:
        packed = source(place.epoch)
        sets = batches.sets_of(packed).to(device)
        generator = np.random.default_rng((plan.seed, place.epoch))
        epoch = batches.batches(packed, plan.batch, generator, encoder=encoder, forget=plan.forget)
        for batch in islice(epoch, place.batch, None):
            yield Batch(*(part.to(device) for part in batch)), sets
        place.epoch, place.batch = place.epoch + 1, 0


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


def _save(folder: Path, learnt: Learnt, optimizer: torch.optim.Optimizer, place: _Place) -> None:
    """The net for others, and all that this training needs to go on, each file whole or absent."""
    folder.mkdir(parents=True, exist_ok=True)
    net, loss = learnt
    save(net, folder / "net.new")
    state = {"weights": net.state_dict(), "loss": loss.state_dict()}
    rest = {"optimizer": optimizer.state_dict(), "place": msgspec.to_builtins(place)}
    torch.save({**state, **rest}, folder / "state.new")
    (folder / "net.new").replace(folder / "net.pt")
    (folder / "state.new").replace(folder / "state.pt")


def _resume(folder: Path, learnt: Learnt, optimizer: torch.optim.Optimizer) -> _Place:
    if not (folder / "state.pt").exists():
        return _Place()
    state = torch.load(folder / "state.pt", weights_only=True, map_location="cpu")
    if "place" not in state:
        raise UsageError(f"{folder}: of an older training that cannot go on; name another folder")
    net, loss = learnt
    net.load_state_dict(state["weights"])
    loss.load_state_dict(state.get("loss", {}))
    optimizer.load_state_dict(state["optimizer"])
    return msgspec.convert(state["place"], _Place)
