"""Many tasks go in one message: none is lost but the one that kills its process."""

import os
import signal

from scrubjay.run.pool import MANY, Pool


def test_of_tasks_in_one_message_only_the_one_that_kills_is_lost():
    def answer(task):
        if task in (150, 151):
            os.kill(os.getpid(), signal.SIGKILL)
        return -task

    pool = Pool(lambda: answer, lambda task, why: why, lambda task: 60.0, size=1)
    got = list(pool.map(range(300)))
    assert len(pool._bundle(enumerate(range(300)))) == MANY, "quick ones go together"
    pool.close()
    assert [task for task, told in enumerate(got) if told != -task] == [150, 151]
    assert got[150] == got[151] == "its reader died"


def test_a_message_ends_with_what_takes_a_moment():
    pool = Pool(lambda: abs, None, lambda task: 60.0, size=1, weight=float)
    pool._pace = 1e-6
    assert [len(pool._bundle(enumerate(some))) for some in ([10] * 99, [10, 1e6, 10], [])] == [
        MANY, 2, 0
    ]  # fmt: skip
    pool.close()
