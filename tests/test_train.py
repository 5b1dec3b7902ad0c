"""From marked texts to a smaller, faster net: what each step promises, on toy data, in seconds."""

import json
import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
from click.testing import CliRunner  # noqa: E402
from msgspec.structs import replace  # noqa: E402
from onnx import numpy_helper  # noqa: E402

from scrubjay import cli  # noqa: E402
from scrubjay.errors import InputError, UsageError  # noqa: E402
from scrubjay.marked import unmark  # noqa: E402
from scrubjay.model.lexicon import Lexicon  # noqa: E402
from scrubjay.model.tagger import Tagger  # noqa: E402
from scrubjay.model.tags import CLASSES, TAGS, begin  # noqa: E402
from scrubjay.model.tokens import SPECIAL, Tokens  # noqa: E402
from scrubjay.train import batches, chain, distil, fit, material, prune, run, synth  # noqa: E402
from scrubjay.train.corpora import Example  # noqa: E402
from scrubjay.train.fit import Plan  # noqa: E402
from scrubjay.train.net import Size, build, surprise  # noqa: E402
from scrubjay.train.run import Run  # noqa: E402
from scrubjay.train.targets import Targets  # noqa: E402

torch.set_num_threads(1)
NAMES = ["anna", "boris", "carla", "dmitri", "elena", "farid", "greta", "hugo", "ines", "jonas"]
TALK = "the visit of was short and her letter came late with some papers from home"
WORDS = TALK.split()
LETTERS = [*"abcdefghijklmnopqrstuvwxyz.,", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz")]
PIECES = [*SPECIAL, *LETTERS, *NAMES, *WORDS]
SIZES = {
    "conv": Size(len(PIECES), width=24, layers=3, inner=32),
    "encoder": Size(len(PIECES), width=24, layers=3, inner=32, heads=4),
}
PLAN = Plan(rate=5e-3, batch=200, minutes=1e9, units=12_000, forget=0.0, seed=3)
KINDS = pytest.mark.parametrize("kind", SIZES)


def tokens(pieces=PIECES):
    return Tokens(pieces)


def toy(count, seed=0):
    """Names stand anywhere among words that are none."""
    dice = random.Random(seed)
    for number in range(count):
        words = [dice.choice(WORDS) for _ in range(8)]
        words[dice.randrange(8)] = f"[[PERSON|{dice.choice(NAMES).title()}]]"
        yield synth.example(unmark(f"toy{number}", " ".join(words) + "."))


def packed(count=60, seed=0):
    return batches.pack(toy(count, seed), tokens(), Targets())


def fresh(kind, seed=1):
    torch.manual_seed(seed)
    return build(SIZES[kind]).eval()


def some(kind, count=20, seed=9, given=None):
    """Batches with their sets."""
    data = given or packed(count, seed)
    made = batches.batches(data, 200, np.random.default_rng(0), encoder=kind == "encoder")
    return [(batch, batches.sets_of(data)) for batch in made]


@torch.no_grad()
def scores(net, pairs):
    return [net(*fit.inputs(net, batch)) * batch.mask.unsqueeze(-1) for batch, _ in pairs]


@torch.no_grad()
def loss(net, pairs):
    values = [surprise(net(*fit.inputs(net, b)), b.targets, sets, b.mask) for b, sets in pairs]
    return float(sum(values) / len(values))


def same(one, other, pairs, tolerance=1e-5):
    for left, right in zip(scores(one, pairs), scores(other, pairs), strict=True):
        torch.testing.assert_close(left, right, atol=tolerance, rtol=1e-4)


def silent(line):
    pass


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    return fit.fit(fresh("conv"), lambda epoch: packed(seed=epoch), PLAN, folder, tell=silent)


# --- the loss


def test_what_a_corpus_does_not_mark_is_not_taught_as_a_miss():
    """A date outside the spans of a corpus that marks no dates: O and B-DATE are both right."""
    targets = Targets()
    unmarked = targets.number([0, begin("DATE")])
    marked = targets.number([0])
    given = torch.zeros(1, 1, len(TAGS), requires_grad=True)
    with torch.no_grad():
        given[0, 0, begin("DATE")] = 20.0  # sure of a date
    assert pull(given, targets, unmarked)[begin("DATE")] == pytest.approx(0, abs=1e-4)
    assert pull(given, targets, marked)[begin("DATE")] > 0.99


def pull(given, targets, number):
    """Where the loss draws the scores: against a tag if positive."""
    sets, one = torch.from_numpy(targets.table()), torch.ones(1, 1)
    value = surprise(given, torch.tensor([[number]]), sets, one)
    return torch.autograd.grad(value, given)[0][0, 0]


def test_a_free_choice_falls_to_what_is_usual():
    """Not to whatever class the net began to like."""
    targets = Targets()
    place = targets.number([begin("CITY"), begin("FACILITY")])
    unmarked = targets.number([0, begin("FACILITY")])
    given = torch.zeros(1, 1, len(TAGS), requires_grad=True)
    for number in (place, unmarked):
        drawn = pull(given, targets, number)
        assert drawn.argmin() == (begin("CITY") if number == place else 0)
        assert drawn[begin("FACILITY")] > drawn.min() / 2


def test_padding_and_texts_without_marks_weigh_nothing():
    net = fresh("conv").train()
    plain = [Example("p", "the visit of anna was short", (), frozenset())]
    data = batches.pack([*plain, *plain], tokens(), Targets())
    [(batch, sets)] = some("conv", given=data)
    value = surprise(net(*fit.inputs(net, batch)), batch.targets, sets, batch.mask)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-5)
    assert max(float(w.grad.abs().max()) for w in net.parameters() if w.grad is not None) < 1e-6


# --- fit


@pytest.mark.parametrize("half", [False, True], ids=["float", "bfloat"])
@KINDS
def test_fit_learns(kind, half, tmp_path):
    pairs = some(kind)
    before = loss(fresh(kind), pairs)
    plan = replace(PLAN, half=half, drop=0.0 if half else PLAN.drop)
    net = fit.fit(fresh(kind), lambda epoch: packed(seed=epoch), plan, tmp_path, tell=silent)
    assert loss(net, pairs) < 0.1 * before
    same(net, fit.load(tmp_path / "net.pt"), pairs)


class Killed(Exception):
    """Somebody pulled the plug."""


def mortal(steps):
    """A loss that ends after some steps."""
    left = [steps]

    def value(net, batch, sets):
        left[0] -= 1
        if not left[0]:
            raise Killed
        return fit.marked(net, batch, sets)

    return value


@KINDS
@pytest.mark.parametrize("steps", [3, 7])
def test_fit_goes_on_to_the_same_net_after_being_killed(kind, steps, tmp_path):
    plan = Plan(rate=5e-3, batch=200, minutes=1e9, units=3000, forget=0.3, save_every=0)

    def source(epoch):
        return packed(20, epoch)

    whole = fit.fit(fresh(kind), source, plan, tmp_path / "whole", tell=silent)
    with pytest.raises(Killed):
        fit.fit(fresh(kind), source, plan, tmp_path / "cut", mortal(steps), tell=silent)
    rest = fit.fit(fresh(kind, seed=5), source, plan, tmp_path / "cut", tell=silent)
    for one, other in zip(whole.parameters(), rest.parameters(), strict=True):
        assert torch.equal(one, other)


def test_fit_that_is_done_stays_done(tmp_path):
    plan = Plan(batch=200, minutes=1e9, units=500)
    net = fit.fit(fresh("conv"), lambda epoch: packed(20), plan, tmp_path, tell=silent)
    again = fit.fit(fresh("conv", 5), lambda epoch: pytest.fail("asked for data"), plan, tmp_path)
    same(net, again, some("conv"))


def test_a_net_of_before_sizes_had_lists_still_loads(tmp_path):
    net = fresh("conv")
    told = {"vocabulary": len(PIECES), "width": 24, "layers": 3, "inner": 32, "heads": 0}
    old = {"size": {**told, "embedding": 0, "positions": 512}, "weights": net.state_dict()}
    torch.save(old, tmp_path / "net.pt")
    same(net, fit.load(tmp_path / "net.pt"), some("conv"))


# --- distil


@KINDS
def test_a_student_comes_near_its_teacher_without_any_marks(kind, teacher, tmp_path):
    plain = [Example(e.name, e.text, (), frozenset()) for e in toy(80, 5)]
    judge = [distil.Teacher(teacher, tokens())]
    source = distil.source(lambda turn: distil.packed(plain, tokens(), judge), tmp_path, name="2")
    student = fit.fit(fresh(kind, 7), source, PLAN, tmp_path, distil.loss(2.0, 0.9), silent)
    assert loss(student, some(kind)) < 0.2 * loss(fresh(kind, 7), some(kind))
    data = distil.packed(toy(20, 30), tokens(), judge)
    [far, near] = (apart(net, kind, data) for net in (fresh(kind, 7), student))
    assert near < 0.1 * far


@torch.no_grad()
def apart(net, kind, data):
    pairs = some(kind, given=data)
    values = [distil.distance(net(*fit.inputs(net, b)), b, 2.0) for b, _ in pairs]
    return float(sum(values) / len(values))


def test_what_teachers_say_is_kept_and_asked_once_for_several_epochs(teacher, tmp_path):
    asked = []

    def ask(turn):
        asked.append(turn)
        return distil.packed(toy(5, turn), tokens(), [distil.Teacher(teacher, tokens())])

    source = distil.source(ask, tmp_path, 3, name="2")
    first = source(0)
    assert first.shares.dtype == np.float16 and first.tops.shape == (len(first.pieces), distil.TOPS)
    np.testing.assert_allclose(first.shares.sum(1, dtype=float), 1, atol=2e-3)
    assert all(map(np.array_equal, first, source(2))) and asked == [0]
    source(3)
    assert asked == [0, 1] and len([*tmp_path.glob("judged-*")]) == 1


def test_teachers_of_other_kinds_and_vocabularies_are_averaged(teacher):
    fewer = PIECES[: len(SPECIAL) + len(LETTERS)]
    other = build(Size(len(fewer), width=16, layers=1, inner=16, heads=2)).eval()
    judges = [distil.Teacher(teacher, tokens()), distil.Teacher(other, tokens(fewer))]
    both = distil.packed(toy(5), tokens(), judges, tops=len(TAGS))
    each = [distil.packed(toy(5), tokens(), [judge], tops=len(TAGS)) for judge in judges]
    mean = sum(spread(one) for one in each) / 2
    np.testing.assert_allclose(spread(both), mean, atol=2e-3)


def test_what_no_corpus_says_is_taken_from_teachers_that_agree():
    open_, closed = np.full(5, -1e4, np.float32), np.full(5, -1e4, np.float32)
    open_[[0, 2, 3]] = closed[1] = 0
    marks = np.array([0, 0, 0, 0, 1], np.uint16)
    data = packed(1)._replace(targets=marks, sets=np.stack([open_, closed]))
    least = np.full((5, 5), 0.01, np.float32)
    least[0, 2] = least[1, 1] = least[2, 0] = least[4, 2] = (
        0.95  # allowed, not, allowed, said otherwise
    )
    least[3, 3] = 0.6  # not sure
    found = distil.agreed(data, least)
    kept = [set(np.flatnonzero(row == 0)) for row in found.sets[found.targets]]
    assert kept == [{2}, {0, 2, 3}, {0}, {0, 2, 3}, {1}]


def spread(data):
    found = np.zeros((len(data.pieces), len(TAGS)))
    np.put_along_axis(found, data.tops.astype(int), data.shares[:, : len(TAGS)].astype(float), 1)
    return found


def test_tags_that_were_not_kept_are_not_unlearnt():
    """A teacher that finds all tags alike: a student that does, too, is right to."""
    teacher = build(SIZES["conv"]).eval()
    for weight in teacher.tags.parameters():
        weight.data.zero_()
    data = distil.packed(toy(3), tokens(), [distil.Teacher(teacher, tokens())], tops=3)
    assert apart(teacher, "conv", data) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("tops", [4, len(TAGS)])
def test_a_student_that_says_what_its_teacher_says_is_at_no_distance(teacher, tops):
    data = distil.packed(toy(5), tokens(), [distil.Teacher(teacher, tokens())], tops=tops)
    assert apart(teacher, "conv", data) == pytest.approx(0, abs=1e-3)
    with pytest.raises(UsageError, match="teacher"):
        distil.packed(toy(5), tokens(), [])


# --- prune


def without_neurons(net, layer, places):
    """Neurons that say nothing: their columns are zero."""
    reader = net.layers[layer].down if hasattr(net.layers[layer], "down") else net.layers[layer].out
    with torch.no_grad():
        reader.weight[:, places] = 0


@KINDS
@pytest.mark.parametrize("by", ["importance", "weights"])
def test_neurons_that_say_nothing_go_and_scores_stay(kind, by):
    net, pairs = fresh(kind), some(kind)
    gone = {0: [1, 5, 30], 1: [0], 2: [*range(8)]}
    for layer, places in gone.items():
        without_neurons(net, layer, places)
    told = (
        prune.importance(net, pairs, "neurons")
        if by == "importance"
        else prune.weights(net, "neurons")
    )
    kept = prune.best(told, 1 - 12 / 96)
    assert kept == [[n for n in range(32) if n not in gone[layer]] for layer in range(3)]
    smaller = prune.neurons(net, kept)
    assert smaller.size.inners == (29, 31, 24)
    same(net, smaller, pairs)


@pytest.mark.parametrize("by", ["importance", "weights"])
def test_heads_that_say_nothing_go_and_scores_stay(by):
    net, pairs = fresh("encoder"), some("encoder")
    gone = {0: [2], 1: [0, 3], 2: []}
    with torch.no_grad():
        for layer, numbers in gone.items():
            for head in numbers:
                net.layers[layer].out.weight[:, head * 6 : head * 6 + 6] = 0
    told = (
        prune.importance(net, pairs, "heads") if by == "importance" else prune.weights(net, "heads")
    )
    smaller = prune.heads(net, prune.best(told, 9 / 12))
    assert smaller.size.attends == (3, 2, 4)
    assert smaller.layers[1].qkv.weight.shape == (36, 24)
    same(net, smaller, pairs)


@KINDS
def test_layers_that_do_nothing_go_and_scores_stay(kind):
    net, pairs = fresh(kind), some(kind)
    if kind == "conv":
        for weight in net.layers[2].out.parameters():
            weight.data.zero_()
        smaller = prune.layers(net, [0, 1])
    else:  # its layers end in a norm, so none does nothing; the others must stay as they are
        smaller = prune.layers(net, [0, 2])
        net.layers = torch.nn.ModuleList([net.layers[0], net.layers[2]])
    assert len(smaller.layers) == 2
    same(net, smaller, pairs)


def test_a_convolution_keeps_its_distance_when_one_before_it_goes():
    net, pairs = fresh("conv"), some("conv")
    for weight in net.layers[0].out.parameters():
        weight.data.zero_()
    smaller = prune.layers(net, [1, 2])
    assert smaller.size.distances == (1, 2)
    same(net, smaller, pairs)
    assert len(prune.thin(net, pairs, 2).layers) == 2


@KINDS
def test_pieces_that_no_text_has_go_and_scores_stay(kind):
    net = fresh(kind)
    texts = [example.text for example in toy(20, 9)]
    counts = prune.frequency(PIECES, texts)
    smaller, left = prune.vocabulary(net, PIECES, counts, len(SPECIAL) + len(LETTERS) + 20)
    assert left[: len(SPECIAL)] == [*SPECIAL] and {*LETTERS} <= {*left} < {*PIECES}
    known = [word for word in texts[0].rstrip(".").lower().split() if word in left]
    example = Example("x", " ".join(known), (), frozenset())
    data = [batches.pack([example], tokens(which), Targets()) for which in (PIECES, left)]
    [one], [other] = (some(kind, given=given) for given in data)
    torch.testing.assert_close(scores(net, [one])[0], scores(smaller, [other])[0])


@KINDS
def test_a_word_that_is_no_piece_any_more_has_parts(kind):
    _, left = prune.vocabulary(fresh(kind), PIECES, prune.frequency(PIECES, []), 0)
    assert left == [*SPECIAL, *LETTERS]
    parts = [left[n] for n in tokens(left).pieces("Anna")]
    assert parts == ["a", "##n", "##n", "##a"]


@KINDS
def test_embeddings_get_narrow_where_nothing_was_in_the_rest(kind):
    net, pairs = fresh(kind), some(kind)
    table = net.words.weight.data
    table[1:] = torch.randn(len(table) - 1, 5) @ torch.randn(5, 24) + torch.randn(24)
    smaller = prune.embedding(net, 5)
    assert smaller.words.weight.shape == (len(PIECES), 5)
    same(net, smaller, pairs, 1e-3)
    same(smaller, prune.embedding(smaller, 5), pairs, 1e-3)


@KINDS
def test_all_cuts_together_are_saved_and_loaded_and_trained_on(kind, tmp_path):
    pairs = some(kind)
    net = prune.layers(fresh(kind), [0, 2])
    net = prune.neurons(net, prune.best(prune.weights(net, "neurons"), 0.5, least=8, step=8))
    if kind == "encoder":
        net = prune.heads(net, prune.best(prune.weights(net, "heads"), 0.5))
    net = prune.embedding(net, 8)
    assert all(inner % 8 == 0 for inner in net.size.inners)
    fit.save(net, tmp_path / "net.pt")
    again = fit.load(tmp_path / "net.pt")
    assert again.size == net.size
    same(net, again, pairs)
    trained = fit.fit(again, lambda epoch: packed(seed=epoch), PLAN, tmp_path, tell=silent)
    assert loss(trained, pairs) < 0.3 * loss(net, pairs)


def test_cuts_leave_the_old_net_alone():
    net = fresh("encoder")
    before = [weight.clone() for weight in net.parameters()]
    prune.neurons(net, [[0], [1], [2]])
    prune.embedding(net, 4)
    prune.importance(net, some("encoder"), "heads")
    assert all(map(torch.equal, before, net.parameters()))


# --- commands


def call(*words):
    done = CliRunner().invoke(cli.group, ["train", *map(str, words)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def begun(tmp_path, teacher):
    steps = ({"step": "fit", "scrubjay": "test"},)
    run.save(Run(teacher, PIECES, Lexicon.of({"anna": 1}), steps), tmp_path / "begun")
    return tmp_path / "begun"


def test_the_chain_from_a_run_to_an_int8_bundle(begun, tmp_path, monkeypatch):
    usual = material.Material.__init__.__kwdefaults__
    monkeypatch.setattr(material.Material.__init__, "__kwdefaults__", {**usual, "synthetic": 100})
    some_time = ["--minutes", "0.001", "--threads", "1"]
    call("fit", "--from", begun, *some_time, "-o", tmp_path / "more")
    told = call(
        "prune", tmp_path / "more", "--layers", 2, "--neurons", 0.5, "-o", tmp_path / "less"
    )
    assert "weights before" in told
    call("distil", tmp_path / "more", "--from", tmp_path / "less", *some_time, "-o", tmp_path / "s")
    call("export", tmp_path / "s", "-o", tmp_path / "fp32")
    call("quantize", tmp_path / "fp32", "-o", tmp_path / "int8")
    same(run.load(tmp_path / "s").net, run.load(tmp_path / "fp32").net, some("conv"))
    same(run.load(tmp_path / "s").net, run.load(tmp_path / "int8").net, some("conv"), 0.5)
    bundle = json.loads((tmp_path / "int8/bundle.json").read_text())
    done = [step["step"] for step in bundle["origin"]["steps"]]
    assert done == ["fit", "fit", "prune", "distil", "quantize"]
    assert bundle["classes"] == [*CLASSES] and bundle["name"] == "int8"
    assert "--recall 0.9: threshold" in call("calibrate", tmp_path / "int8")
    call("pair", tmp_path / "int8", tmp_path / "fp32", "-o", tmp_path / "both")
    assert "temperature 1.000" in call("calibrate", tmp_path / "both")
    found = Tagger(tmp_path / "int8").bundle.calibration
    assert found.documents > 50 and found.thresholds["0.99"] <= found.thresholds["0.9"]


def test_the_mean_of_nets_lies_between_them(begun, teacher, tmp_path):
    other = fresh("conv")
    other.load_state_dict({k: v + 0.02 for k, v in teacher.state_dict().items()})
    run.save(run.load(begun)._replace(net=other), tmp_path / "other")
    assert "2 nets" in call(
        "average", begun, tmp_path / "other", "--share", 0.75, "-o", tmp_path / "mean"
    )
    mean = run.load(tmp_path / "mean")
    assert mean.steps[-1] == {"step": "average", "nets": 2, "share of the first": 0.75}
    for name, weight in mean.net.state_dict().items():
        assert torch.allclose(weight, teacher.state_dict()[name] + 0.005, atol=1e-5), name
    with pytest.raises(UsageError, match="two at least"):
        call("average", begun, "-o", tmp_path / "one")


@KINDS
def test_a_bundle_can_be_trained_on(kind, tmp_path):
    """Its net is the one that was exported, but for what eight bits lose."""
    net, pairs = prune.embedding(fresh(kind), 8), some(kind)
    for weight in net.parameters():  # as training would: alike ones are exported as one
        weight.data += 0.01 * torch.rand_like(weight)
    chain.exported(Run(net, PIECES, Lexicon.of({}), ({"step": "fit"},)), tmp_path / "fp32")
    chain.quantized(tmp_path / "fp32", tmp_path / "int8", material.held_back()[:9])
    for name, tolerance in (("fp32", 1e-4), ("int8", 0.05)):
        again = run.load(tmp_path / name)
        assert again.steps[0] == {"step": "fit"} and again.vocabulary == PIECES
        assert b".py" not in (tmp_path / name / "model.onnx").read_bytes(), "nor who made it, where"
        same(net, again.net, pairs, tolerance)


def test_products_of_eight_bits_fit_into_sixteen_by_pairs(begun, tmp_path):
    """Where they do not, CPUs without VNNI cut them off in silence."""
    chain.exported(run.load(begun), tmp_path / "fp32")
    chain.quantized(tmp_path / "fp32", tmp_path / "int8", material.held_back()[:9])
    graph = onnx.load(tmp_path / "int8/model.onnx").graph
    tables = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    weights = [w for w in graph.initializer if w.name.endswith(".int8") and w.name not in tables]
    assert len(weights) == 2 * SIZES["conv"].layers
    for weight in weights:
        assert 2 * 255 * int(np.abs(numpy_helper.to_array(weight)).max()) < 2**15


def test_a_bundle_of_somebody_else_is_told(tmp_path):
    chain.exported(Run(fresh("conv"), PIECES, Lexicon.of({})), tmp_path)
    file = tmp_path / "bundle.json"
    told = json.loads(file.read_text())
    told["origin"] = {"size": {"vocabulary": 7}}
    file.write_text(json.dumps(told))
    with pytest.raises(InputError, match="not a net that scrubjay train export wrote"):
        run.load(tmp_path)


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(InputError, match=r"lacks net\.pt"):
        run.load(tmp_path)


def test_another_net_is_not_overwritten(begun):
    with pytest.raises(UsageError, match="holds a net already"):
        call("prune", begun, "--layers", 1, "-o", begun)


def test_a_prune_of_nothing_or_of_heads_of_a_conv_is_told(begun, tmp_path):
    with pytest.raises(UsageError, match="prune what"):
        call("prune", begun, "-o", tmp_path / "x")
    with pytest.raises(UsageError, match="no attention heads"):
        call("prune", begun, "--heads", 0.5, "-o", tmp_path / "x")
