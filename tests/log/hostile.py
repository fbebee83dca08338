"""Files made to harm who reads them: no command may write anywhere else, load code, or show what the file did not hold.

hostile.py SPINET PLUGIN      (PLUGIN: a shared library with a synapse model that is not built in)
"""
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import h5py
import numpy as np

SPINET, PLUGIN = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
NETWORK = """\
spinet: 1
duration: 100 ms
populations:
  exc: {model: lif_exp, size: 10, params: {I_dc: 500 pA}}
projections:
  p: {from: exc, to: exc, connect: {fixed_indegree: 3}, synapse: {model: MODEL, weight: 10 pA, delay: 1 ms}}
record: {spikes: [exc], edges: [p], reports: {population: exc, variable: V, every: 1 ms}}
"""
REPLAY = """\
spinet: 1
duration: 100 ms
populations:
  again: {model: spike_source, size: 10, spikes: {file: LOG, population: exc}}
record: {spikes: [again]}
"""
DIRECTIONS = "\u202e\u202a\u2066\u2069\u200f\u061c\u2028"
ESCAPE = "\x1b]0;owned\x07\x1b[31m\x9b2J"


def crc_record(kind, payload):
    head = struct.pack("<IIQ", 0x4A4E5053, kind, len(payload))
    return head + struct.pack("<II", zlib.crc32(payload, zlib.crc32(head)), 0) + payload


class Hostile(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.work, self.elsewhere = self.folder / "work", self.folder / "elsewhere"
        self.work.mkdir()
        self.elsewhere.mkdir()
        (self.work / "net.yaml").write_text(NETWORK.replace("MODEL", "static"))
        self.secret = self.elsewhere / "secret"
        self.secret.write_bytes(b"SECRET" * 2000)
        self.run_ok("run", "net.yaml", "-o", "out.h5", "--quiet", "--checkpoint-every", "40ms")

    def tearDown(self):
        self.temporary.cleanup()

    def spinet(self, *arguments, **environment):
        done = subprocess.run([SPINET, *map(str, arguments)], cwd=self.work, capture_output=True, timeout=120, env=dict(os.environ, **environment))
        return done.returncode, done.stdout + done.stderr

    def run_ok(self, *arguments, **environment):
        code, said = self.spinet(*arguments, **environment)
        self.assertEqual(code, 0, said.decode(errors="replace"))
        return said

    def everything_reads(self, expect=(2,)):
        """Every command that reads a log; nothing changes elsewhere, nothing of the secret is shown or written."""
        before = {p: p.read_bytes() for p in self.elsewhere.iterdir()}
        here = {n: (self.work / n).read_bytes() for n in ("out.h5",)}
        (self.work / "replay.yaml").write_text(REPLAY.replace("LOG", "out.h5"))
        for command in (("info", "out.h5"), ("view", "--ascii", "out.h5"), ("report", "out.h5", "--force"), ("validate", "replay.yaml"),
                        ("export", "out.h5", "--to", "csv", "-o", "csv", "--force"), ("export", "out.h5", "--to", "nwb", "-o", "out.nwb", "--force")):
            code, said = self.spinet(*command)
            self.assertIn(code, expect, (command, said))
            self.assertNotIn(b"SECRET", said)
            self.assertEqual({n: (self.work / n).read_bytes() for n in here}, here, command)
        self.spinet("info", "--repair", "out.h5")
        self.assertEqual({p: p.read_bytes() for p in self.elsewhere.iterdir()}, before)
        for made in self.work.rglob("*"):
            if made.is_file() and made.suffix != ".h5":
                self.assertNotIn(b"SECRET", made.read_bytes(), made)

    def journal(self, streams, rows):
        """A valid journal with rows for `streams`, [(dataset, bytes per row)], as if a killed run had left it."""
        with h5py.File(self.work / "out.h5", "r+") as f:
            g = f["spinet"]
            stamp = g["commit"][:].tobytes()
            offset = g["commit"].id.get_offset()
            status = g.attrs.get_id("status")
            status.write(np.array(b"running", f"S{status.get_type().get_size()}"), mtype=status.get_type())
        number, = struct.unpack("<Q", stamp[16:])
        head = struct.pack("<I16sQI", 1, stamp[:16], offset, len(streams))
        for path, width in streams:
            head += struct.pack("<III", 1, width, len(path)) + path.encode()
        commit = struct.pack("<QqQII", number, 10**8, 0, 0, len(rows))
        for stream, first, count, data in rows:
            commit += struct.pack("<IQQ", stream, first, count) + data
        (self.work / "out.h5.journal").write_bytes(crc_record(1, head) + crc_record(2, commit))

    def replace_dataset(self, name, make):
        with h5py.File(self.work / "out.h5", "r+") as f:
            units = f[name].attrs.get("units")
            del f[name]
            make(f, name)
            if units is not None and isinstance(f.get(name, getlink=True), h5py.HardLink):
                f[name].attrs["units"] = units

    # --- data elsewhere ---

    def test_external_storage(self):
        def make(f, name):
            space = h5py.h5s.create_simple((8,), (h5py.h5s.UNLIMITED,))
            made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            made.set_external(str(self.secret).encode(), 0, h5py.h5f.UNLIMITED)
            h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F64LE, space, made)

        self.replace_dataset("spikes/exc/timestamps", make)
        self.journal([("/spikes/exc/timestamps", 8)], [(0, 8, 4, b"WRITTEN!" * 4)])
        self.everything_reads()
        self.assertIn(b"external storage", self.spinet("info", "out.h5")[1])

    def test_external_storage_of_what_is_missing(self):
        target = self.elsewhere / "made"

        def make(f, name):
            space = h5py.h5s.create_simple((0,), (h5py.h5s.UNLIMITED,))
            made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            made.set_external(str(target).encode(), 0, h5py.h5f.UNLIMITED)
            h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F64LE, space, made)

        self.replace_dataset("spikes/exc/timestamps", make)
        self.journal([("/spikes/exc/timestamps", 8)], [(0, 0, 4, b"WRITTEN!" * 4)])
        self.everything_reads()
        self.assertFalse(target.exists())

    def test_virtual_dataset(self):
        with h5py.File(self.elsewhere / "source.h5", "w") as f:
            f["x"] = np.frombuffer(b"SECRET??" * 10, "f8")
        layout = h5py.VirtualLayout((10,), "f8")
        layout[:] = h5py.VirtualSource(str(self.elsewhere / "source.h5"), "x", (10,))
        self.replace_dataset("spikes/exc/timestamps", lambda f, name: f.create_virtual_dataset(name, layout))
        self.everything_reads()
        self.assertIn(b"virtual dataset", self.spinet("info", "out.h5")[1])

    def test_links(self):
        with h5py.File(self.elsewhere / "source.h5", "w") as f:
            f["timestamps"] = np.frombuffer(b"SECRET??" * 10, "f8")
            f["node_ids"] = np.zeros(10, "u8")
        whole = (self.work / "out.h5").read_bytes()
        elsewhere = str(self.elsewhere / "source.h5")
        for name, link in (("spikes/exc/timestamps", h5py.ExternalLink(elsewhere, "timestamps")), ("spikes/exc", h5py.ExternalLink(elsewhere, "/")),
                           ("spikes", h5py.ExternalLink(elsewhere, "/")), ("spinet", h5py.ExternalLink(elsewhere, "/")),
                           ("report/exc/data", h5py.SoftLink("/spinet/network")), ("report/exc", h5py.SoftLink("/spikes/exc"))):
            with self.subTest(name):
                (self.work / "out.h5").write_bytes(whole)
                with h5py.File(self.work / "out.h5", "r+") as f:
                    del f[name]
                    f[name] = link
                # A network that replays spikes alone never touches a report.
                self.everything_reads((0, 2) if name.startswith("report") else (2,))
                self.assertIn(b"is a link to elsewhere", self.spinet("info", "out.h5")[1])

    def test_foreign_filter(self):
        plugin = self.elsewhere / "libh5evil.so"
        source = self.elsewhere / "evil.c"
        source.write_text('#include <stdio.h>\n__attribute__((constructor)) static void run(void) { fclose(fopen("%s", "w")); }\n' % (self.folder / "ran"))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", plugin, source], check=True)

        def make(f, name):
            space = h5py.h5s.create_simple((8,), (h5py.h5s.UNLIMITED,))
            made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            made.set_chunk((8,))
            made.set_filter(40000, h5py.h5z.FLAG_OPTIONAL, ())
            h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F64LE, space, made)

        self.replace_dataset("spikes/exc/timestamps", make)
        code, said = self.spinet("info", "out.h5", HDF5_PLUGIN_PATH=str(self.elsewhere))
        self.assertEqual(code, 2, said)
        self.assertIn(b"such code is not loaded", said)
        self.assertFalse((self.folder / "ran").exists())

    def test_unknown_paths_in_a_journal(self):
        whole = (self.work / "out.h5").read_bytes()
        for path in ("/spinet/commit", "/spinet/network", "spikes/exc/node_ids", "/spikes/../spinet/commit", "/other", "/spikes//x", ""):
            with self.subTest(path):
                (self.work / "out.h5").write_bytes(whole)
                self.journal([(path, 1)], [(0, 24, 4, b"XXXX")])
                self.everything_reads()
                self.assertIn(b"names a dataset that no run fills", self.spinet("info", "out.h5")[1])

    def test_reading_repairs_nothing(self):
        rows = struct.pack("<4d", 99.1, 99.2, 99.3, 99.4)
        with h5py.File(self.work / "out.h5") as f:
            n = len(f["spikes/exc/timestamps"])
        self.journal([("/spikes/exc/timestamps", 8), ("/spikes/exc/node_ids", 8)], [(0, n, 4, rows), (1, n, 4, struct.pack("<4Q", 1, 2, 3, 4))])
        log, journal = (self.work / "out.h5").read_bytes(), (self.work / "out.h5.journal").read_bytes()
        self.everything_reads_whole(log, journal)
        said = self.run_ok("info", "--repair", "out.h5")
        self.assertIn(f"{n + 4}".encode(), said)
        self.assertFalse((self.work / "out.h5.journal").exists())

    def everything_reads_whole(self, log, journal):
        (self.work / "replay.yaml").write_text(REPLAY.replace("LOG", "out.h5"))
        said = self.run_ok("info", "out.h5")
        self.assertIn(b"rows are in the journal", said)
        for command in (("info", "out.h5"), ("view", "--ascii", "out.h5"), ("report", "out.h5", "--force"), ("validate", "replay.yaml"),
                        ("run", "replay.yaml", "-o", "replayed.h5", "--quiet", "--force"), ("export", "out.h5", "--to", "csv", "-o", "csv", "--force")):
            self.run_ok(*command)
            self.assertEqual(((self.work / "out.h5").read_bytes(), (self.work / "out.h5.journal").read_bytes()), (log, journal), command)
        self.assertIn("99.4,4\n", (self.work / "csv/spikes_exc.csv").read_text())
        with h5py.File(self.work / "replayed.h5") as f:
            self.assertIn(99.4, f["spikes/again/timestamps"][:])

    # --- checkpoints ---

    def checkpoint(self):
        return max(self.work.glob("out.ckpt.*.h5"))

    def seal(self):
        """Whoever makes a checkpoint can give it the right digest."""
        contents = self.checkpoint().read_bytes()
        if contents[-40:-32] == b"SPCKSEAL":
            contents = contents[:-40]
        self.checkpoint().write_bytes(contents + b"SPCKSEAL" + hashlib.sha256(contents).digest())

    def change_text(self, name, text):
        with h5py.File(self.checkpoint(), "r+") as f:
            del f[name]
            f.create_dataset(name, data=np.bytes_(text), dtype=h5py.string_dtype("utf-8", len(text)))
        self.seal()

    def test_a_log_elsewhere(self):
        other = self.elsewhere / "out.h5"
        shutil.copy(self.work / "out.h5", other)
        (self.elsewhere / "out.h5.journal").write_bytes(b"not to be deleted")
        (self.elsewhere / "out.h5.before").write_bytes(b"not to be moved")
        before = {p: p.read_bytes() for p in self.elsewhere.iterdir()}
        for name in (str(other), "../elsewhere/out.h5", "..", ".", "/", "./../elsewhere/out.h5"):
            with self.subTest(name):
                self.change_text("log", name)
                for more in ((), ("-o", "new.h5", "--force")):
                    code, said = self.spinet("resume", self.checkpoint().name, *more)
                    self.assertEqual(code, 2 if b"not a file's name" in said else -1, said) if code not in (2, 3) else None
                    self.assertIn(b"is not a file's name", said)
                    self.assertEqual({p: p.read_bytes() for p in self.elsewhere.iterdir()}, before)

    def test_checkpoints_load_no_plugins(self):
        evil = self.elsewhere / "plugins"
        evil.mkdir()
        source = self.elsewhere / "evil.c"
        source.write_text('#include <stdio.h>\n__attribute__((constructor)) static void run(void) { fclose(fopen("%s", "w")); }\n' % (self.folder / "ran"))
        subprocess.run(["cc", "-shared", "-fPIC", "-o", evil / "evil.so", source], check=True)
        for dataset in ("plugin_path", "plugins"):
            with h5py.File(self.checkpoint(), "r+") as f:
                if dataset in f:
                    del f[dataset]
                text = str(evil).encode()
                f.create_dataset(dataset, data=np.array([text]))
            self.seal()
            self.spinet("resume", self.checkpoint().name, "-o", f"{dataset}.h5")
            self.assertFalse((self.folder / "ran").exists(), dataset)

    def test_plugins_are_the_same(self):
        for n in self.work.glob("out.*"):
            n.unlink()
        plugins = self.elsewhere / "plugins"
        plugins.mkdir()
        shutil.copy(PLUGIN, plugins / "p.so")
        model = subprocess.run([SPINET, "models", "--plugin-path", plugins], capture_output=True, text=True).stdout
        name = next(line.split()[0] for line in model.splitlines() if "p.so" in line)
        (self.work / "net.yaml").write_text(NETWORK.replace("MODEL", name))
        self.run_ok("run", "net.yaml", "-o", "out.h5", "--checkpoint-every", "40ms", "--plugin-path", plugins)
        at = self.checkpoint().name
        code, said = self.spinet("resume", at)
        self.assertEqual(code, 2, said)
        self.assertIn(b"--plugin-path", said)
        self.run_ok("resume", at, "-o", "again.h5", "--plugin-path", plugins)
        self.run_ok("resume", at, "-o", "again2.h5", SPINET_PLUGIN_PATH=str(plugins))
        with open(plugins / "p.so", "ab") as f:
            f.write(b"\0")
        code, said = self.spinet("resume", at, "-o", "third.h5", "--plugin-path", plugins)
        self.assertEqual(code, 2, said)
        self.assertIn(b"another one than that of the run", said)

    # --- what is shown ---

    def test_control_characters(self):
        whole = (self.work / "out.h5").read_bytes()
        bad = ESCAPE.encode("latin-1") + ESCAPE.encode() + DIRECTIONS.encode()

        def clean(said):
            self.assertNotIn(b"\x1b", said)
            self.assertNotIn(b"\x07", said)
            for c in DIRECTIONS:
                self.assertNotIn(c.encode(), said)
            self.assertNotIn(b"\x9b2J", said.replace("\ufffd".encode(), b""))

        def attribute(f, at, name):
            del f[at].attrs[name]
            f[at].attrs[name] = np.bytes_(bad)

        def population(f):
            table = f["spinet/populations"][:]
            kind = [(n, f"S{len(bad) + 4}") if t.kind in "SO" else (n, t) for n, (t, _) in table.dtype.fields.items()]
            made = np.zeros(len(table), kind)
            for n in table.dtype.names:
                made[n] = table[n]
            made["name"][0] = bad
            del f["spinet/populations"]
            f["spinet/populations"] = made

        def text(f, name):
            del f[name]
            f.create_dataset(name, data=np.bytes_(bad), dtype=h5py.string_dtype("utf-8", len(bad)))

        changes = [lambda f, n=n: attribute(f, "spinet", n) for n in ("network_name", "network_path", "version", "started", "finished", "host", "status")]
        changes += [lambda f, n=n: attribute(f, "report/exc", n) for n in ("name", "population", "variable")]
        changes += [population, lambda f: text(f, "spinet/command_line"), lambda f: text(f, "spinet/network"), lambda f: f.move("spikes/exc", "spikes/" + ESCAPE),
                    lambda f: f.move("report/exc", "report/" + ESCAPE), lambda f: f.move("edges/p", "edges/" + ESCAPE)]
        for k, change in enumerate(changes):
            with self.subTest(k):
                (self.work / "out.h5").write_bytes(whole)
                with h5py.File(self.work / "out.h5", "r+") as f:
                    change(f)
                for command in (("info", "out.h5"), ("view", "--ascii", "out.h5"), ("report", "out.h5", "--force"), ("validate", "replay.yaml")):
                    (self.work / "replay.yaml").write_text(REPLAY.replace("LOG", "out.h5"))
                    clean(self.spinet(*command)[1])
                page = self.work / "out.html"
                if page.exists():
                    clean(page.read_bytes())

    def test_data_files_that_are_none(self):
        shadow = "root:$6$SECRET$hash:19000:0:99999:7:::\nSECRET,SECRET\n"
        for content in (shadow, "SECRET KEY\nline\n", "\0SECRET\n", "-----BEGIN SECRET-----\nabc\n"):
            (self.elsewhere / "shadow").write_text(content)
            for network in (REPLAY.replace("{file: LOG, population: exc}", str(self.elsewhere / "shadow")),
                            NETWORK.replace("{fixed_indegree: 3}", "{list: %s}" % (self.elsewhere / "shadow")).replace("MODEL", "static")):
                (self.work / "bad.yaml").write_text(network)
                code, said = self.spinet("validate", "bad.yaml")
                self.assertEqual(code, 2, said)
                self.assertNotIn(b"SECRET", said)
                self.assertIn(b"shadow", said)


unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
