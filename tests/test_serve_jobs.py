"""What was accepted as a job is done, whatever is killed; nothing leads out of its folders."""

import io
import os
import signal
import threading
import time
import zipfile

import pytest

for needed in ("starlette", "uvicorn", "httpx", "apsw", "pyrage"):
    pytest.importorskip(needed)

from serving import NOTE, logged, service, started, until  # noqa: E402

from scrubjay.access.people import Caller  # noqa: E402
from scrubjay.serve import foreman, joblist  # noqa: E402
from scrubjay.serve.foreman import Foreman  # noqa: E402
from scrubjay.serve.joblist import Job  # noqa: E402

OVER = ("done", "stopped", "failed")
MANY = 1000  # files of a job that is stopped before its end


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "data").mkdir()
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        service(monkeypatch, folder, jobs_in=(folder / "data",)) as one,
    ):
        yield one, folder / "data"


def packed(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return stream.getvalue()


def upload(client, data):
    return client.post("/v1/jobs", content=data, headers={"Content-Type": "application/zip"})


def ended(client, id):
    def over():
        told = client.get(f"/v1/jobs/{id}").json()
        return told if told["state"] in OVER else None

    return until(over, 60)


def test_an_archive_comes_back_clean_with_a_report_and_a_list(served):
    one, _ = served
    files = {"of ann.lee@example.org/a.txt": NOTE, "b.csv": f"note\n{NOTE!r}\n", "c.txt": b"\0\1"}
    answer = upload(one.client, packed(**files))
    assert answer.status_code == 202
    id = answer.json()["id"]
    told = ended(one.client, id)
    assert (told["state"], told["files"], told["done"], told["quarantined"]) == ("done", 3, 3, 1)
    assert told["why"] == "" and told["upload"] and told["who"] == "desk"
    output = zipfile.ZipFile(io.BytesIO(one.client.get(f"/v1/jobs/{id}/output").content))
    assert len(output.namelist()) == 2
    for name in output.namelist():
        assert "4399" not in output.read(name).decode()
    assert one.client.get(f"/v1/jobs/{id}/report").json()["labels"]["SSN"] == 2
    page = one.client.get(f"/v1/jobs/{id}/report?page=1")
    assert page.headers["Content-Type"].startswith("text/html") and "ann.lee" not in page.text
    assert one.client.get(f"/v1/jobs/{id}/quarantine").text.startswith("c.txt\t")
    assert [entry.about for entry in logged(one, "anonymize")].count(f"job {id}") == 2
    told = [
        entry.about for kind in ("output", "quarantine") for entry in logged(one, f"jobs.{kind}")
    ]
    assert told == [f"job {id}"] * 2  # who had files and names is in the log
    assert one.client.get("/v1/jobs").json()[0]["id"] == id
    a_sample_bounds_what_is_left(one, id)
    by_admin = {"Authorization": f"Bearer {one.keys['admin']}"}
    assert one.client.get(f"/v1/jobs/{id}", headers=by_admin).status_code == 200
    for path in ("output", "quarantine"):  # who administers sees no document and no name
        assert one.client.get(f"/v1/jobs/{id}/{path}", headers=by_admin).status_code == 403


def a_sample_bounds_what_is_left(one, id):
    """Of the job of the test above, for jobs take their time."""
    url = f"/v1/review/{id}"
    told = one.client.get(url).json()
    assert len(told["items"]) == 2 and told["reviewed"]["bound_per_10000_words"] is None
    assert "[SSN 1]" in told["items"][0]["text"] and "4399" not in str(told)
    item = told["items"][0]["item"]
    marked = one.client.post(f"{url}/marks", json={"item": item, "missed": 1}).json()
    assert marked["looked"] == 1 and marked["left"] == 1
    assert marked["bound_passages"] == 1.0  # one passage bounds nothing
    told = one.client.get(f"{url}?count=1").json()
    assert told["items"][0]["missed"] == 1 and len(told["items"]) == 2  # as it was drawn
    for wrong in ({"item": "x#0", "missed": 0}, {"item": item, "missed": 99}):
        assert one.client.post(f"{url}/marks", json=wrong).status_code == 400
    assert one.client.post(f"{url}/marks", json={"item": item, "missed": None}).json() == {
        "left": 0, "looked": 0, "words": 0, "bound_per_10000_words": None, "bound_passages": None,
    }  # fmt: skip
    assert [entry.who for entry in logged(one, "review")] == ["desk"] * 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (packed(**{"../a.txt": NOTE}), "leads out of the archive"),
        (b"no archive", "zip: damaged"),
    ],
)
def test_an_archive_that_means_harm_fails_and_writes_nothing(served, data, why):
    one, _ = served
    id = upload(one.client, data).json()["id"]
    told = ended(one.client, id)
    assert told["state"] == "failed" and why in told["why"] and told["done"] == 0


def test_a_folder_comes_out_clean_and_a_second_job_does_what_is_new(served):
    one, data = served
    (data / "in").mkdir()
    (data / "in/a.txt").write_text(NOTE)
    (data / "in/b.log").write_text(NOTE)
    asked = {"input": str(data / "in"), "output": str(data / "out"), "only": ["*.txt"]}
    for text in (NOTE, f"{NOTE} again"):
        (data / "in/a.txt").write_text(text)
        told = ended(one.client, one.client.post("/v1/jobs", json=asked).json()["id"])
        assert told["state"] == "done", told
        assert [path.name for path in (data / "out").iterdir()] == ["a.txt"]
    assert (data / "out/a.txt").read_text() == "Mr. [PERSON 1], SSN [SSN 1], seen 2024 again"


def test_no_folder_but_those_that_jobs_may_use(served, tmp_path):
    one, data = served
    (data / "link").symlink_to(tmp_path)
    for source in (str(tmp_path), str(data / "link"), f"{data}/../", "in", "/"):
        asked = {"input": source, "output": str(data / "out2")}
        answer = one.client.post("/v1/jobs", json=asked)
        assert answer.status_code == 400, source
    (data / "in3").mkdir()
    for out in (str(tmp_path), str(data / "in3/out"), str(data)):
        answer = one.client.post("/v1/jobs", json={"input": str(data / "in3"), "output": out})
        assert answer.status_code == 400, out
    assert one.client.get("/v1/jobs/..%2f..").status_code in (400, 404)


def test_a_foreman_reads_no_job_while_nothing_becomes_of_one(served, monkeypatch):
    one, _ = served
    looks, look = [], Foreman._look
    monkeypatch.setattr(foreman, "NEW", 0)
    monkeypatch.setattr(Foreman, "_look", lambda self: (looks.append(1), look(self)))
    time.sleep(2 * foreman.LOOK + 0.2)
    looks.clear()
    time.sleep(2 * foreman.LOOK + 0.2)
    assert not looks
    id = upload(one.client, b"no archive").json()["id"]
    assert ended(one.client, id)["state"] == "failed" and looks


def test_a_killed_service_goes_on_with_what_it_had_and_a_stopped_job_when_it_is_told_to(tmp_path):
    files = {f"{n}.txt": f"{NOTE} {n}" for n in range(MANY)}
    options = ("--profile", "patterns", "--processes", "1")
    with started(*options, home=tmp_path) as (client, process):
        id = upload(client, packed(**files)).json()["id"]
        until(lambda: client.get(f"/v1/jobs/{id}").json()["done"], 60)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (tmp_path / "cache").unlink()
    with started(*options, home=tmp_path) as (client, _):
        client.post(f"/v1/jobs/{id}/stop")
        told = ended(client, id)
        assert told["state"] == "stopped" and told["done"] < MANY, told
        client.post(f"/v1/jobs/{id}/resume")
        told = ended(client, id)
        assert (told["state"], told["done"], told["quarantined"]) == ("done", MANY, 0), told
        output = zipfile.ZipFile(io.BytesIO(client.get(f"/v1/jobs/{id}/output").content))
        assert len(output.namelist()) == MANY
        assert not (tmp_path / f"serve/jobs/{id}/in").exists()
        assert client.delete(f"/v1/jobs/{id}").status_code == 200
        assert not (tmp_path / f"serve/jobs/{id}").exists()


def test_who_lets_a_job_go_on_in_the_moment_it_stops_is_heard(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRUBJAY_HOME", str(tmp_path))
    job = Job(joblist.new_id(), Caller("desk"), 0)
    joblist.add(job)
    job.stops.touch()
    stand = joblist.stand

    def stand_late(job, state, **more):
        job.stops.unlink(missing_ok=True)  # who resumes has seen it waiting
        stand(job, state, **more)

    monkeypatch.setattr(joblist, "stand", stand_late)
    monkeypatch.setattr(Foreman, "__init__", lambda self: None)
    one = Foreman()
    one._over = threading.Event()
    one._do(job)
    assert joblist.standing(job).state == joblist.WAITING
