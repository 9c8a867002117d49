"""What a code interpreter is asked to do on an ordinary day."""
import concurrent.futures, csv, hashlib, io, json, multiprocessing, os, re, shutil, sqlite3, subprocess, sys, tempfile, threading, zipfile

rows = [{"n": n, "square": n * n} for n in range(100)]
with open("data.csv", "w", newline="") as out:
    writer = csv.DictWriter(out, ["n", "square"])
    writer.writeheader()
    writer.writerows(rows)
assert sum(int(row["square"]) for row in csv.DictReader(open("data.csv"))) == 328350

db = sqlite3.connect("data.db")
db.execute("create table t (n integer, square integer)")
db.executemany("insert into t values (:n, :square)", rows)
db.commit()
assert db.execute("select max(square) from t").fetchone() == (9801,)

with tempfile.TemporaryDirectory() as place:
    archive = os.path.join(place, "a.zip")
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.write("data.csv")
    shutil.copy(archive, "copy.zip")
    os.rename("copy.zip", "kept.zip")
os.chmod("kept.zip", 0o644)

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(lambda n: n * 2, range(8))) == list(range(0, 16, 2))
lines = subprocess.run("sort -rn data.csv | head -1", shell=True, capture_output=True, text=True, check=True).stdout
assert lines.startswith("99,"), lines
assert subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True).stdout == "42\n"
with multiprocessing.get_context("fork").Pool(2) as workers:
    assert workers.map(len, ["a", "bb"]) == [1, 2]
try:
    import numpy

    assert numpy.linalg.norm(numpy.arange(4.0)) > 3.7
except ImportError:
    pass
print(json.dumps({"digest": hashlib.sha256(open("data.csv", "rb").read()).hexdigest()[:8], "threads": threading.active_count()}))
