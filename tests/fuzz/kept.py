"""What long work keeps for itself, to go on with."""

import json

from tests.fuzz.bases import TextKind
from tests.fuzz.mutate import damaged_values
from vlfau.batch.worker import CrashLog
from vlfau.files.same_settings import start_or_resume_folder
from vlfau.runs.resume import ResumeFile

SETTINGS = {"model": "default", "describe": "changes", "every": 0.2, "start": None, "inputs": ["a.png", "b.mp4"]}


class _Settings(TextKind):
    def damage(self, name, content, rng):
        if rng.random() < 0.5:
            return json.dumps(damaged_values(json.loads(content), rng)).encode("utf-8", "surrogatepass")
        return super().damage(name, content, rng)


class Run(_Settings):
    """Beside an unfinished table."""

    def prepare(self):
        run = ResumeFile(self.seeds / "results.csv", SETTINGS)
        run.begin(resume=False)
        run.close()

    def read(self, path):
        run = ResumeFile(path.with_name("results.csv"), SETTINGS)
        assert run.exists()
        run.check()
        run.begin(resume=True)
        run.close()


class Claim(_Settings):
    """In a folder of results."""

    def prepare(self):
        start_or_resume_folder(self.seeds / "out", SETTINGS)
        (self.seeds / "out" / "settings.json").rename(self.seeds / "settings.json")
        (self.seeds / "out").rmdir()

    def read(self, path):
        start_or_resume_folder(path.parent, SETTINGS)


class Crashes(TextKind):
    """Of a worker over files."""

    separators = " \n"

    def prepare(self):
        crashes = CrashLog(self.seeds / "unit")
        for file in ("a", "b"):
            crashes.begin(file)
        crashes.end("a")

    def read(self, path):
        crashes = CrashLog(path)
        crashes.begin("c")
        assert CrashLog(path).crash_count("c") >= 0
