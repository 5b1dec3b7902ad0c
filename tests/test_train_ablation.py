"""Learning from hidden layers, and the table of what each step gives: on toy nets, in seconds."""

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

torch = pytest.importorskip("torch")

from test_train import (  # noqa: E402
    KINDS,
    PIECES,
    SIZES,
    Killed,
    fresh,
    same,
    silent,
    some,
    tokens,
    toy,
)  # fmt: skip

from scrubjay.model import bundle  # noqa: E402
from scrubjay.model.lexicon import Lexicon  # noqa: E402
from scrubjay.train import chain, distil, fit, material  # noqa: E402
from scrubjay.train.fit import Plan  # noqa: E402
from scrubjay.train.net import Size, build  # noqa: E402
from scrubjay.train.run import Run  # noqa: E402

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
PLAN = Plan(rate=1e-2, batch=100, minutes=1e9, units=3000, forget=0.0)


def made(kind):
    """A fresh net; chance puts more into an encoder's places than into its words."""
    net = fresh(kind)
    if kind == "encoder":
        net.places.weight.data.zero_()
    return net


def said(kind, count=20, seed=5):
    """What it says of toy examples, its hidden layer too."""
    return distil.packed(toy(count, seed), tokens(), [distil.Teacher(made(kind), tokens(), True)])


# --- hidden layers


@KINDS
def test_hidden_layers_are_kept_by_unit_and_scores_are_read_from_them(kind):
    net, data = made(kind), said(kind)
    assert data.hidden.shape == (len(data.pieces), SIZES[kind].width)
    with torch.no_grad():
        for batch, _ in some(kind, given=data):
            layer = net.hidden(*fit.inputs(net, batch))
            assert float(distil.away(layer, batch)) < 1e-3
            assert torch.equal(net.tags(layer), net(*fit.inputs(net, batch)))


def test_a_student_turns_where_its_teacher_does_and_keeps_no_map(tmp_path):
    data, student = said("encoder"), build(Size(len(PIECES), width=20, layers=2, inner=16))
    loss = distil.Hidden(student, 24, 1.0, temperature=2.0, share=0.7)
    pairs = some("conv", given=said("encoder", 10, 6))
    before = far(student, loss, pairs)
    net = fit.fit(student, lambda epoch: data, PLAN, tmp_path, loss, silent)
    assert far(net, loss, pairs) < 0.6 * before
    same(net, fit.load(tmp_path / "net.pt"), pairs)


@torch.no_grad()
def far(net, loss, pairs):
    return sum(float(loss(net.eval(), *pair)) for pair in pairs)


def test_learning_from_hidden_layers_goes_on_to_the_same_net_after_being_killed(tmp_path):
    data, plan = said("conv"), Plan(batch=200, minutes=1e9, units=1500, save_every=0)

    def trained(folder, seed, steps=10**9):
        net = fresh("conv", seed)
        loss = distil.Hidden(net, 24, 0.5, temperature=2.0, share=0.7)
        loss.register_forward_pre_hook(partial(die, iter(range(steps))))
        return fit.fit(net, lambda epoch: data, plan, tmp_path / folder, loss, silent)

    def die(left, *_):
        if next(left, None) is None:
            raise Killed

    whole = trained("whole", 7)
    with pytest.raises(Killed):
        trained("cut", 7, steps=4)
    for one, other in zip(whole.parameters(), trained("cut", 8).parameters(), strict=True):
        assert torch.equal(one, other)


# --- the table


@pytest.fixture
def ablation(monkeypatch):
    """The script, with nets and texts of toy size."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import ablation

    def conv(layers, inner):
        return build(Size(len(PIECES), width=72, layers=layers, inner=inner // 4))

    usual = material.Material.__init__.__kwdefaults__
    monkeypatch.setattr(material.Material.__init__, "__kwdefaults__", {**usual, "synthetic": 10})
    monkeypatch.setattr(ablation.begin, "vocabulary", lambda: PIECES)
    monkeypatch.setattr(ablation.begin, "conv", conv)
    monkeypatch.setattr(ablation, "ROUNDS", 1)
    monkeypatch.setattr(ablation, "CHARACTERS", 3000)
    return ablation


def test_every_row_is_trained_once_on_what_was_said_once(ablation, tmp_path, capsys):
    given = material.Material(None)
    given.seeds = given.seeds[:20]
    judge = Run(fresh("encoder"), PIECES, Lexicon.of({}))
    lesson = chain.Lesson([judge])
    nets = [ablation.trained(row, given, lesson, 200, tmp_path) for row in ablation.ROWS]
    assert capsys.readouterr().err.count("asking") == 1
    given.examples = lambda epoch: pytest.fail("trained again")
    again = [ablation.trained(row, given, lesson, 200, tmp_path) for row in ablation.ROWS]
    for one, other in zip(nets, again, strict=True):
        assert one.steps == other.steps
        same(one.net, other.net, some("conv"))
    done = {row.name: [step["step"] for step in made.steps]
            for row, made in zip(ablation.ROWS, nets, strict=True)}  # fmt: skip
    assert done["scratch"] == ["fit"] and done["hidden"] == ["distil"]
    assert done["again"] == ["distil", "distil"] and done["narrow"] == ["distil", "prune", "distil"]


def test_what_is_measured_becomes_a_line_and_a_dot(ablation, tmp_path):
    held = ablation.int8.corpus_of(material.held_back()[:3])
    found = ablation.measured(bundle.folder("fast"), {ablation.HELD: held})
    assert found["products"] == 656 * 512 + 128 * 77 and found["words_per_s"] > 0
    assert found["accuracy"][ablation.HELD]["alone"]["recall"][0] > 0.5
    bundles = [{"name": "toy", "told": "toy", "form": form, **found} for form in ("fp32", "int8")]
    result = {"sets": {ablation.HELD: 3}, "held_out": ablation.HELD, "bundles": bundles,
              "machine": {"cpu": "a core"}}  # fmt: skip
    page = tmp_path / "training-log.md"
    page.write_text(f"# Log\n\n{ablation.pareto.BEGIN}\nold\n{ablation.pareto.END}\n\nmore\n")
    for _ in "twice the same":
        ablation.pareto.write(result, tmp_path)
    lines = page.read_text().splitlines()
    assert lines[0] == "# Log" and lines[-1] == "more" and "old" not in lines
    assert sum(line.startswith("| toy | ") for line in lines) == 2
    plot = ElementTree.parse(tmp_path / "pareto.svg")
    assert len(plot.findall("{*}circle")) == 2
